"""An authorization server over a real socket and a real store, with two tenants, a partner and people who let it in."""

import asyncio
import base64
import hashlib
import secrets
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import Any
from urllib.parse import urlencode

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from uuid_utils.compat import uuid7

from api.auth import Authentication, LeasedActors
from api.oauth.context import OAuth
from api.oauth.endpoints import routes
from domain.model.access import Client, ClientKind, Role, Scope
from domain.model.authorization import Code, Consent, Decision
from domain.model.ids import ClientId, PersonId
from domain.model.issuing import Lifetimes, public_id
from domain.model.people import Person
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.ports import Begin, BeginDirectory
from domain.usecases.access import Access
from domain.usecases.devices import Devices
from domain.usecases.granting import Granting
from domain.usecases.identity import Identity
from domain.usecases.minting import Mint
from domain.usecases.tenants import OpenedTenant, Tenants
from domain.usecases.token_states import TokenStates
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.crypto.signing import RsaSigner
from infrastructure.db.directory import directory
from infrastructure.db.engine import open_engine
from infrastructure.db.work import begin
from tests.belongings import MASTER_KEYS
from tests.databases import Urls
from tests.e2e.portunus import MASTER_KEY
from tests.fakes import FakeClock, FakeVault
from tests.stubs.serve import serving
from tests.unit.domain.samples import PLATFORM

ISSUER = "https://portunus.example"
LIFETIME = timedelta(seconds=1_800)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CALLBACK = "https://crm.example/callback"
RESOURCE = "https://api.crm.example"
SECRET = "ptn_cs_the-partners-own"
VERIFIER = "a-verifier-that-is-long-enough-for-the-rule-of-43"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPES = frozenset({Scope.MODELS_INVOKE, Scope.TENANT_READ, Scope.CREDENTIALS_READ})
ASKED = frozenset({Scope.MODELS_INVOKE, Scope.TENANT_READ, Scope.OPENID, Scope.OFFLINE_ACCESS})


@dataclass(frozen=True, slots=True)
class Town:
    """`opened` and `neighbour` are tenants, each with a service of its own."""

    app: Starlette
    url: str
    http: httpx2.AsyncClient
    clock: FakeClock
    begin: Begin
    directory: BeginDirectory
    signer: RsaSigner
    opened: OpenedTenant
    neighbour: OpenedTenant

    @property
    def client_id(self) -> str:
        return self.opened.client_id

    @property
    def secret(self) -> str:
        return self.opened.client_secret.reveal()

    def oauth(self, method: str = "client_secret_basic") -> AsyncOAuth2Client:
        return AsyncOAuth2Client(self.client_id, self.secret, token_endpoint_auth_method=method, trust_env=False)

    async def post(self, form: Mapping[str, str] | str | bytes, to: str = "token", **headers: str) -> httpx2.Response:
        """A form as it stands, by a client that has proved itself unless `Authorization` says otherwise."""
        body = urlencode(form) if isinstance(form, Mapping) else form
        sent = {**FORM, "Authorization": basic(self.client_id, self.secret), **headers}
        present = {name.replace("_", "-"): value for name, value in sent.items() if value}
        return await self.http.post(f"/oauth/{to}", content=body, headers=present)

    async def whoami(self, token: str) -> httpx2.Response:
        return await self.http.get("/graphql/", headers={"Authorization": f"Bearer {token}"})

    async def partner(self, *, scopes: frozenset[Scope] = SCOPES, public: bool = False, **more: Any) -> "Partner":
        """An application that people of the first tenant can let in, and one person who did, as a member."""
        tenant_id = self.opened.tenant.id
        client = Client(
            tenant_id,
            ClientId(uuid7()),
            "CRM",
            None if public else digest(SECRET),
            scopes,
            self.clock(),
            ClientKind.PARTNER,
            redirect_uris=(CALLBACK,),
        )
        person = Person(PersonId(uuid7()), f"{secrets.token_hex(6)}@example.org", "Ada", self.clock())
        async with self.directory() as above:
            await above.people.add(person)
        client = replace(client, **more)
        async with self.begin(tenant_id) as work:
            await work.clients.add(client)
            await work.members.add(person.id, Role.MEMBER, self.clock())
            consented = scopes | {Scope.OPENID, Scope.PROFILE, Scope.EMAIL, Scope.OFFLINE_ACCESS}
            await work.consents.put(Consent(tenant_id, client.id, person.id, consented, self.clock()))
        return Partner(self, client, person)


@dataclass(frozen=True, slots=True)
class Partner:
    """What a partner's application does, and the person in front of it."""

    town: Town
    client: Client
    person: Person

    @property
    def id(self) -> str:
        return public_id(self.client)

    async def code(self, scopes: frozenset[Scope] = ASKED, **more: Any) -> str:
        """As the authorization endpoint leaves one."""
        code = mint(Kind.CODE, self.client.tenant_id, token_bytes(SECRET_BYTES))
        row = Code(
            self.client.tenant_id,
            digest(code),
            self.client.id,
            self.person.id,
            scopes,
            CALLBACK,
            CHALLENGE,
            uuid7(),
            self.town.clock() - timedelta(minutes=5),
            self.town.clock() + timedelta(seconds=60),
        )
        async with self.town.begin(self.client.tenant_id) as work:
            await work.codes.add(replace(row, **more))
        return code

    async def post(self, form: Mapping[str, str], to: str = "token", **headers: str) -> httpx2.Response:
        if self.client.secret_digest is not None:
            return await self.town.post(form, to, **{"Authorization": basic(self.id, SECRET), **headers})
        return await self.town.post({"client_id": self.id, **form}, to, **{"Authorization": "", **headers})

    async def redeem(self, code: str, /, **more: str) -> httpx2.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        sent = {**form, **more}
        return await self.post({name: value for name, value in sent.items() if value != "-"})

    async def refresh(self, token: str, /, **more: str) -> httpx2.Response:
        return await self.post({"grant_type": "refresh_token", "refresh_token": token, **more})

    async def let_in(self, **more: Any) -> dict[str, Any]:
        """The tokens of one whole sign-in."""
        answer = await self.redeem(await self.code(**more))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def start(self, **more: str) -> httpx2.Response:
        return await self.post({"scope": "models:invoke offline_access", **more}, "device_authorization")

    async def poll(self, device_code: str) -> httpx2.Response:
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        return await self.post({"grant_type": grant, "device_code": device_code})

    async def decide(self, shown_code: str, decision: Decision) -> None:
        """As the page for devices does."""
        async with self.town.begin(self.client.tenant_id) as work:
            device = await work.devices.by_user_code(shown_code.replace("-", ""))
            assert device is not None
            yes = {"person_id": self.person.id, "signed_in_at": self.town.clock()}
            await work.devices.put(replace(device, decision=decision, **yes))  # type: ignore[arg-type]


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code; every refusal is JSON that no cache keeps."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


async def whoami(request: Request) -> JSONResponse:
    actor = request.state.actor
    return JSONResponse({"tenant": str(actor.tenant_id), "scopes": sorted(actor.scopes)} if actor else None)


@asynccontextmanager
async def founded(urls: Urls) -> AsyncIterator[Town]:
    engine, clock = open_engine(urls.app), FakeClock(datetime.now(UTC).replace(microsecond=0))
    work, above = begin(engine, master_keys=MASTER_KEYS), directory(engine)
    threads = ThreadPoolExecutor(2)
    signer = RsaSigner(above, MasterKeys.of(b64decode(MASTER_KEY)), clock, uuid7, LIFETIME, threads)
    oauth = served_by(work, clock, signer)
    tenants = Tenants(work, FakeVault(), PLATFORM, clock, uuid7, token_bytes)
    actors = LeasedActors(oauth.access.authenticate, oauth.clock, lease=timedelta(0))
    guarded = Authentication(Starlette(routes=[Route("/", whoami)]), actors.admit, 'realm="portunus"')
    app = Starlette(routes=[*routes(oauth), Mount("/graphql", guarded)])
    try:
        async with serving(app) as url, httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
            opened = await asyncio.gather(tenants.found("Acme"), tenants.found("Globex"))
            yield Town(app, url, http, clock, work, above, signer, *opened)
    finally:
        await engine.dispose()
        threads.shutdown()


def served_by(work: Begin, clock: FakeClock, signer: RsaSigner) -> OAuth:
    lifetimes = Lifetimes(LIFETIME)
    return OAuth(
        ISSUER,
        Access(work, clock),
        Granting(work, clock, Mint(ISSUER, token_bytes, lifetimes), signer),
        Devices(work, clock, uuid7, token_bytes, lifetimes),
        TokenStates(work, clock, ISSUER),
        Identity(work),
        signer,
        clock,
    )

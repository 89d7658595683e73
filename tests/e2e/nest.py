"""Portunus on a socket in this process, all the world outside being one stub; and credentials of any vendor's form."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import httpx2
from pydantic import SecretStr

from api.house import House
from api.main import create_app
from domain.model.catalogue import FieldKind, FormField, ModelType, ProviderKind
from infrastructure.providers.spec import Adapter
from infrastructure.settings import Settings
from tests.canary import Flock
from tests.contract.google_cloud import account
from tests.databases import Urls
from tests.e2e.portunus import MASTER_KEY, command
from tests.graphql_documents import FIELDS
from tests.stubs.serve import serving

OPERATIONS = {
    ModelType.LLM: ("chat", "chatStream", "nameConversation"),
    ModelType.EMBEDDING: ("embed",),
    ModelType.RERANK: ("rerank",),
    ModelType.SPEECH_TO_TEXT: ("transcribe",),
    ModelType.TEXT_TO_SPEECH: ("speak", "speakStream"),
}
"""What asks a model of each type."""

HELLO = [{"role": "USER", "content": "hi"}]
ASKED: Mapping[str, Mapping[str, Any]] = {
    "chat": {"messages": HELLO},
    "chatStream": {"messages": HELLO},
    "nameConversation": {"messages": HELLO},
    "embed": {"texts": ["hi"]},
    "rerank": {"query": "door", "documents": ["gate", "cat"]},
    "transcribe": {"file": None},
    "speak": {"text": "hi"},
    "speakStream": {"text": "hi"},
}
MODEL = "stub/model"
_TOLD = (FieldKind.SECRET, FieldKind.URL)


@dataclass
class Witness:
    """All that Portunus told: answers with their headers, and logs."""

    http: httpx2.AsyncClient
    answers: list[bytes] = field(default_factory=list)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(16))

    async def ask(self, name: str, given: Mapping[str, Any] | None = None, file: bool = False) -> dict[str, Any]:
        """The operation's own value, or the last one of a stream; its answer must have no errors."""
        return (await self.told(name, given, file))[-1]

    async def told(self, name: str, given: Mapping[str, Any] | None = None, file: bool = False) -> list[dict[str, Any]]:
        """All values of a stream, or the one of any other operation."""
        body = {"query": FIELDS[name].document(given or {}), "variables": given or {}}
        async with self.turns:
            if FIELDS[name].kind == "subscription":
                raw = await self._sent(json=body, headers={"accept": "text/event-stream"})
                answers = [json.loads(line[6:]) for line in raw.decode().splitlines() if line.startswith("data: {")]
            else:
                answers = [json.loads(await (self._uploaded(body) if file else self._sent(json=body)))]
        assert not any("errors" in answer for answer in answers), (name, answers)
        return [answer["data"][name] for answer in answers]

    async def look(self, path: str) -> None:
        await self._keep(await self.http.get(path))

    async def _uploaded(self, body: Mapping[str, Any]) -> bytes:
        form = {"operations": json.dumps(body), "map": json.dumps({"0": ["variables.input.file"]})}
        files = {"0": ("said.wav", b"RIFF....", "audio/wav")}
        return await self._sent(data=form, files=files, headers={"graphql-require-preflight": "1"})

    async def _sent(self, **request: Any) -> bytes:
        return await self._keep(await self.http.post("/graphql", **request))

    async def _keep(self, answer: httpx2.Response) -> bytes:
        self.answers.append(repr(answer.headers.raw).encode() + answer.content)
        return answer.content


@dataclass(frozen=True)
class Holder:
    """A stored credential and what it reaches; `hosted` names its model where each has a credential of its own."""

    adapter: Adapter
    types: tuple[ModelType, ...]
    credential: str
    hosted: Mapping[str, Any]

    @property
    def model(self) -> Mapping[str, str]:
        return {"provider": self.adapter.id, "name": MODEL}


@dataclass
class Nest:
    """The canaries, and the credentials that hold them.

    The stub cannot play what is `strange`. Fields of a form that are `also` filled in need not be.
    """

    stub: str
    flock: Flock
    strange: frozenset[tuple[str, ModelType]] = frozenset()
    also: frozenset[str] = frozenset()
    holders: list[Holder] = field(default_factory=list)

    def form(self, adapter: Adapter, kind: ModelType | None = None) -> list[dict[str, str]]:
        """The vendor's form with a new canary in each secret field, the stub's address, and all that can be granted."""
        filled, said = dict[str, str](), dict[str, str]()
        for spec in adapter.form:
            if _is_shown(spec, kind, filled):
                needed = spec.required and not spec.default
                if needed or spec.kind in _TOLD or spec.grants or spec.name in self.also:
                    said[spec.name] = self._value(spec, kind)
                filled[spec.name] = said.get(spec.name) or spec.default or ""
        return [{"name": name, "value": value} for name, value in said.items()]

    def anew(self, adapter: Adapter) -> list[dict[str, str]]:
        """Only the secrets of it."""
        secret = {spec.name for spec in adapter.form if spec.kind is FieldKind.SECRET}
        return [each for each in self.form(adapter) if each["name"] in secret]

    async def fill(self, witness: Witness, adapter: Adapter) -> None:
        """Store a credential; at hosted vendors, one for a model of each type."""
        hosted = adapter.kind is ProviderKind.HOSTED
        for kinds in [[kind] for kind in sorted(adapter.types)] if hosted else [sorted(adapter.types)]:
            of_model = {"model": {"name": MODEL, "type": kinds[0].name}} if hosted else {}
            form = {"provider": adapter.id, "fields": self.form(adapter, kinds[0] if hosted else None), **of_model}
            added = await witness.ask("addCredential", {"input": {"name": kinds[0].value, **form}})
            accepted = added["__typename"] == "AddCredentialPayload"
            assert accepted != ((adapter.id, kinds[0]) in self.strange), f"an obliging stub and {adapter.id}: {added}"
            credential = added["credential"]["id"] if accepted else ""
            self.holders.append(Holder(adapter, tuple(kinds), credential, of_model))

    def _value(self, spec: FormField, kind: ModelType | None) -> str:
        match spec.kind:
            case FieldKind.SECRET if spec.name == "vertex_service_account_key":
                return account.key_file(private_key_id=self.flock.canary(), client_email=self.flock.canary())
            case FieldKind.SECRET:
                return self.flock.canary()
            case FieldKind.URL:
                return f"{self.stub}/{kind.name}/v1" if kind else f"{self.stub}/v1"
            case FieldKind.SELECT:
                return next(iter(spec.grants), spec.options[0])
            case FieldKind.INTEGER:
                return "8"
        return "stub"


def _is_shown(spec: FormField, kind: ModelType | None, filled: Mapping[str, str]) -> bool:
    for_type = not spec.for_types or kind in spec.for_types
    return for_type and all(filled.get(name) == value for name, value in spec.shown_when.items())


def settings(urls: Urls, flock: Flock, stub: str) -> Settings:
    form = {"openai_api_key": SecretStr(flock.canary()), "openai_api_base": SecretStr(f"{stub}/v1")}
    return Settings(
        database_url=urls.app,
        master_key=SecretStr(MASTER_KEY),
        platform_keys={"openai": form},
        allowed_networks=[ip_network("127.0.0.0/8")],
        call_seconds=1,
        client_concurrency=1_000,
        tenant_concurrency=1_000,
        client_requests_per_second=1_000,
        tenant_requests_per_second=1_000,
    )


@asynccontextmanager
async def portunus(urls: Urls, chosen: Settings, stub: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Portunus on a socket, to which the whole world outside is the stub, and a client of a new tenant of it."""

    async def led_astray(request: httpx2.Request) -> None:
        request.url = httpx2.URL(stub).copy_with(raw_path=request.url.raw_path)

    house = House(chosen)
    house.client.event_hooks = {"request": [led_astray]}
    environment = {"PORTUNUS_DATABASE_URL": urls.app, "PORTUNUS_MASTER_KEY": MASTER_KEY}
    opening = await asyncio.to_thread(command, environment, "open-tenant", "Acme", "--json")
    opened = json.loads(opening.stdout)
    app = create_app(chosen, house)
    async with (
        app.router.lifespan_context(app),
        serving(app) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as http,
    ):
        asked = {"grant_type": "client_credentials"}
        token = await http.post("/oauth/token", data=asked, auth=(opened["client_id"], opened["client_secret"]))
        http.headers["authorization"] = f"Bearer {token.json()['access_token']}"
        yield http

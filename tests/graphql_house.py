"""Portunus in memory behind its GraphQL front: two tenants, two vendors, and a gateway that follows a script."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from secrets import token_bytes
from typing import Any
from uuid import UUID

from starlette.types import ASGIApp
from strawberry.types import ExecutionResult

from api.auth import LEASE, Authentication, LeasedActors
from api.graphql.app import graphql_app
from api.graphql.context import Context, GraphQLOptions, UseCases
from api.graphql.cursors import CursorSeal
from api.graphql.schema import build_schema
from api.traffic.gate import Gate
from domain.errors import DomainError
from domain.model.access import AccessToken, Actor, Client, Scope
from domain.model.calls import ChatCall, ToolCall
from domain.model.catalogue import (
    Catalogue,
    Feature,
    FieldKind,
    FormField,
    Limits,
    Model,
    ModelRef,
    ModelType,
    Price,
    Provider,
    ProviderKind,
    Voice,
)
from domain.model.credential import Credential, SealContext
from domain.model.events import (
    ChatAnswer,
    ChatEvent,
    Embeddings,
    Finish,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    Warned,
)
from domain.model.ids import ClientId, CredentialId, KeyId, PotId, TenantId
from domain.model.labels import Text
from domain.model.quota import Pot, PotKind, Trial, Unit
from domain.model.secret import Secret
from domain.model.selection import Platform
from domain.model.tenant import Tenant
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.ports import Gateway, Target
from domain.usecases import usage
from domain.usecases.access import Access
from domain.usecases.api_keys import ApiKeys
from domain.usecases.applications import Applications
from domain.usecases.audit import Audit
from domain.usecases.browsing import Browsing
from domain.usecases.caps import Caps
from domain.usecases.conversations import Conversations
from domain.usecases.credential_states import CredentialStates
from domain.usecases.credential_updates import CredentialUpdates
from domain.usecases.credentials import Credentials
from domain.usecases.defaults import Defaults
from domain.usecases.grants import Grants
from domain.usecases.imports import Imports
from domain.usecases.inference import Inference
from domain.usecases.members import Members
from domain.usecases.metering import Metering
from domain.usecases.models import Models
from domain.usecases.planning import Planning
from domain.usecases.quotas import Quotas
from domain.usecases.reaching import Reaching
from domain.usecases.rotation import Rotation
from domain.usecases.tenants import Tenants
from infrastructure.background import Detached
from infrastructure.balances import PolledBalances
from infrastructure.keyring import LeasedKeyring
from infrastructure.standing import LeasedStanding
from tests.fakes import CountedIds, FakeClock, FakeGateway, FakeStore, FakeVault, Reply
from tests.traffic import gate as wide_gate

OPTIONS = GraphQLOptions(cursor_key=b"a key for the cursors of the tests")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

ACME = Provider(
    "acme",
    Text("Acme", ja="アクメ"),
    ProviderKind.PROPRIETARY,
    frozenset({ModelType.LLM, ModelType.EMBEDDING}),
    (
        FormField("api_key", Text("API key"), FieldKind.SECRET),
        FormField("base", Text("Base"), FieldKind.URL, required=False, default="https://acme.example"),
        FormField("mode", Text("Mode"), FieldKind.SELECT, required=False, options=("fast", "slow")),
    ),
    key_page="https://acme.example/keys",
    models=(
        Model(
            ModelRef("acme", "writer:7b", ModelType.LLM),
            Text("Writer"),
            frozenset({Feature.TOOLS, Feature.VISION, Feature.STRUCTURED_OUTPUT}),
            context=8192,
            max_output=1024,
            price=Price(Decimal("0.15"), Decimal("0.60"), 1_000_000, "USD"),
            rank=2,
        ),
        Model(ModelRef("acme", "scribe", ModelType.LLM), Text("Scribe"), rank=1),
        Model(ModelRef("acme", "vectors", ModelType.EMBEDDING), Text("Vectors"), dimensions=3),
    ),
)
HOME = Provider(
    "home",
    Text("Home"),
    ProviderKind.HOSTED,
    frozenset({ModelType.LLM}),
    (FormField("address", Text("Address"), FieldKind.URL),),
)
TALKING = replace(
    ACME,
    types=frozenset(ModelType),
    models=(
        *ACME.models,
        Model(ModelRef("acme", "sorter", ModelType.RERANK), Text("Sorter")),
        Model(
            ModelRef("acme", "ears", ModelType.SPEECH_TO_TEXT),
            Text("Ears"),
            limits=Limits(bytes=1_000, formats=("wav", "mp3")),
        ),
        Model(
            ModelRef("acme", "mouth", ModelType.TEXT_TO_SPEECH),
            Text("Mouth"),
            limits=Limits(characters=20),
            voices=(Voice("ann", Text("Ann"), ("en",)), Voice("bob", Text("Bob"))),
        ),
    ),
)
"""ACME with models of all types, which only a key of the tenant's own reaches."""

WRITER = {"provider": "acme", "name": "writer:7b"}
TRIAL = Trial("acme", Unit.CALLS, 2**40, tuple(model.ref for model in ACME.models))


ANSWER = ChatAnswer(
    text="Hello.",
    reasoning="Greet.",
    tool_calls=(ToolCall("call_1", "open", '{"door": 1}'),),
    finish=FinishReason(Finish.STOP, "stop"),
    usage=Usage(input=7, output=2**33),
    warnings=("seed was left out",),
)
EVENTS: tuple[ChatEvent, ...] = (
    Warned("seed was left out"),
    ReasoningDelta("Greet."),
    TextDelta("Hel"),
    TextDelta("lo."),
    ToolCallDelta(0, "call_1", "open", '{"door": 1}'),
    Finished(FinishReason(Finish.STOP, "stop"), Usage(input=7, output=3)),
)


EMBEDDINGS = Embeddings(((0.25, -1.5, 3.0),), Usage(input=3))
CHAT = {"messages": [{"role": "USER", "content": "hi"}]}


async def _briefly(_seconds: float) -> None:
    await asyncio.sleep(0.005)


def tenant_id(number: int) -> TenantId:
    return TenantId(UUID(int=number))


class StallingGateway(FakeGateway):
    """Streams one piece of text and then nothing, until it is left; `left` tells that it was."""

    def __init__(self) -> None:
        super().__init__()
        self.left = asyncio.Event()

    @asynccontextmanager
    async def chat_stream(self, target: Target, call: ChatCall) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        yield self._stalling()

    async def _stalling(self) -> AsyncIterator[ChatEvent]:
        try:
            yield TextDelta("Hel")
            while True:
                yield TextDelta("")
                await asyncio.sleep(0.005)
        finally:
            self.left.set()


class House:
    """Tenants 1 and 2 are open, each with a trial at acme. Every actor may do everything unless scopes are named.

    A `vendor` takes the place of the gateway that follows a script.
    """

    def __init__(
        self,
        gateway: FakeGateway | None = None,
        catalogue: Catalogue | None = None,
        vendor: Gateway | None = None,
        store: FakeStore | None = None,
        gate: Gate | None = None,
    ) -> None:
        self.gate = gate or wide_gate()
        self.store = store or FakeStore()
        self.clock = FakeClock(NOW)
        self.gateway = gateway or FakeGateway()
        self.vendor: Gateway = vendor or self.gateway
        self.vault = FakeVault()
        self.ids = CountedIds()
        self.lease = LEASE
        self.usecases = self._usecases(catalogue or Catalogue((ACME, HOME)))
        self.schema = build_schema()
        for number in (1, 2):
            rows = self.store.rows[tenant_id(number)]
            rows.tenants.append(Tenant(tenant_id(number), f"Tenant {number}", NOW))
            pot = Pot(
                tenant_id(number), PotId(UUID(int=90 + number)), PotKind.TRIAL, "acme", Unit.CALLS, 2**40, 5, 0, NOW
            )
            rows.pots[pot.id] = pot

    def _usecases(self, catalogue: Catalogue) -> UseCases:
        begin, clock, fresh = self.store.begin, self.clock, self.fresh
        platform = Platform(catalogue, {"acme": TRIAL})
        standing = LeasedStanding(begin, clock)
        keyring = LeasedKeyring(begin, self.vault, clock, {"acme": {"api_key": Secret("the platform's")}})
        ledger = self.store.ledger
        self.detached = Detached()
        metering = Metering(begin, standing, platform, keyring, ledger, clock, fresh, timedelta(minutes=20))
        reaching = Reaching(standing, platform)
        inference = Inference(metering, self.vendor, self.detached)
        return UseCases(
            tenants=Tenants(begin, self.vault, platform, clock, fresh, bytes, (standing, keyring)),
            access=Access(begin, lambda: datetime.now(UTC)),
            credentials=Credentials(begin, catalogue, self.vendor, self.vault, standing, clock, fresh),
            credential_updates=CredentialUpdates(begin, catalogue, self.vendor, self.vault, standing, clock),
            credential_states=CredentialStates(begin, standing, platform, clock),
            browsing=Browsing(standing, platform),
            defaults=Defaults(begin, standing, platform),
            quotas=Quotas(begin, standing, platform, PolledBalances(begin, lambda: datetime.now(UTC), _briefly)),
            caps=Caps(begin, ledger, standing, clock, fresh),
            grants=Grants(begin, ledger, standing, platform, clock, fresh),
            planning=Planning(metering, standing),
            members=Members(begin, clock, fresh, token_bytes, "https://portunus.example/invitation"),
            models=Models(begin, standing, platform, clock),
            imports=Imports(begin, standing, platform, self.vendor, keyring, self.vault, clock, fresh),
            inference=inference,
            conversations=Conversations(inference, standing, platform),
            usage=usage.Usage(begin, clock),
            rotation=Rotation(begin, self.vault, self.store.roll_call, Detached(), fresh),
            applications=Applications(begin, reaching, standing, clock, fresh, self.randomness),
            api_keys=ApiKeys(begin, reaching, standing, clock, fresh, self.randomness),
            audit=Audit(begin, self.store.roll_call),
        )

    def randomness(self, size: int) -> bytes:
        """Never the same."""
        return self.fresh().bytes.rjust(size, b"r")

    def fresh(self) -> UUID:
        """Behind the ids that tests give out themselves."""
        return UUID(int=10_000 + self.ids().int)

    def actor(self, *scopes: Scope, tenant: int = 1, expires_in: float = 3600) -> Actor:
        expires = datetime.now(UTC) + timedelta(seconds=expires_in)
        return Actor(tenant_id(tenant), ClientId(UUID(int=50 + tenant)), frozenset(scopes or Scope), expires)

    def token(self, actor: Actor | None = None) -> str:
        """A token with which the actor authenticates."""
        actor = actor or self.actor()
        text = mint(Kind.ACCESS_TOKEN, actor.tenant_id, self.fresh().bytes.rjust(SECRET_BYTES, b"x"))
        row = AccessToken(actor.tenant_id, digest(text), actor.client_id, actor.scopes, NOW, actor.expires_at)
        rows = self.store.rows[actor.tenant_id]
        rows.tokens[row.digest] = row
        rows.clients.setdefault(
            actor.client_id, Client(actor.tenant_id, actor.client_id, "app", None, frozenset(Scope), NOW)
        )
        return text

    async def credential(self, number: int, *, tenant: int = 1) -> Credential:
        """A stored credential at acme."""
        owner = tenant_id(tenant)
        row = Credential(
            tenant_id=owner,
            id=CredentialId(UUID(int=number)),
            provider="acme",
            name=f"key {number}",
            model=None,
            public={"base": "https://acme.example"},
            masked={"api_key": "••••abcd"},
            endpoint="https://acme.example:443",
            version=1,
            created_at=NOW,
            proved_at=NOW,
        )
        key = await self.vault.keypair(owner, KeyId(UUID(int=tenant)))
        async with self.store.begin(owner) as work:
            await work.keys.add(key)
            sealed = await self.vault.seal(key, SealContext.of(row), {"api_key": Secret("sk-stored-secret")})
            await work.credentials.add(row, sealed)
        return row

    def context(self, actor: Actor | None = None) -> Context:
        return Context(self.usecases, CursorSeal(OPTIONS.cursor_key), actor or self.actor(), gate=self.gate)

    async def run(self, document: str, actor: Actor | None = None, /, **variables: Any) -> ExecutionResult:
        return await self.schema.execute(document, variables, self.context(actor))

    async def data(self, document: str, actor: Actor | None = None, /, **variables: Any) -> dict[str, Any]:
        """The data of an operation that must have no errors."""
        result = await self.run(document, actor, **variables)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    async def codes(self, document: str, actor: Actor | None = None, /, **variables: Any) -> list[str]:
        """The codes of the top-level errors."""
        result = await self.run(document, actor, **variables)
        return [(error.extensions or {})["code"] for error in result.errors or ()]

    def app(self, options: GraphQLOptions = OPTIONS) -> ASGIApp:
        """The front behind bearer tokens, as it is mounted."""
        actors = LeasedActors(self.usecases.access.authenticate, lambda: datetime.now(UTC), lease=self.lease)
        return Authentication(graphql_app(self.usecases, options, self.gate), actors.admit, "")


async def talking(*script: Reply | DomainError) -> House:
    """A house whose first tenant has a key at TALKING; `script` is what the vendor answers."""
    house = House(FakeGateway(*script), Catalogue((TALKING, HOME)))
    await house.credential(1)
    return house


def large_catalogue(providers: int = 46, models: int = 8) -> Catalogue:
    """A catalogue of the size that this one is meant to grow to."""

    def provider(number: int) -> Provider:
        name = f"vendor_{number}"
        rows = tuple(replace(ACME.models[0], ref=ModelRef(name, f"model {m}", ModelType.LLM)) for m in range(models))
        return replace(ACME, id=name, models=rows)

    return Catalogue(tuple(provider(number) for number in range(providers)))

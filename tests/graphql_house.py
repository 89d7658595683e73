"""A Portunus in memory behind its GraphQL front: two tenants, two vendors, and a gateway that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Self, TypeVar
from uuid import UUID

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from api.graphql.app import graphql_app
from api.graphql.context import GraphQLOptions, UseCases
from domain.errors import DuplicateName, NotFound, QuotaExhausted, Unauthenticated
from domain.model.access import AccessToken, Actor, Client, Scope
from domain.model.calls import ChatCall, EmbedCall, ToolCall
from domain.model.catalogue import (
    Catalogue,
    Feature,
    FieldKind,
    FormField,
    FormValues,
    Model,
    ModelRef,
    ModelType,
    Price,
    Provider,
    ProviderKind,
    Text,
)
from domain.model.credential import Credential, SealContext, Sealed
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
from domain.model.ids import CallId, ClientId, CredentialId, KeyId, PotId, TenantId
from domain.model.quota import Hold, Pot, PotKind, Trial, Unit
from domain.model.selection import KeySource, Platform, Standing
from domain.model.tenant import Tenant, TenantKey
from domain.model.tokens import Kind, digest, mint
from domain.model.usage import CallRecord
from domain.ports import Target
from domain.usecases.access import Access
from domain.usecases.browsing import Browsing
from domain.usecases.credentials import Credentials
from domain.usecases.defaults import Defaults
from domain.usecases.inference import Inference
from domain.usecases.metering import Metering
from domain.usecases.quotas import Quotas
from domain.usecases.tenants import Tenants

T = TypeVar("T")

NOW = datetime.now(UTC).replace(microsecond=0)
CURSOR_KEY = b"a key for the cursors of the tests"
OPTIONS = GraphQLOptions(cursor_key=CURSOR_KEY)

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
WRITER = {"provider": "acme", "name": "writer:7b"}
TRIAL = Trial("acme", Unit.CALLS, 2**40, tuple(model.ref for model in ACME.models))


def tenant_id(number: int) -> TenantId:
    return TenantId(UUID(int=number))


@dataclass(slots=True)
class Rows:
    """All that one tenant has. Each attribute that a Work has a repository for is one, in the plainest form."""

    tenant: Tenant | None = None
    keys: list[TenantKey] = field(default_factory=list)
    clients: dict[ClientId, Client] = field(default_factory=dict)
    tokens: dict[bytes, AccessToken] = field(default_factory=dict)
    credentials: dict[CredentialId, Credential] = field(default_factory=dict)
    defaults: dict[ModelType, ModelRef] = field(default_factory=dict)
    preferred: dict[str, KeySource] = field(default_factory=dict)
    pots: list[Pot] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TenantRows:
    rows: Rows

    async def add(self, tenant: Tenant) -> None:
        self.rows.tenant = tenant

    async def one(self) -> Tenant:
        if self.rows.tenant is None:
            raise NotFound("tenant")
        return self.rows.tenant


@dataclass(frozen=True, slots=True)
class KeyRows:
    rows: Rows

    async def add(self, key: TenantKey) -> None:
        self.rows.keys.append(key)

    async def newest(self) -> TenantKey:
        return self.rows.keys[-1]

    async def one(self, key_id: KeyId) -> TenantKey:
        return next(key for key in self.rows.keys if key.id == key_id)


@dataclass(frozen=True, slots=True)
class ClientRows:
    rows: Rows

    async def add(self, client: Client) -> None:
        self.rows.clients[client.id] = client

    async def one(self, client_id: ClientId) -> Client:
        return self.rows.clients[client_id]


@dataclass(frozen=True, slots=True)
class TokenRows:
    rows: Rows

    async def add(self, token: AccessToken) -> None:
        self.rows.tokens[token.digest] = token

    async def one(self, digest: bytes) -> AccessToken:
        if digest not in self.rows.tokens:
            raise NotFound("token")
        return self.rows.tokens[digest]


@dataclass(frozen=True, slots=True)
class CredentialRows:
    rows: Rows

    async def add(self, credential: Credential, sealed: Sealed) -> None:
        if any((c.provider, c.name) == (credential.provider, credential.name) for c in self.rows.credentials.values()):
            raise DuplicateName(credential.name)
        self.rows.credentials[credential.id] = credential

    async def one(self, credential_id: CredentialId) -> Credential:
        if credential_id not in self.rows.credentials:
            raise NotFound("credential")
        return self.rows.credentials[credential_id]

    async def sealed(self, credential_id: CredentialId) -> Sealed:
        return Sealed(KeyId(UUID(int=1)), b"")

    async def page(
        self, *, first: int, after: CredentialId | None = None, provider: str | None = None
    ) -> Sequence[Credential]:
        rows = (c for c in self.rows.credentials.values() if provider in (None, c.provider))
        return [c for c in sorted(rows, key=lambda c: c.id) if after is None or c.id > after][:first]

    async def remove(self, credential_id: CredentialId) -> None:
        del self.rows.credentials[credential_id]


@dataclass(frozen=True, slots=True)
class ChoiceRows:
    rows: Rows

    async def put_default(self, model: ModelRef) -> None:
        self.rows.defaults[model.type] = model

    async def clear_default(self, model_type: ModelType) -> None:
        self.rows.defaults.pop(model_type, None)

    async def defaults(self) -> Mapping[ModelType, ModelRef]:
        return self.rows.defaults

    async def put_preferred(self, provider: str, source: KeySource) -> None:
        self.rows.preferred[provider] = source

    async def preferred(self) -> Mapping[str, KeySource]:
        return self.rows.preferred


@dataclass(frozen=True, slots=True)
class PotRows:
    rows: Rows

    async def add(self, pot: Pot) -> None:
        self.rows.pots.append(pot)

    async def all(self) -> Sequence[Pot]:
        return self.rows.pots


class RecordRows:
    async def uses(self, since: datetime) -> Mapping[ModelRef, int]:
        return {}


class MemoryWork:
    def __init__(self, rows: Rows) -> None:
        self.tenants = TenantRows(rows)
        self.keys = KeyRows(rows)
        self.clients = ClientRows(rows)
        self.tokens = TokenRows(rows)
        self.credentials = CredentialRows(rows)
        self.choices = ChoiceRows(rows)
        self.pots = PotRows(rows)
        self.records = RecordRows()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        return None


class Vault:
    async def keypair(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey:
        return TenantKey(tenant_id, key_id, b"", b"", "test")

    async def seal(self, key: TenantKey, context: SealContext, values: FormValues) -> Sealed:
        return Sealed(key.id, b"")

    async def open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        return {}


class Keyring:
    async def own(self, credential: Credential) -> FormValues:
        return {}

    def platform(self, provider: str) -> FormValues:
        return {}


@dataclass(slots=True)
class Ledger:
    """Holds whatever is asked, unless it is told to be empty."""

    empty: bool = False
    settled: list[CallRecord] = field(default_factory=list)

    async def hold(self, hold: Hold) -> None:
        if self.empty:
            raise QuotaExhausted("trial", "calls", 0, hold.lines[0].amount)

    async def settle(self, record: CallRecord, charged: int = 0, incident: str | None = None) -> None:
        self.settled.append(record)

    async def release(self, tenant_id: TenantId, call_id: CallId) -> None:
        return None

    async def sweep(self, now: datetime) -> int:
        return 0


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


@dataclass(slots=True)
class Gateway:
    """Answers everything, or fails with `failure`: a stream after `events`. `calls` is what it was asked."""

    failure: Exception | None = None
    events: Sequence[ChatEvent] = EVENTS
    vectors: tuple[tuple[float, ...], ...] = ((0.25, -1.5, 3.0),)
    patient: asyncio.Event | None = None
    calls: list[Any] = field(default_factory=list)

    def endpoint(self, provider: str, form: FormValues) -> str:
        return f"https://{provider}.example"

    async def probe(self, provider: str, form: FormValues, model: ModelRef | None) -> None:
        self._asked(form)

    async def chat(self, target: Target, call: ChatCall) -> ChatAnswer:
        self._asked(call)
        return ANSWER

    @asynccontextmanager
    async def chat_stream(self, target: Target, call: ChatCall) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        self.calls.append(call)
        yield self._stream()

    async def embed(self, target: Target, call: EmbedCall) -> Embeddings:
        self._asked(call)
        return Embeddings(self.vectors, Usage(input=3))

    async def _stream(self) -> AsyncIterator[ChatEvent]:
        for event in self.events:
            yield event
        if self.patient is not None:
            await self.patient.wait()
        if self.failure is not None:
            raise self.failure

    def _asked(self, call: Any) -> None:
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure


@dataclass(slots=True)
class House:
    """The use cases over memory. Tenants 1 and 2 are open; `actor` acts for one of them."""

    catalogue: Catalogue = field(default_factory=lambda: Catalogue((ACME, HOME)))
    gateway: Gateway = field(default_factory=Gateway)
    ledger: Ledger = field(default_factory=Ledger)
    rows: dict[TenantId, Rows] = field(default_factory=dict)
    readings: int = 0
    _ids: int = 1000
    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        for number in (1, 2):
            owner = tenant_id(number)
            key = TenantKey(owner, KeyId(UUID(int=number)), b"", b"", "test")
            pot = Pot(owner, PotId(UUID(int=90 + number)), PotKind.TRIAL, "acme", Unit.CALLS, 2**40, 5, 1, NOW)
            self.rows[owner] = Rows(Tenant(owner, f"Tenant {number}", NOW), [key], pots=[pot])

    def begin(self, owner: TenantId) -> MemoryWork:
        return MemoryWork(self.rows.setdefault(owner, Rows()))

    def fresh(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)

    def detach(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def standing(self, owner: TenantId) -> Standing:
        self.readings += 1
        rows = self.rows[owner]
        return Standing(tuple(rows.credentials.values()), tuple(rows.pots), rows.preferred, rows.defaults, {})

    def actor(self, number: int = 1, *scopes: Scope, expires_in: float = 3600) -> Actor:
        """Every scope unless some are named."""
        expires = datetime.now(UTC) + timedelta(seconds=expires_in)
        return Actor(tenant_id(number), ClientId(UUID(int=50 + number)), frozenset(scopes or Scope), expires)

    def token(self, actor: Actor) -> str:
        """A token with which `actor` authenticates."""
        text = mint(Kind.ACCESS_TOKEN, actor.tenant_id, self.fresh().bytes * 2)
        row = AccessToken(actor.tenant_id, digest(text), actor.client_id, actor.scopes, NOW, actor.expires_at)
        self.rows[actor.tenant_id].tokens[row.digest] = row
        return text

    def credential(self, number: int = 1, owner: int = 1, provider: str = "acme") -> Credential:
        """A stored credential."""
        row = Credential(
            tenant_id=tenant_id(owner),
            id=CredentialId(UUID(int=number)),
            provider=provider,
            name=f"key {number}",
            model=None,
            public={"base": "https://acme.example"},
            masked={"api_key": "••••abcd"},
            endpoint="https://acme.example",
            version=1,
            created_at=NOW,
            proved_at=NOW,
        )
        self.rows[row.tenant_id].credentials[row.id] = row
        return row

    def usecases(self) -> UseCases:
        platform = Platform(self.catalogue, {"acme": TRIAL})
        standing = Reading(self)
        metering = Metering(
            standing=standing,
            platform=platform,
            keyring=Keyring(),
            ledger=self.ledger,
            clock=lambda: NOW,
            fresh=self.fresh,
            hold_for=timedelta(minutes=20),
        )
        return UseCases(
            tenants=Tenants(self.begin, Vault(), platform, lambda: NOW, self.fresh, bytes),
            access=Access(self.begin, lambda: datetime.now(UTC), bytes, timedelta(hours=1)),
            credentials=Credentials(
                self.begin, self.catalogue, self.gateway, Vault(), standing, lambda: NOW, self.fresh
            ),
            browsing=Browsing(standing, platform),
            defaults=Defaults(self.begin, standing, platform),
            quotas=Quotas(self.begin, standing, self.catalogue),
            inference=Inference(metering, self.gateway, self.detach),
        )

    def app(self, options: GraphQLOptions = OPTIONS) -> ASGIApp:
        """The front behind bearer tokens, as it is mounted."""
        usecases = self.usecases()
        front = graphql_app(usecases, options)

        async def authenticated(scope: AsgiScope, receive: Receive, send: Send) -> None:
            headers = dict(scope["headers"])
            actor: Actor | None = None
            try:
                actor = await usecases.access.authenticate(
                    headers.get(b"authorization", b"").decode()[len("Bearer ") :]
                )
            except Unauthenticated:
                pass
            await front({**scope, "state": {"actor": actor}}, receive, send)

        return authenticated


@dataclass(frozen=True, slots=True)
class Reading:
    """The standing as the use cases read it."""

    house: House

    async def __call__(self, tenant_id: TenantId) -> Standing:
        return await self.house.standing(tenant_id)

    def forget(self, tenant_id: TenantId) -> None:
        return None


def large_catalogue(providers: int = 46, models: int = 8) -> Catalogue:
    """A catalogue of the size that this one is meant to grow to."""

    def provider(number: int) -> Provider:
        name = f"vendor_{number}"
        rows = tuple(replace(ACME.models[0], ref=ModelRef(name, f"model {m}", ModelType.LLM)) for m in range(models))
        return replace(ACME, id=name, models=rows)

    return Catalogue(tuple(provider(number) for number in range(providers)))

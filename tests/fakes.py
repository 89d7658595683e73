"""The outside of the domain, in memory; the suites in ports/ hold it to the promises of the real adapters."""

import asyncio
import json
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from domain.errors import (
    ChangedMeanwhile,
    CredentialUnreadable,
    DomainError,
    DuplicateName,
    InvalidRange,
    NotFound,
    QuotaExhausted,
)
from domain.model.access import AccessToken, Client
from domain.model.calls import ChatCall, EmbedCall
from domain.model.cap import Cap
from domain.model.catalogue import FormValues, ModelRef, ModelType
from domain.model.credential import Cooling, Credential, Opening, SealContext, Sealed
from domain.model.custom_model import CustomModel
from domain.model.events import ChatAnswer, ChatEvent, Embeddings, fold
from domain.model.ids import CallId, CapId, ClientId, CredentialId, GrantId, KeyId, PotId, TenantId
from domain.model.quota import Grant, Hold, HoldState, Outcome, Pot, PotKind
from domain.model.rerank import RerankCall, Reranking
from domain.model.secret import Secret
from domain.model.selection import KeySource
from domain.model.speech import SpeakCall, Speech, TranscribeCall, Transcript
from domain.model.tenant import Tenant, TenantKey
from domain.model.usage import CallRecord
from domain.ports import Ledger, ListedModel, Target, Work
from tests.fake_records import FakeRecords

_PORTS = {"http": 80, "https": 443}

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class FakeSpeech:
    """What to say: a failure is raised where it stands."""

    pieces: tuple[bytes | DomainError, ...]
    media_type: str = "audio/mpeg"


@dataclass(frozen=True, slots=True)
class FakeList:
    models: tuple[ListedModel, ...]


Reply = ChatAnswer | Embeddings | Reranking | Transcript | FakeSpeech | FakeList | Sequence[ChatEvent | DomainError]
Asked = ChatCall | EmbedCall | RerankCall | TranscribeCall | SpeakCall


class FakeClock:
    """Stands still until it is told to advance."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


class CountedIds:
    """1, 2, 3, … as UUIDs."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> UUID:
        self._last += 1
        return UUID(int=self._last)


@dataclass(slots=True)
class TenantRows:
    """Everything one tenant has."""

    tenants: list[Tenant] = field(default_factory=list)
    keys: dict[KeyId, TenantKey] = field(default_factory=dict)
    clients: dict[ClientId, Client] = field(default_factory=dict)
    tokens: dict[bytes, AccessToken] = field(default_factory=dict)
    credentials: dict[CredentialId, tuple[Credential, Sealed]] = field(default_factory=dict)
    coolings: dict[CredentialId, Cooling] = field(default_factory=dict)
    custom: dict[ModelRef, CustomModel] = field(default_factory=dict)
    disabled: dict[ModelRef, datetime] = field(default_factory=dict)
    caps: dict[CapId, Cap] = field(default_factory=dict)
    defaults: dict[ModelType, ModelRef] = field(default_factory=dict)
    preferred: dict[str, KeySource] = field(default_factory=dict)
    pots: dict[PotId, Pot] = field(default_factory=dict)
    grants: dict[GrantId, Grant] = field(default_factory=dict)
    holds: dict[CallId, tuple[Hold, HoldState]] = field(default_factory=dict)
    records: dict[CallId, CallRecord] = field(default_factory=dict)
    incidents: dict[CallId, str] = field(default_factory=dict)

    def copy(self) -> "TenantRows":
        return TenantRows(**{f.name: getattr(self, f.name).copy() for f in fields(self)})


class FakeStore:
    """All tenants' rows. One unit of work runs at a time, as on SQLite; `begun` counts them."""

    def __init__(self) -> None:
        self.begun = 0
        self.rows: defaultdict[TenantId, TenantRows] = defaultdict(TenantRows)
        self.turn = asyncio.Lock()

    def begin(self, tenant_id: TenantId) -> Work:
        return FakeWork(self, tenant_id)

    async def roll_call(self, *, first: int, after: TenantId | None = None) -> Sequence[TenantId]:
        there = sorted(tenant_id for tenant_id, rows in self.rows.items() if rows.tenants)
        return [tenant_id for tenant_id in there if after is None or tenant_id > after][:first]

    @property
    def ledger(self) -> Ledger:
        return FakeLedger(self)


class FakeWork:
    """The rows as they were come back when the body fails."""

    def __init__(self, store: FakeStore, tenant_id: TenantId) -> None:
        self._store, self._tenant_id = store, tenant_id

    async def __aenter__(self) -> Self:
        await self._store.turn.acquire()
        self._store.begun += 1
        rows = self._store.rows[self._tenant_id]
        self._before = rows.copy()
        self.tenants = FakeTenants(rows)
        self.keys = FakeTenantKeys(rows)
        self.clients = FakeClients(rows)
        self.tokens = FakeTokens(rows)
        self.envelopes = FakeEnvelopes(rows)
        self.credentials = FakeCredentials(rows)
        self.coolings = FakeCoolings(rows)
        self.models = FakeModels(rows)
        self.caps = FakeCaps(rows)
        self.choices = FakeChoices(rows)
        self.pots = FakePots(rows)
        self.grants = FakeGrants(rows)
        self.records = FakeRecords(rows.records)
        return self

    async def __aexit__(self, *failure: object) -> None:
        if failure[0] is not None:
            self._store.rows[self._tenant_id] = self._before
        self._store.turn.release()


@dataclass(frozen=True, slots=True)
class FakeTenants:
    rows: TenantRows

    async def add(self, tenant: Tenant) -> None:
        self.rows.tenants.append(tenant)

    async def one(self) -> Tenant:
        if not self.rows.tenants:
            raise NotFound("tenant")
        return self.rows.tenants[0]

    async def close(self) -> None:
        await self.one()
        for kind in fields(self.rows):
            getattr(self.rows, kind.name).clear()


@dataclass(frozen=True, slots=True)
class FakeTenantKeys:
    rows: TenantRows

    async def add(self, key: TenantKey) -> None:
        self.rows.keys[key.id] = key

    async def newest(self) -> TenantKey:
        return _found(self.rows.keys, max(self.rows.keys, default=None), "tenant key")

    async def one(self, key_id: KeyId) -> TenantKey:
        return _found(self.rows.keys, key_id, "tenant key")

    async def all(self) -> Sequence[TenantKey]:
        return sorted(self.rows.keys.values(), key=lambda key: key.id)

    async def pin(self, key_id: KeyId) -> bool:
        return key_id in self.rows.keys

    async def succeed(self, newest: KeyId, key: TenantKey) -> bool:
        if max(self.rows.keys, default=None) != newest:
            return False
        await self.add(key)
        return True

    async def rewrap(self, before: TenantKey, after: TenantKey) -> bool:
        unchanged = self.rows.keys.get(before.id) == before
        if unchanged:
            self.rows.keys[after.id] = after
        return unchanged

    async def shred(self, key_id: KeyId) -> bool:
        if any(sealed.key_id == key_id for _, sealed in self.rows.credentials.values()):
            return False
        self.rows.keys.pop(key_id, None)
        return True


@dataclass(frozen=True, slots=True)
class FakeEnvelopes:
    rows: TenantRows

    async def one(self, credential_id: CredentialId) -> Opening:
        credential, sealed = _found(self.rows.credentials, credential_id, "credential")
        return Opening(SealContext.of(credential), sealed, self.rows.keys[sealed.key_id])

    async def under(self, key_id: KeyId, *, first: int) -> Sequence[Opening]:
        found = sorted(id_ for id_, (_, sealed) in self.rows.credentials.items() if sealed.key_id == key_id)
        return [await self.one(credential_id) for credential_id in found[:first]]

    async def counts(self) -> Mapping[KeyId, int]:
        return Counter(sealed.key_id for _, sealed in self.rows.credentials.values())

    async def reseal(self, before: Opening, sealed: Sealed) -> bool:
        credential, now = self.rows.credentials.get(before.context.credential_id, (None, None))
        if credential is None or now is None:
            return False
        if (credential.version, now.key_id) != (before.context.version, before.sealed.key_id):
            return False
        self.rows.credentials[credential.id] = credential, sealed
        return True


@dataclass(frozen=True, slots=True)
class FakeClients:
    rows: TenantRows

    async def add(self, client: Client) -> None:
        self.rows.clients[client.id] = client

    async def one(self, client_id: ClientId) -> Client:
        return _found(self.rows.clients, client_id, "client")

    async def names(self, client_ids: Collection[ClientId]) -> Mapping[ClientId, str]:
        return {each.id: each.name for each in self.rows.clients.values() if each.id in client_ids}


@dataclass(frozen=True, slots=True)
class FakeTokens:
    rows: TenantRows

    async def add(self, token: AccessToken) -> None:
        self.rows.tokens[token.digest] = token

    async def one(self, digest: bytes) -> AccessToken:
        return _found(self.rows.tokens, digest, "token")


@dataclass(frozen=True, slots=True)
class FakeCredentials:
    rows: TenantRows

    async def add(self, credential: Credential, sealed: Sealed) -> None:
        taken = {(c.provider, c.scope, c.name) for c, _ in self._all()}
        if (credential.provider, credential.scope, credential.name) in taken:
            raise DuplicateName(credential.name)
        self.rows.credentials[credential.id] = credential, sealed

    async def one(self, credential_id: CredentialId) -> Credential:
        return _found(self.rows.credentials, credential_id, "credential")[0]

    async def sealed(self, credential_id: CredentialId) -> Sealed:
        return _found(self.rows.credentials, credential_id, "credential")[1]

    async def alike(self, provider: str, scope: str) -> Sequence[Credential]:
        return sorted((c for c, _ in self._all() if (c.provider, c.scope) == (provider, scope)), key=lambda c: c.id)

    async def page(
        self,
        *,
        first: int,
        after: CredentialId | None = None,
        provider: str | None = None,
        model: ModelRef | None = None,
        active: bool | None = None,
    ) -> Sequence[Credential]:
        behind = [c for c, _ in self._all() if after is None or c.id > after]
        fitting = (c for c in behind if provider in (None, c.provider) and active in (None, c.active))
        return sorted((c for c in fitting if model is None or c.reaches(model)), key=lambda c: c.id)[:first]

    async def put(self, credential: Credential, sealed: Sealed | None = None, *, version: int) -> None:
        before, kept = _found(self.rows.credentials, credential.id, "credential")
        if before.version != version:
            raise ChangedMeanwhile("credential")
        if any(c.name == credential.name for c in await self.alike(before.provider, before.scope) if c.id != before.id):
            raise DuplicateName(credential.name)
        self.rows.credentials[credential.id] = credential, sealed or kept

    async def remove(self, credential_id: CredentialId) -> None:
        await self.one(credential_id)
        del self.rows.credentials[credential_id]
        self.rows.coolings.pop(credential_id, None)

    def _all(self) -> Iterable[tuple[Credential, Sealed]]:
        return self.rows.credentials.values()


@dataclass(frozen=True, slots=True)
class FakeCoolings:
    rows: TenantRows

    async def put(self, cooling: Cooling) -> None:
        if cooling.credential_id in self.rows.credentials:
            self.rows.coolings[cooling.credential_id] = cooling

    async def clear(self, credential_id: CredentialId) -> None:
        self.rows.coolings.pop(credential_id, None)

    async def all(self) -> Sequence[Cooling]:
        return list(self.rows.coolings.values())


@dataclass(frozen=True, slots=True)
class FakeModels:
    rows: TenantRows

    async def add(self, model: CustomModel) -> bool:
        return self.rows.custom.setdefault(model.ref, model) is model

    async def remove(self, ref: ModelRef) -> None:
        _found(self.rows.custom, ref, "model")
        del self.rows.custom[ref]

    async def custom(self) -> Sequence[CustomModel]:
        return sorted(self.rows.custom.values(), key=lambda m: (m.ref.provider, m.ref.type, m.ref.name))

    async def disable(self, ref: ModelRef, at: datetime) -> None:
        self.rows.disabled[ref] = at

    async def enable(self, ref: ModelRef) -> None:
        self.rows.disabled.pop(ref, None)

    async def disabled(self) -> frozenset[ModelRef]:
        return frozenset(self.rows.disabled)


@dataclass(frozen=True, slots=True)
class FakeCaps:
    rows: TenantRows

    async def put(self, cap: Cap) -> None:
        known = self.rows.caps.get(cap.id)
        if known is not None:
            self.rows.caps[cap.id] = replace(known, amount=cap.amount)
            return
        kind = (cap.subject, cap.subject_id, cap.unit, cap.period)
        if any((c.subject, c.subject_id, c.unit, c.period) == kind for c in self.rows.caps.values()):
            raise DuplicateName(f"{cap.unit} per {cap.period}")
        self.rows.caps[cap.id] = cap

    async def one(self, cap_id: CapId) -> Cap:
        return _found(self.rows.caps, cap_id, "cap")

    async def all(self) -> Sequence[Cap]:
        return sorted(self.rows.caps.values(), key=lambda cap: cap.id)

    async def remove(self, cap_id: CapId) -> None:
        await self.one(cap_id)
        del self.rows.caps[cap_id]
        for pot in [p for p in self.rows.pots.values() if p.cap_id == cap_id]:
            del self.rows.pots[pot.id]


@dataclass(frozen=True, slots=True)
class FakeChoices:
    rows: TenantRows

    async def put_default(self, model: ModelRef) -> None:
        self.rows.defaults[model.type] = model

    async def clear_default(self, model_type: ModelType) -> None:
        self.rows.defaults.pop(model_type, None)

    async def defaults(self) -> Mapping[ModelType, ModelRef]:
        return dict(self.rows.defaults)

    async def put_preferred(self, provider: str, source: KeySource) -> None:
        self.rows.preferred[provider] = source

    async def preferred(self) -> Mapping[str, KeySource]:
        return dict(self.rows.preferred)


@dataclass(frozen=True, slots=True)
class FakePots:
    rows: TenantRows

    async def add(self, pot: Pot) -> None:
        self.rows.pots[pot.id] = pot

    async def all(self, at: datetime | None = None) -> Sequence[Pot]:
        order = list(PotKind)
        open_ones = (p for p in self.rows.pots.values() if at is None or p.closes_at is None or p.closes_at > at)
        return sorted(open_ones, key=lambda pot: (order.index(pot.kind), pot.id))


@dataclass(frozen=True, slots=True)
class FakeGrants:
    rows: TenantRows

    async def page(self, *, first: int, after: GrantId | None = None) -> Sequence[Grant]:
        behind = (grant for grant in self.rows.grants.values() if after is None or grant.id < after)
        return sorted(behind, key=lambda grant: grant.id, reverse=True)[:first]


@dataclass(frozen=True, slots=True)
class FakeLedger:
    """Balances over the rows of a FakeStore."""

    store: FakeStore

    async def hold(self, hold: Hold) -> None:
        async with self.store.turn:
            rows = self.store.rows[hold.tenant_id]
            if hold.id in rows.holds:
                return
            opened = {window.id: _opened(rows, window) for window in hold.opens}
            lines = sorted(hold.lines, key=lambda line: line.pot_id)
            for line in lines:
                _check(rows.pots.get(line.pot_id) or opened.get(line.pot_id), line.amount)
            for line in lines:
                rows.pots.setdefault(line.pot_id, opened.get(line.pot_id) or rows.pots[line.pot_id])
                _move(rows, line.pot_id, held=line.amount)
            rows.holds[hold.id] = hold, HoldState.HELD

    async def settle(
        self, record: CallRecord, charges: Mapping[PotId, int] = MappingProxyType({}), incident: str | None = None
    ) -> None:
        async with self.store.turn:
            rows = self.store.rows[record.tenant_id]
            if not rows.tenants:
                return
            rows.records.setdefault(record.id, record)
            state = HoldState.RELEASED if record.outcome is Outcome.UNSENT else HoldState.SETTLED
            _close(rows, record.id, state, charges)
            if incident is not None:
                rows.incidents.setdefault(record.id, incident[:300])

    async def release(self, tenant_id: TenantId, call_id: CallId) -> None:
        async with self.store.turn:
            _close(self.store.rows[tenant_id], call_id, HoldState.RELEASED)

    async def sweep(self, now: datetime) -> int:
        async with self.store.turn:
            return sum(_expire(rows, now) for rows in self.store.rows.values())

    async def grant(self, grant: Grant, pot: Pot) -> Pot:
        async with self.store.turn:
            rows = self.store.rows[grant.tenant_id]
            now = rows.pots.get(pot.id, pot)
            if grant.id not in rows.grants:
                now = replace(now, granted=_granted(now, grant.amount))
                rows.grants[grant.id] = grant
            rows.pots[pot.id] = now
            return now

    async def resize(self, pot: Pot) -> None:
        async with self.store.turn:
            rows = self.store.rows[pot.tenant_id]
            now = rows.pots.get(pot.id, pot)
            granted = None if pot.granted is None else max(pot.granted, now.used + now.held)
            rows.pots[pot.id] = replace(now, granted=granted)


def _opened(rows: TenantRows, window: Pot) -> Pot | None:
    """A cap's window at what the cap allows now; None when there is no such cap."""
    cap = rows.caps.get(window.cap_id) if window.cap_id else None
    return replace(window, granted=cap.amount) if cap else None


def _check(pot: Pot | None, asked: int) -> None:
    if pot is None:
        raise NotFound("quota")
    if pot.free is not None and pot.free < asked:
        raise QuotaExhausted(pot.kind, pot.unit, pot.free, asked, pot.closes_at)


def _granted(pot: Pot, amount: int | None) -> int | None:
    if amount is None or pot.granted is None:
        if (amount or 0) < 0:
            raise InvalidRange("amount", "cannot be taken from an unlimited pot")
        return None
    if pot.granted + amount < pot.used + pot.held:
        raise InvalidRange("amount", f"takes more than is free, which is {pot.free}")
    if pot.granted + amount >= 2**63:
        raise InvalidRange("amount", f"must leave the pot at no more than {2**63 - 1}")
    return pot.granted + amount


def _expire(rows: TenantRows, now: datetime) -> int:
    held = (hold for hold, state in rows.holds.values() if state is HoldState.HELD)
    lost = [hold for hold in held if hold.expires_at < now]
    for hold in lost:
        _close(rows, hold.id, HoldState.EXPIRED)
        rows.incidents.setdefault(hold.id, "the worker was lost: charged in full")
    return len(lost)


def _close(
    rows: TenantRows, call_id: CallId, state: HoldState, charges: Mapping[PotId, int] = MappingProxyType({})
) -> None:
    hold, before = rows.holds.get(call_id, (None, None))
    if hold is None or before is not HoldState.HELD:
        return
    for line in (line for line in hold.lines if line.pot_id in rows.pots):  # a removed cap took its windows along
        charge = 0 if state is HoldState.RELEASED else charges.get(line.pot_id, line.amount)
        _move(rows, line.pot_id, held=-line.amount, used=max(0, min(line.amount, charge)))
    rows.holds[call_id] = hold, state


def _move(rows: TenantRows, pot_id: PotId, *, held: int, used: int = 0) -> None:
    pot = rows.pots[pot_id]
    rows.pots[pot_id] = replace(pot, held=pot.held + held, used=pot.used + used)


class FakeVault:
    """Seals by writing down: the form and what it is bound to, legible to whoever looks."""

    master_key_id = "fake"

    def forget(self, tenant_id: TenantId) -> None:
        """It remembers nothing."""

    async def keypair(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey:
        return TenantKey(tenant_id, key_id, b"public", b"wrapped", self.master_key_id)

    async def rewrapped(self, key: TenantKey) -> TenantKey:
        if key.wrapped_private == b"broken":
            raise CredentialUnreadable
        return replace(key, wrapped_private=key.wrapped_private + b"'", master_key_id=self.master_key_id)

    async def seal(self, key: TenantKey, context: SealContext, values: FormValues) -> Sealed:
        form = {n: [v.reveal(), True] if isinstance(v, Secret) else [v, False] for n, v in values.items()}
        return Sealed(key.id, json.dumps([str(key.id), repr(context), form]).encode())

    async def open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        key_id, bound_to, form = json.loads(sealed.envelope)
        if (key_id, bound_to) != (str(key.id), repr(context)):
            raise CredentialUnreadable
        return {name: Secret(value) if secret else value for name, (value, secret) in form.items()}


class FakeGateway:
    """Answers in the order of its script: a value or the events of a chat, or a failure to raise.

    An empty script answers a probe with yes, and is an error for anything else. `asked` keeps what was asked for.
    """

    def __init__(self, *script: Reply | DomainError) -> None:
        self.script = deque(script)
        self.asked: list[Asked | FormValues] = []
        self.targets: list[Target] = []

    def endpoint(self, provider: str, form: FormValues) -> str:
        """That of the first address in the form, else one of the provider's own."""
        addresses = (v for v in form.values() if isinstance(v, str) and v.startswith(("http://", "https://")))
        url = urlsplit(next(addresses, f"https://{provider}.example"))
        return f"{url.scheme}://{url.hostname}:{url.port or _PORTS[url.scheme]}"

    async def probe(self, provider: str, form: FormValues, model: ModelRef | None) -> None:
        self.asked.append(form)
        if self.script:
            self._next()

    async def chat(self, target: Target, call: ChatCall) -> ChatAnswer:
        answer = self._answer(target, call)
        if isinstance(answer, ChatAnswer):
            return answer
        assert isinstance(answer, Sequence)
        return fold([event async for event in _each(answer)])

    @asynccontextmanager
    async def chat_stream(self, target: Target, call: ChatCall) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        """A failure in the script's events is raised where it stands."""
        answer = self._answer(target, call)
        assert isinstance(answer, Sequence)
        yield _each(answer)

    async def embed(self, target: Target, call: EmbedCall) -> Embeddings:
        answer = self._answer(target, call)
        assert isinstance(answer, Embeddings)
        return answer

    async def rerank(self, target: Target, call: RerankCall) -> Reranking:
        answer = self._answer(target, call)
        assert isinstance(answer, Reranking)
        return answer

    async def transcribe(self, target: Target, call: TranscribeCall) -> Transcript:
        answer = self._answer(target, call)
        assert isinstance(answer, Transcript)
        return answer

    @asynccontextmanager
    async def speak(self, target: Target, call: SpeakCall) -> AsyncIterator[Speech]:
        answer = self._answer(target, call)
        assert isinstance(answer, FakeSpeech)
        yield Speech(answer.media_type, _spoken(answer.pieces))

    async def listed(self, provider: str, form: FormValues) -> Sequence[ListedModel]:
        self.asked.append(form)
        answer = self._next()
        assert isinstance(answer, FakeList)
        return answer.models

    def _answer(self, target: Target, call: Asked) -> Reply:
        self.targets.append(target)
        self.asked.append(call)
        return self._next()

    def _next(self) -> Reply:
        answer = self.script.popleft()
        if isinstance(answer, DomainError):
            raise answer
        return answer


async def _each(events: Sequence[ChatEvent | DomainError]) -> AsyncIterator[ChatEvent]:
    for event in events:
        await asyncio.sleep(0)
        if isinstance(event, DomainError):
            raise event
        yield event


async def _spoken(pieces: Sequence[bytes | DomainError]) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        if isinstance(piece, DomainError):
            raise piece
        yield piece


def _found(rows: Mapping[K, V], key: K | None, what: str) -> V:
    if key is None or key not in rows:
        raise NotFound(what)
    return rows[key]

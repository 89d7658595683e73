"""From a client to a token, and from a token to an actor: what is wrong with one reads like anything else wrong."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.errors import Unauthenticated
from domain.model.access import AccessToken, Client, ClientKind, Reach, Role, Scope
from domain.model.authorization import Consent
from domain.model.ids import ClientId, PersonId, TenantId
from domain.model.issuing import Facts, Grant, Lifetimes, Proof, Verdict
from domain.model.tokens import Kind, digest, mint
from domain.usecases.access import Access
from domain.usecases.granting import Asking, Granting
from domain.usecases.minting import Mint
from tests.fakes import FakeClock, FakeSigner, FakeStore

TENANT, OTHER = TenantId(UUID(int=1)), TenantId(UUID(int=2))
SCOPES = frozenset({Scope.MODELS_INVOKE, Scope.TENANT_READ})
HOUR = timedelta(hours=1)


@dataclass
class Gate:
    store: FakeStore = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.access = Access(self.store.begin, self.clock)
        minting = Mint("https://portunus.example", lambda size: bytes(range(size)), Lifetimes(HOUR))
        self.granting = Granting(self.store.begin, self.clock, minting, FakeSigner())
        self.client = Client(TENANT, ClientId(UUID(int=9)), "shop", b"", SCOPES, self.clock())
        self.store.rows[TENANT].clients[self.client.id] = self.client
        self.client_id = mint(Kind.CLIENT_ID, TENANT, self.client.id.bytes)

    async def token(self, *scopes: Scope, resource: str | None = None) -> str:
        asking = Asking(self.client_id, lambda client: Proof() if client else None, signature=True)
        grant = Grant(frozenset(scopes) or SCOPES, resource)
        _, issued = await self.granting.grant(asking, lambda _: Verdict(None, grant))
        assert issued is not None
        assert issued.access_token not in repr(issued)
        return issued.access_token


async def test_a_granted_token_is_its_clients() -> None:
    gate = Gate()
    actor = await gate.access.authenticate(await gate.token())
    assert (actor.tenant_id, actor.client_id, actor.scopes) == (TENANT, gate.client.id, SCOPES)
    assert actor.expires_at == gate.clock() + HOUR


async def test_only_the_digest_of_a_token_is_stored() -> None:
    gate = Gate()
    token = await gate.token()
    assert list(gate.store.rows[TENANT].tokens) == [digest(token)]
    assert token not in repr(gate.store.rows)


async def test_a_token_ends_with_its_lifetime() -> None:
    gate = Gate()
    token = await gate.token()
    gate.clock.advance(HOUR - timedelta(seconds=1))
    await gate.access.authenticate(token)
    gate.clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        await gate.access.authenticate(token)


@pytest.mark.parametrize(
    "other",
    [
        "",
        mint(Kind.ACCESS_TOKEN, TENANT, bytes(range(32)))[:-1],
        mint(Kind.ACCESS_TOKEN, TENANT, bytes(32)),
        mint(Kind.ACCESS_TOKEN, OTHER, bytes(range(32))),
        mint(Kind.CLIENT_SECRET, TENANT, bytes(range(32))),
    ],
    ids=["empty", "cut", "unknown", "another tenant's", "another kind"],
)
async def test_any_other_token_is_refused_in_the_same_words(other: str) -> None:
    gate = Gate()
    assert await gate.token() == mint(Kind.ACCESS_TOKEN, TENANT, bytes(range(32)))
    with pytest.raises(Unauthenticated) as refusal:
        await gate.access.authenticate(other)
    assert str(refusal.value) == str(Unauthenticated())


async def test_a_malformed_token_is_refused_before_anything_is_looked_up() -> None:
    gate = Gate()
    async with gate.store.begin(TENANT):  # which keeps every other unit of work waiting
        with pytest.raises(Unauthenticated):
            await gate.access.authenticate("ptn_at_nonsense")


async def test_a_token_never_carries_a_scope_that_its_client_lacks() -> None:
    gate = Gate()
    token = await gate.token(Scope.MODELS_INVOKE, Scope.TENANTS_OPEN)
    assert (await gate.access.authenticate(token)).scopes == {Scope.MODELS_INVOKE}


async def test_a_token_for_another_resource_opens_nothing_here() -> None:
    gate = Gate()
    elsewhere = await gate.token(resource="https://crm.example")
    row = gate.store.rows[TENANT].tokens[digest(elsewhere)]
    opaque = mint(Kind.ACCESS_TOKEN, TENANT, bytes(32))
    gate.store.rows[TENANT].tokens[digest(opaque)] = replace(row, digest=digest(opaque))
    for token in (elsewhere, opaque):
        with pytest.raises(Unauthenticated):
            await gate.access.authenticate(token)


@pytest.mark.parametrize(
    "client_id",
    ["", "shop", mint(Kind.CLIENT_ID, TENANT, bytes(16)), mint(Kind.CLIENT_ID, OTHER, UUID(int=9).bytes)],
    ids=["empty", "malformed", "unknown", "another tenant's"],
)
async def test_an_unknown_client_is_asked_for_its_proof_like_any_other(client_id: str) -> None:
    gate, asked = Gate(), list[Client | None]()

    def prove(client: Client | None) -> Proof:
        asked.append(client)
        return Proof()

    with pytest.raises(Unauthenticated):
        await gate.granting.grant(Asking(client_id, prove), lambda _: Verdict(None, Grant(SCOPES)))
    assert asked == [None]
    assert not any(rows.tokens for rows in gate.store.rows.values())


@pytest.mark.parametrize("state", ["suspended", "expired", "an API key"])
async def test_a_client_that_is_not_active_is_an_unknown_one(state: str) -> None:
    gate = Gate()
    gate.store.rows[TENANT].clients[gate.client.id] = {
        "suspended": replace(gate.client, suspended_at=gate.clock()),
        "expired": replace(gate.client, expires_at=gate.clock()),
        "an API key": replace(gate.client, kind=ClientKind.API_KEY),
    }[state]
    with pytest.raises(Unauthenticated):
        await gate.token()


async def test_a_signed_proof_is_good_once() -> None:
    gate = Gate()
    asking = Asking(gate.client_id, lambda _: Proof("jti", gate.clock() + HOUR))

    def judge(_: Facts) -> Verdict[str]:
        return Verdict("yes")

    assert await gate.granting.grant(asking, judge) == ("yes", None)
    with pytest.raises(Unauthenticated):
        await gate.granting.grant(asking, judge)


async def test_nothing_is_kept_of_a_refusal() -> None:
    gate = Gate()
    asking = Asking(gate.client_id, lambda _: Proof())
    assert await gate.granting.grant(asking, lambda _: Verdict("refused")) == ("refused", None)
    assert gate.store.rows[TENANT].tokens == {}


ANN = PersonId(UUID(int=90))


async def for_ann(gate: Gate, **changes: Any) -> str:
    """A token with which the client acts for Ann."""
    now, text = gate.clock(), mint(Kind.ACCESS_TOKEN, TENANT, bytes(32))
    rows = gate.store.rows[TENANT]
    rows.members[ANN] = Role.MEMBER, now
    rows.consents[gate.client.id, ANN] = Consent(TENANT, gate.client.id, ANN, SCOPES, now)
    token = AccessToken(TENANT, digest(text), gate.client.id, SCOPES, now, now + HOUR, ANN)
    rows.tokens[token.digest] = replace(token, **changes)
    return text


async def test_a_use_is_noted_once_a_minute() -> None:
    gate, seen = Gate(), list[datetime | None]()
    token = await gate.token()
    begun = gate.clock()
    for _ in range(5):
        await gate.access.authenticate(token)
        seen.append(gate.store.rows[TENANT].clients[gate.client.id].last_used_at)
        gate.clock.advance(timedelta(seconds=20))
    minute = timedelta(minutes=1)
    assert seen == [begun, begun, begun, begun + minute, begun + minute]


async def test_a_use_for_a_person_is_noted_on_the_consent_too() -> None:
    gate = Gate()
    token, begun = await for_ann(gate), gate.clock()
    for _ in range(2):
        await gate.access.authenticate(token)
        gate.clock.advance(timedelta(seconds=59))
    rows = gate.store.rows[TENANT]
    assert rows.consents[gate.client.id, ANN].last_used_at == begun
    assert rows.clients[gate.client.id].last_used_at == begun
    gate.clock.advance(timedelta(seconds=1))
    await gate.access.authenticate(token)
    assert rows.consents[gate.client.id, ANN].last_used_at == gate.clock()


async def test_a_refused_token_is_no_use() -> None:
    gate = Gate()
    token = await for_ann(gate, expires_at=gate.clock())
    with pytest.raises(Unauthenticated):
        await gate.access.authenticate(token)
    assert gate.store.rows[TENANT].clients[gate.client.id].last_used_at is None


async def test_a_token_for_another_resource_server_opens_nothing_here() -> None:
    gate = Gate()
    token = await for_ann(gate, resource="https://api.partner.example")
    with pytest.raises(Unauthenticated):
        await gate.access.authenticate(token)


async def test_a_token_for_a_person_carries_no_more_than_the_role_and_the_client_allow_now() -> None:
    gate = Gate()
    token = await for_ann(gate, scopes=SCOPES | {Scope.AUDIT_READ, Scope.USAGE_READ})
    assert (await gate.access.authenticate(token)).scopes == SCOPES
    reach = Reach(providers=frozenset({"acme"}))
    rows = gate.store.rows[TENANT]
    rows.clients[gate.client.id] = replace(gate.client, scopes=frozenset({Scope.MODELS_INVOKE}), reach=reach)
    narrowed = await gate.access.authenticate(token)
    assert (narrowed.scopes, narrowed.reach) == (frozenset({Scope.MODELS_INVOKE}), reach)
    rows.members[ANN] = Role.AUDITOR, gate.clock()
    assert (await gate.access.authenticate(token)).scopes == frozenset()

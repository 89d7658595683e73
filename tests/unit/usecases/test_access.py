"""From a token to an actor, and from a client to a token: what is wrong with one reads like anything else wrong."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.errors import Unauthenticated
from domain.model.access import TENANT_SCOPES, AccessToken, Client, Reach, Role, Scope
from domain.model.authorization import Consent
from domain.model.ids import ClientId, PersonId, TenantId
from domain.model.tokens import Kind, digest, mint
from domain.usecases.access import Access, Grant
from tests.fakes import FakeClock, FakeStore

TENANT, OTHER = TenantId(UUID(int=1)), TenantId(UUID(int=2))
SCOPES = frozenset({Scope.MODELS_INVOKE, Scope.TENANT_READ})
HOUR = timedelta(hours=1)


@dataclass
class Gate:
    store: FakeStore = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.access = Access(self.store.begin, self.clock, lambda size: bytes(range(size)), HOUR)
        self.client = Client(TENANT, ClientId(UUID(int=9)), "shop", b"", SCOPES, self.clock())
        self.store.rows[TENANT].clients[self.client.id] = self.client
        self.client_id = mint(Kind.CLIENT_ID, TENANT, self.client.id.bytes)

    async def token(self, *scopes: Scope) -> str:
        def judge(client: Client | None) -> tuple[str, Grant]:
            assert client is not None
            grant = Grant(self.access.minted(client), frozenset(scopes) or SCOPES)
            return grant.token, grant

        return await self.access.grant(self.client_id, judge)


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


@pytest.mark.parametrize(
    "client_id",
    ["", "shop", mint(Kind.CLIENT_ID, TENANT, bytes(16)), mint(Kind.CLIENT_ID, OTHER, UUID(int=9).bytes)],
    ids=["empty", "malformed", "unknown", "another tenant's"],
)
async def test_the_judge_is_told_when_there_is_no_such_client(client_id: str) -> None:
    gate, asked = Gate(), list[Client | None]()

    def judge(client: Client | None) -> tuple[str, Grant]:
        asked.append(client)
        return "no", Grant("ptn_at_x", TENANT_SCOPES)

    assert await gate.access.grant(client_id, judge) == "no"
    assert asked == [None]
    assert not any(rows.tokens for rows in gate.store.rows.values())


async def test_nothing_is_kept_of_a_refusal() -> None:
    gate = Gate()
    assert await gate.access.grant(gate.client_id, lambda _: ("wrong secret", None)) == "wrong secret"
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

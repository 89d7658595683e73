"""What a tenant can have, each made with only what a test names; ids are new, so tests share a database unseen."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from uuid_utils.compat import uuid7

from domain.model.access import TENANT_SCOPES, AccessToken, Client
from domain.model.audit import Deed
from domain.model.cap import Cap, CapSubject, Period
from domain.model.catalogue import ModelRef, ModelType
from domain.model.credential import Credential, Sealed
from domain.model.ids import CallId, CapId, ClientId, CredentialId, GrantId, KeyId, PotId, TenantId
from domain.model.quota import Grant, Hold, Line, Outcome, Pot, PotKind, Unit
from domain.model.tenant import Tenant, TenantKey
from domain.model.usage import CallRecord
from domain.ports import Begin
from infrastructure.crypto.master_keys import MasterKeys

NOW = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC)
MASTER_KEYS = MasterKeys.of(b"the master key of the tests\x00\x00\x00\x00\x00")
GRANTED = Deed("quota.granted", "the pot")
MODEL = ModelRef("acme", "best", ModelType.LLM)


def later(seconds: float = 300) -> datetime:
    """By the real clock, by which the database tells what has expired."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def a_tenant() -> Tenant:
    return Tenant(TenantId(uuid7()), "Ærø & søn", NOW)


def a_key(tenant_id: TenantId) -> TenantKey:
    return TenantKey(tenant_id, KeyId(uuid7()), b"\x00public", b"\xffwrapped", "master-1")


def a_client(tenant_id: TenantId) -> Client:
    return Client(tenant_id, ClientId(uuid7()), "shop", b"\x01" * 32, TENANT_SCOPES, NOW)


def a_token(client: Client) -> AccessToken:
    return AccessToken(client.tenant_id, uuid7().bytes * 2, client.id, client.scopes, NOW, NOW + timedelta(hours=1))


def a_credential(
    tenant_id: TenantId, name: str = "key", provider: str = "acme", model: ModelRef | None = None
) -> Credential:
    public, masked = {"base": "https://acme.example/é"}, {"key": "••••cdef"}
    endpoint = "https://acme.example:443"
    return Credential(tenant_id, CredentialId(uuid7()), provider, name, model, public, masked, endpoint, 1, NOW, NOW)


def sealed(key: TenantKey) -> Sealed:
    return Sealed(key.id, b"\x01envelope\x00")


def a_pot(
    tenant_id: TenantId, granted: int | None = 200, kind: PotKind = PotKind.TRIAL, unit: Unit = Unit.CALLS
) -> Pot:
    return Pot(tenant_id, PotId(uuid7()), kind, "acme", unit, granted, 0, 0, NOW)


def a_cap(
    tenant_id: TenantId, amount: int = 10, period: Period = Period.DAY, subject: CapSubject = CapSubject.APPLICATION
) -> Cap:
    return Cap(tenant_id, CapId(uuid7()), subject, uuid7(), Unit.CALLS, amount, period, NOW)


def a_grant(pot: Pot, amount: int | None, grant_id: GrantId | None = None) -> Grant:
    return Grant(pot.tenant_id, grant_id or GrantId(uuid7()), pot.id, amount, "as agreed", ClientId(uuid7()), NOW)


def a_hold(*lines: tuple[Pot, int], call_id: CallId | None = None, expires_at: datetime | None = None) -> Hold:
    """A hold that opens those of its pots that are windows of caps, as a call's does."""
    tenant_id = lines[0][0].tenant_id
    held = tuple(Line(pot.id, amount) for pot, amount in lines)
    opens = tuple(pot for pot, _ in lines if pot.cap_id)
    return Hold(tenant_id, call_id or CallId(uuid7()), held, expires_at or later(), opens)


def costs(hold: Hold, amount: int) -> Mapping[PotId, int]:
    """What settles every pot of `hold` at `amount`."""
    return {line.pot_id: amount for line in hold.lines}


def a_record(
    tenant_id: TenantId,
    call_id: CallId | None = None,
    outcome: Outcome = Outcome.SUCCEEDED,
    model: ModelRef = MODEL,
    at: datetime = NOW,
) -> CallRecord:
    return CallRecord(tenant_id, call_id or CallId(uuid7()), at, ClientId(uuid7()), None, model, outcome, 3, 5, 40)


async def settled_in(begin: Begin) -> Tenant:
    """A tenant that is stored."""
    tenant = a_tenant()
    async with begin(tenant.id) as work:
        await work.tenants.add(tenant)
    return tenant


async def given(begin: Begin, *pots: Pot) -> None:
    """Store these pots of one tenant, which is opened if need be."""
    tenant_id = pots[0].tenant_id
    async with begin(tenant_id) as work:
        await work.tenants.add(Tenant(tenant_id, "Acme", NOW))
        for pot in pots:
            await work.pots.add(pot)


async def balance(begin: Begin, pot: Pot) -> tuple[int, int]:
    """(used, held) of a pot now."""
    now = await as_stored(begin, pot)
    return now.used, now.held


async def as_stored(begin: Begin, pot: Pot) -> Pot:
    async with begin(pot.tenant_id) as work:
        (now,) = (p for p in await work.pots.all() if p.id == pot.id)
    return now

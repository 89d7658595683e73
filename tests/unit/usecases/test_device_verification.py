"""A person lets a device in by the code that it shows: whoever is no member of its tenant only ever guesses."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.model.access import Client, ClientKind, Role, Scope
from domain.model.authorization import Decision, Device
from domain.model.ids import PersonId, TenantId
from domain.model.tenant import Tenant
from domain.usecases.consenting import Question, Reply
from domain.usecases.device_verification import Decided, DeviceVerification, NoDevice, Wait, normal
from tests.fakes import FakeClock, FakeStore, TenantRows
from tests.partners import AT, settle, shop, signed_in, somebody

ACME, GLOBEX = Tenant(TenantId(UUID(int=1)), "Acme", AT), Tenant(TenantId(UUID(int=2)), "Globex", AT)
INVOKE, READ, WRITE = Scope.MODELS_INVOKE, Scope.TENANT_READ, Scope.MEMBERS_WRITE
ADA = somebody(UUID(int=7))


class Desk:
    """Acme with a partner's device that waits, and Ada, who has its code before her."""

    def __init__(self, client: Client | None = None) -> None:
        self.store, self.clock = FakeStore(), FakeClock(AT)
        for tenant in (ACME, GLOBEX):
            self.store.rows[tenant.id].tenants.append(tenant)
        self.client = client or shop(ACME.id, UUID(int=9), secret=None)
        self.rows.clients[self.client.id] = self.client
        asked = frozenset({INVOKE, WRITE})
        until = AT + timedelta(minutes=10)
        self.rows.devices[b"d"] = Device(ACME.id, b"d", "BCDFGHJK", self.client.id, asked, UUID(int=5), until)
        self.verification = DeviceVerification(self.store.begin, self.store.directory, self.clock)
        self.me = signed_in(ADA)

    @property
    def rows(self) -> TenantRows:
        return self.store.rows[ACME.id]

    @property
    def device(self) -> Device:
        return self.rows.devices[b"d"]

    async def settled(self, role: Role | None = Role.ADMIN) -> "Desk":
        await settle(self.store.begin, self.store.directory, ACME, ADA, role)
        return self

    async def find(self, code: str = "BCDF-GHJK") -> object:
        return await self.verification.find(self.me, code)

    async def reply(self, *scopes: Scope, who: PersonId = ADA.id, code: str = "BCDF-GHJK") -> object:
        return await self.verification.decide(self.me, code, Reply(who, frozenset(scopes)))


@pytest.mark.parametrize("typed", ["BCDFGHJK", "bcdf-ghjk", " Bcdf Ghjk ", "BCDF–GHJK", "b.c.d.f.g.h.j.k"])
async def test_a_code_may_be_typed_in_any_way(typed: str) -> None:
    asked = await (await Desk().settled()).find(typed)
    assert isinstance(asked, Question)
    assert (asked.tenant, asked.given, asked.withheld) == (ACME, frozenset({INVOKE, WRITE}), frozenset())
    assert asked.redirect_uri is None


async def test_a_yes_lets_the_device_in_as_the_person_and_is_kept_in_the_audit() -> None:
    desk = await Desk().settled()
    desk.clock.advance(timedelta(minutes=1))
    decided = await desk.reply(INVOKE, WRITE)
    assert isinstance(decided, Decided)
    assert decided.approved
    device = desk.device
    assert (device.decision, device.person_id, device.signed_in_at) == (Decision.APPROVED, ADA.id, AT)
    assert device.scopes == {INVOKE, WRITE}
    assert desk.rows.consents[desk.client.id, ADA.id].scopes == {INVOKE, WRITE}
    assert [entry.deed.action for entry in desk.rows.audit] == ["consent.given"]


async def test_a_no_is_told_to_the_device_and_leaves_no_consent() -> None:
    desk = await Desk().settled()
    decided = await desk.reply()
    assert isinstance(decided, Decided)
    assert not decided.approved
    assert (desk.device.decision, desk.device.person_id) == (Decision.DENIED, None)
    assert not desk.rows.consents
    assert not desk.rows.audit


async def test_a_device_gets_no_more_than_the_role_and_what_was_shown() -> None:
    desk = await Desk().settled(Role.MEMBER)
    asked = await desk.find()
    assert isinstance(asked, Question)
    assert (asked.given, asked.withheld) == (frozenset({INVOKE}), frozenset({WRITE}))
    await desk.reply(INVOKE, WRITE, READ)
    assert desk.device.scopes == {INVOKE}


async def test_where_the_role_leaves_nothing_a_yes_is_a_no() -> None:
    desk = await Desk().settled(Role.MEMBER)
    desk.rows.devices[b"d"] = replace(desk.device, scopes=frozenset({WRITE}))
    await desk.reply(WRITE)
    assert desk.device.decision is Decision.DENIED


async def test_a_reply_of_somebody_else_is_none() -> None:
    desk = await Desk().settled()
    assert isinstance(await desk.reply(INVOKE, who=PersonId(UUID(int=8))), Question)
    assert desk.device.decision is Decision.PENDING


async def test_a_code_works_once() -> None:
    desk = await Desk().settled()
    await desk.reply(INVOKE)
    assert await desk.find() == NoDevice()
    assert await desk.reply() == NoDevice()
    assert desk.device.decision is Decision.APPROVED


async def test_a_code_ends_with_its_time() -> None:
    desk = await Desk().settled()
    desk.clock.advance(timedelta(minutes=10))
    assert await desk.find() == NoDevice()
    assert await desk.reply(INVOKE) == NoDevice()


@pytest.mark.parametrize("code", ["", "BCDFGHJL", "BCDFGHJ", "BCDFGHJKK", "\x00", "é" * 500])
async def test_a_wrong_code_finds_nothing(code: str) -> None:
    assert await (await Desk().settled()).find(code) == NoDevice()


async def test_a_device_of_another_tenant_is_not_found() -> None:
    desk = await Desk().settled(None)
    async with desk.store.begin(GLOBEX.id) as work:
        await work.members.add(ADA.id, Role.OWNER, AT)
    assert await desk.find() == NoDevice()
    assert await desk.reply(INVOKE) == NoDevice()
    assert desk.device.decision is Decision.PENDING


@pytest.mark.parametrize(
    "client",
    [
        shop(ACME.id, UUID(int=9), kind=ClientKind.SERVICE),
        shop(ACME.id, UUID(int=9), suspended_at=AT),
    ],
    ids=["a service", "suspended"],
)
async def test_only_active_partners_are_let_in(client: Client) -> None:
    desk = await Desk(client).settled()
    assert await desk.find() == NoDevice()
    assert await desk.reply(INVOKE) == NoDevice()


async def test_who_guesses_waits_ever_longer_and_a_right_code_ends_that() -> None:
    desk = await Desk().settled()
    for _ in range(5):
        assert await desk.find("BBBBBBBB") == NoDevice()
    assert await desk.find() == Wait(timedelta(seconds=1))
    assert await desk.reply(INVOKE) == Wait(timedelta(seconds=1))
    desk.clock.advance(timedelta(seconds=1))
    assert await desk.find("BBBBBBBB") == NoDevice()
    assert await desk.find() == Wait(timedelta(seconds=2))
    desk.clock.advance(timedelta(seconds=2))
    assert isinstance(await desk.find(), Question)
    assert await desk.find("BBBBBBBB") == NoDevice()
    assert isinstance(await desk.find(), Question)


async def test_many_guesses_at_once_are_no_way_round_the_wait() -> None:
    desk = await Desk().settled()
    found = await asyncio.gather(*(desk.find("BBBBBBBB") for _ in range(20)))
    assert found.count(NoDevice()) == 5


async def test_one_persons_guesses_do_not_hold_up_another() -> None:
    desk = await Desk().settled()
    for _ in range(6):
        await desk.find("BBBBBBBB")
    grace = somebody(UUID(int=8), "grace@acme.example")
    await settle(desk.store.begin, desk.store.directory, ACME, grace, Role.MEMBER)
    desk.me = signed_in(grace)
    assert isinstance(await desk.find(), Question)


def test_a_code_is_kept_in_capitals_without_dashes() -> None:
    assert normal("bcdf-ghjk") == "BCDFGHJK"

"""A person lets a device in by the code that it shows (RFC 8628, section 3.3)."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.model.access import Scope
from domain.model.authorization import Decision, Device
from domain.model.backoff import ACCOUNT, MEMORY, wait
from domain.model.ids import TenantId
from domain.ports import Begin, BeginDirectory, Clock, Work
from domain.usecases.accounts import SignedIn
from domain.usecases.consenting import Question, Reply, givable, give, member, partner, question

_ELSE = re.compile(r"[^A-Z0-9]+")


@dataclass(frozen=True, slots=True)
class NoDevice:
    """Nothing waits with that code in any tenant of this person."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many wrong codes in a row: none is looked at before so long."""

    left: timedelta


@dataclass(frozen=True, slots=True)
class Decided:
    """What the device will be told."""

    question: Question
    approved: bool


Found = Question | NoDevice | Wait


def normal(user_code: str) -> str:
    """As it is kept: however it was typed, without what is only there to read it."""
    return _ELSE.sub("", user_code.upper())


@dataclass(frozen=True, slots=True)
class DeviceVerification:
    begin: Begin
    directory: BeginDirectory
    clock: Clock

    async def find(self, me: SignedIn, user_code: str) -> Found:
        """The question that the device of this code asks; a wrong code makes the next one wait."""
        found = await self._look(me, user_code, None)
        return found.question if isinstance(found, Decided) else found

    async def decide(self, me: SignedIn, user_code: str, reply: Reply) -> Found | Decided:
        """Tell the device what the person replied; another person's reply is no reply, so the question comes again.

        The decision, the consent and the audit's entry are one unit of work.
        """
        return await self._look(me, user_code, reply if reply.person_id == me.person.id else None)

    async def _look(self, me: SignedIn, user_code: str, reply: Reply | None) -> Found | Decided:
        key = f"device {me.person.id}"
        left = await self._counted(key)
        if left:
            return Wait(left)
        async with self.directory() as book:
            memberships = await book.people.memberships(me.person.id)
        for membership in memberships:
            found = await self._in_tenant(membership.tenant_id, me, normal(user_code), reply)
            if found is not None:
                async with self.directory() as book:
                    await book.failures.clear(key)
                return found
        return NoDevice()

    async def _counted(self, key: str) -> timedelta:
        """How long to wait; else it counts as a failure until a device is found: many at once are no way round."""
        now = self.clock()
        async with self.directory() as book:
            before = (await book.failures.lock([key])).get(key)
            left = wait(before, ACCOUNT, now)
            if before is not None and now - before.at >= MEMORY:
                await book.failures.clear(key)
            if not left:
                await book.failures.count([key], now)
        return left

    async def _in_tenant(
        self, tenant_id: TenantId, me: SignedIn, user_code: str, reply: Reply | None
    ) -> Question | Decided | None:
        async with self.begin(tenant_id) as work:
            device = await work.devices.by_user_code(user_code)
            if device is None or device.decision is not Decision.PENDING or device.expires_at <= self.clock():
                return None
            client, who = await partner(work, device.client_id), await member(work, me.person.id)
            if client is None or who is None or not client.active(self.clock()):
                return None
            asked = await question(work, client, who, device.scopes)
            if reply is None:
                return asked
            return Decided(asked, await self._told(work, device, asked, me, reply.scopes))

    async def _told(self, work: Work, device: Device, asked: Question, me: SignedIn, allowed: frozenset[Scope]) -> bool:
        """Whether the device is let in. One that is not is told no more than that, so not by whom."""
        agreed = givable(asked.member, asked.client, device.scopes & allowed)
        if not agreed:
            await work.devices.put(replace(device, decision=Decision.DENIED))
            return False
        await give(work, asked.client, asked.member, agreed, self.clock())
        person_id, signed_in_at = me.person.id, me.session.signed_in_at
        approved = replace(device, decision=Decision.APPROVED, person_id=person_id, signed_in_at=signed_in_at)
        await work.devices.put(replace(approved, scopes=agreed))
        return True

"""A person lets a device in by the code that it shows (RFC 8628, section 3.3)."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.model.access import Scope
from domain.model.authorization import Decision, Device
from domain.model.ids import TenantId
from domain.model.people import Failures
from domain.ports import Begin, BeginDirectory, Clock, Work
from domain.usecases.consenting import Question, Reply, Visitor, givable, give, member, partner, question

FREE_FAILURES = 5
"""Wrong codes in a row that anybody may type; each further one doubles the wait, from 2 seconds on."""
LONGEST_WAIT = timedelta(minutes=15)
_ELSE = re.compile(r"[^A-Z0-9]+")


@dataclass(frozen=True, slots=True)
class NoDevice:
    """Nothing waits with that code in any tenant of this person."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many wrong codes: none is looked at before then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """What the device will be told."""

    question: Question
    approved: bool


Found = Question | NoDevice | Wait


def normal(user_code: str) -> str:
    """As it is kept: however it was typed, without what is only there to read it."""
    return _ELSE.sub("", user_code.upper())


def wait_until(failures: Failures | None) -> datetime | None:
    """When the next code may be tried; None: now."""
    if failures is None or failures.count <= FREE_FAILURES:
        return None
    return failures.at + min(timedelta(seconds=2 ** min(failures.count - FREE_FAILURES, 20)), LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class DeviceVerification:
    begin: Begin
    directory: BeginDirectory
    clock: Clock

    async def find(self, visitor: Visitor, user_code: str) -> Found:
        """The question that the device of this code asks; a wrong code makes the next one wait."""
        found = await self._look(visitor, user_code, None)
        return found.question if isinstance(found, Decided) else found

    async def decide(self, visitor: Visitor, user_code: str, reply: Reply) -> Found | Decided:
        """Tell the device what the person replied; another person's reply is no reply, so the question comes again.

        The decision, the consent and the audit's entry are one unit of work.
        """
        return await self._look(visitor, user_code, reply if reply.person_id == visitor.person.id else None)

    async def _look(self, visitor: Visitor, user_code: str, reply: Reply | None) -> Found | Decided:
        key = f"device {visitor.person.id}"
        async with self.directory() as directory:
            wait = wait_until((await directory.failures.of([key])).get(key))
            memberships = await directory.people.memberships(visitor.person.id)
        if wait is not None and self.clock() < wait:
            return Wait(wait)
        for membership in memberships:
            found = await self._in_tenant(membership.tenant_id, visitor, normal(user_code), reply)
            if found is not None:
                async with self.directory() as directory:
                    await directory.failures.clear(key)
                return found
        async with self.directory() as directory:
            await directory.failures.count([key], self.clock())
        return NoDevice()

    async def _in_tenant(
        self, tenant_id: TenantId, visitor: Visitor, user_code: str, reply: Reply | None
    ) -> Question | Decided | None:
        async with self.begin(tenant_id) as work:
            device = await work.devices.by_user_code(user_code)
            if device is None or device.decision is not Decision.PENDING or device.expires_at <= self.clock():
                return None
            client, who = await partner(work, device.client_id), await member(work, visitor.person.id)
            if client is None or who is None or not client.active(self.clock()):
                return None
            asked = await question(work, client, who, device.scopes)
            if reply is None:
                return asked
            return Decided(asked, await self._told(work, device, asked, visitor, reply.scopes))

    async def _told(
        self, work: Work, device: Device, asked: Question, visitor: Visitor, allowed: frozenset[Scope]
    ) -> bool:
        """Whether the device is let in. One that is not is told no more than that, so not by whom."""
        agreed = givable(asked.member, asked.client, device.scopes & allowed)
        if not agreed:
            await work.devices.put(replace(device, decision=Decision.DENIED))
            return False
        await give(work, asked.client, asked.member, agreed, self.clock())
        person_id, signed_in_at = visitor.person.id, visitor.signed_in_at
        approved = replace(device, decision=Decision.APPROVED, person_id=person_id, signed_in_at=signed_in_at)
        await work.devices.put(replace(approved, scopes=agreed))
        return True

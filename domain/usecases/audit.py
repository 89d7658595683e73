"""Reading what was done in a tenant, and checking that nobody changed what the records say."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.model.access import Actor, Scope
from domain.model.audit import Entry, Head
from domain.model.audit_check import Anchors, Verdict
from domain.model.ids import ClientId, PersonId, TenantId
from domain.model.people import Person
from domain.ports import Begin, RollCall

PAGE = 100

AnchorsByTenant = Mapping[TenantId, Anchors]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to show: those that meet all that is said. `until` itself is not included."""

    actions: frozenset[str] | None = None
    person_id: PersonId | None = None
    client_id: ClientId | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """Entries, newest first, with the people and applications in them as far as they are still here."""

    entries: Sequence[Entry]
    people: Mapping[PersonId, Person]
    applications: Mapping[ClientId, str]


@dataclass(frozen=True, slots=True)
class Audit:
    begin: Begin
    roll_call: RollCall

    async def page(self, actor: Actor, which: AuditFilter, *, first: int, before: int | None = None) -> Shown:
        """Up to `first` entries with a smaller `seq` than `before`."""
        actor.require(Scope.AUDIT_READ)
        async with self.begin(actor.tenant_id) as work:
            entries = await work.audit.page(
                first=first,
                before=before,
                actions=which.actions,
                person_id=which.person_id,
                client_id=which.client_id,
                since=which.since,
                until=which.until,
            )
            members = await work.members.some({e.deed.person_id for e in entries if e.deed.person_id})
            clients = await work.clients.names({e.deed.client_id for e in entries if e.deed.client_id})
        return Shown(entries, {member.person.id: member.person for member in members}, clients)

    async def verify(self, tenant_id: TenantId | None, anchors: AnchorsByTenant) -> AsyncIterator[Verdict]:
        """On one tenant's chain, or every one's. From the operator's own shell, where there is no actor to ask.

        NotFound("tenant") for one that is not open.
        """
        async for each in self._tenants(tenant_id):
            async with self.begin(each) as work:
                verdict = await work.audit.check(anchors.get(each, {}))
            yield verdict

    async def heads(self) -> AsyncIterator[Head]:
        """What is to be kept elsewhere as anchors, of every chain that was begun. From the operator's own shell."""
        async for each in self._tenants(None):
            async with self.begin(each) as work:
                head = await work.audit.head()
            if head is not None:
                yield head

    async def _tenants(self, only: TenantId | None) -> AsyncIterator[TenantId]:
        if only is not None:
            async with self.begin(only) as work:
                await work.tenants.one()
            yield only
            return
        after = None
        while page := await self.roll_call(first=PAGE, after=after):
            for tenant_id in page:
                yield tenant_id
            after = page[-1]

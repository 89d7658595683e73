"""What was done in the tenant, and by whom."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from api.graphql.applications import Application, ApplicationShelf
from api.graphql.connections import LARGEST, After, Connection, Cut, First
from api.graphql.context import Info
from api.graphql.fields import field
from api.graphql.ids import known_client, known_uuid, node_id
from api.graphql.scalars import BigInt
from domain.errors import InvalidRange
from domain.model.access import Scope
from domain.model.audit import Entry
from domain.model.ids import PersonId
from domain.usecases.audit import AuditFilter, Shown


@strawberry.type(description="A person who did something in the tenant.")
class AuditPerson:
    id: strawberry.ID = strawberry.field(description="The global id of the member, also of one who has left.")
    name: str | None = strawberry.field(description="What the person is called; null for who is no member any more.")
    email: str | None = strawberry.field(description="The e-mail address; null for who is no member any more.")

    @classmethod
    def of(cls, person_id: PersonId, shown: Shown) -> Self:
        person = shown.people.get(person_id)
        return cls(
            id=node_id("Member", person_id),
            name=person.name if person else None,
            email=person.email if person else None,
        )


@strawberry.type(description="One change, or one use of a secret, in the tenant's chain; never a value or a secret.")
class AuditEntry:
    seq: BigInt = strawberry.field(description="Its place in the chain, from 1 without gap.")
    at: datetime = strawberry.field(description="When it was written.")
    action: str = strawberry.field(description="What was done, such as `credential.added`.")
    target: str = strawberry.field(description="What it was done to, by id or name.")
    outcome: str = strawberry.field(
        description="`DONE`, the code of the refusal that it ended in, or `INTERRUPTED` when its caller left."
    )
    request_id: str | None = strawberry.field(description="The request that it came with, as X-Request-Id named it.")
    person: AuditPerson | None = strawberry.field(description="Who did it; null for an application of its own.")
    application: Application | None = strawberry.field(
        description="What it was done with; null for the operator's own shell. One that is gone, or the operator's, "
        "has no name."
    )

    @classmethod
    def of(cls, entry: Entry, shown: Shown, shelf: ApplicationShelf) -> Self:
        done = entry.deed
        name = shown.applications.get(done.client_id) if done.client_id else None
        application = Application.named(done.client_id, name, shelf) if done.client_id else None
        return cls(
            seq=BigInt(entry.seq),
            at=entry.at,
            action=done.action,
            target=done.target,
            outcome=done.outcome,
            request_id=entry.request_id,
            person=AuditPerson.of(done.person_id, shown) if done.person_id else None,
            application=application,
        )


@strawberry.input(description="Which entries to show: those that fit everything given.")
class AuditFilterInput:
    actions: list[str] | None = strawberry.field(default=None, description="Any of these actions, at most 100.")
    person_id: strawberry.ID | None = strawberry.field(
        default=None, description="Done by this member, by its global id."
    )
    application_id: str | None = strawberry.field(
        default=None, description="Done with the application of this client id."
    )
    since: datetime | None = strawberry.field(name="from", default=None, description="Not before this moment.")
    to: datetime | None = strawberry.field(default=None, description="Before this moment.")

    def filter(self) -> AuditFilter:
        """InvalidRange for too many actions or what can be no client id, NotFound for what can be no person."""
        if self.actions is not None and len(self.actions) > LARGEST:
            raise InvalidRange("filter.actions", f"must have at most {LARGEST} entries")
        return AuditFilter(
            actions=None if self.actions is None else frozenset(self.actions),
            person_id=PersonId(known_uuid(self.person_id, "Member")) if self.person_id else None,
            client_id=known_client(self.application_id, "filter.applicationId") if self.application_id else None,
            since=self.since,
            until=self.to,
        )


OfAudit = Annotated[
    AuditFilterInput | None, strawberry.argument(name="filter", description="Which entries; all of them without it.")
]


@strawberry.type
class AuditQueries:
    @field("What was changed, and every use of a secret by who administers, newest first.", needs=Scope.AUDIT_READ)
    async def audit_log(
        self, info: Info, which: OfAudit = None, first: First = 50, after: After = None
    ) -> Connection[AuditEntry]:
        context = info.context
        cut = Cut(context, f"auditLog {which}", first, after)
        wanted = (which or AuditFilterInput()).filter()
        before = int(cut.position) if cut.position else None
        shown = await context.usecases.audit.page(context.actor, wanted, first=first + 1, before=before)
        shelf = ApplicationShelf(context, {e.deed.client_id for e in shown.entries if e.deed.client_id})
        entries = cut.of_rows(shown.entries, lambda e: str(e.seq), lambda e: AuditEntry.of(e, shown, shelf))
        return Connection(page=entries)

"""Applications as they are shown: what they may do, who let them in, and when they were last used."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry

from api.graphql.caps import Cap
from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Context, Info
from api.graphql.fields import field
from api.graphql.ids import known_uuid, node_id
from api.graphql.members import Member
from api.graphql.nodes import Node, or_none
from api.graphql.once import Once
from api.graphql.reach import Reach
from api.graphql.scalars import JSON
from domain.errors import NotFound
from domain.model import people
from domain.model.access import Client, ClientKind, Scope
from domain.model.authorization import Consent
from domain.model.cap import CapSubject
from domain.model.ids import ClientId, PersonId
from domain.model.registration import APPLICATIONS, ProvenBy
from domain.model.tokens import Kind, mint
from domain.usecases.caps import Capped

OfKind = Annotated[
    ClientKind | None,
    strawberry.argument(description="Only those of this kind; left out, services and partners."),
]
OneId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Its global id.")]


Given = Mapping[ClientId, Sequence[tuple[Consent, people.Member]]]


class ApplicationShelf:
    """What is known of the applications of one page: each kind of it is read at most once, and only if asked for."""

    def __init__(
        self, context: Context, ids: Collection[ClientId], rows: Mapping[ClientId, Client] | None = None
    ) -> None:
        """`rows` are the applications themselves where they were read already."""
        usecases, actor = context.usecases, context.actor
        self.context = context
        self.rows: Once[Mapping[ClientId, Client]] = Once(
            (lambda: usecases.applications.some(actor, ids)) if rows is None else lambda: _known(rows)
        )
        self.caps: Once[list[Capped]] = Once(self._caps)
        self.consents: Once[Given] = Once(lambda: usecases.applications.consents(actor, ids or rows or ()))
        self.creators: Once[Mapping[PersonId, people.Member]] = Once(self._creators)

    @classmethod
    def of(cls, context: Context, rows: Collection[Client]) -> Self:
        return cls(context, (), {row.id: row for row in rows})

    async def caps_of(self, client_id: ClientId) -> list[Cap]:
        return [Cap.of(each) for each in await self.caps.value() if each.cap.subject_id == client_id]

    async def creator_of(self, row: Client) -> Member | None:
        member = (await self.creators.value()).get(row.created_by) if row.created_by else None
        return Member.of(member) if member else None

    async def _caps(self) -> list[Capped]:
        every = await self.context.usecases.caps.all(self.context.actor)
        return [each for each in every if each.cap.subject is CapSubject.APPLICATION]

    async def _creators(self) -> Mapping[PersonId, people.Member]:
        ids = {row.created_by for row in (await self.rows.value()).values() if row.created_by}
        return await self.context.usecases.applications.creators(self.context.actor, ids)


@strawberry.type(description="What a person let an application do.")
class ApplicationConsent:
    member: Member = strawberry.field(description="The person; the role as it is now bounds what is allowed.")
    scopes: list[str] = strawberry.field(description="What the person said yes to.")
    given_at: datetime = strawberry.field(description="When the person last said yes.")
    last_used_at: datetime | None = strawberry.field(
        description="When the application last acted for the person, to the minute; null when it never did."
    )

    @classmethod
    def of(cls, given: tuple[Consent, people.Member]) -> Self:
        consent, member = given
        return cls(
            member=Member.of(member),
            scopes=sorted(consent.scopes),
            given_at=consent.given_at,
            last_used_at=consent.last_used_at,
        )


@strawberry.type(description="What an application is registered as.")
class ApplicationRegistration:
    kind: ClientKind = strawberry.field(description="What it is.")
    scopes: list[str] = strawberry.field(description="The most that its tokens can allow.")
    reach: Reach = strawberry.field(description="Which models it may use.")
    redirect_uris: list[str] = strawberry.field(description="Where people may be sent back to, letter by letter.")
    proven_by: ProvenBy = strawberry.field(description="By what it proves that it is itself.")
    jwks: JSON | None = strawberry.field(description="The public keys by which it does, as a key set (RFC 7517).")
    secret_hint: str | None = strawberry.field(
        description="How its secret ends, to be told from others: its last four characters."
    )
    old_secret_until: datetime | None = strawberry.field(
        description="Until when the secret before the present one is good as well; null where there is none."
    )
    resource: str | None = strawberry.field(
        description="Its own resource server, for which its access tokens are JWTs (RFC 9068)."
    )
    suspended_at: datetime | None = strawberry.field(
        description="Since when nothing that it holds is good; null where it is not suspended."
    )
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to the minute; null when it never was."
    )
    created_at: datetime = strawberry.field(description="Since when.")

    @classmethod
    def of(cls, row: Client) -> Self:
        return cls(
            kind=row.kind,
            scopes=sorted(row.scopes),
            reach=Reach.of(row.reach),
            redirect_uris=list(row.redirect_uris),
            proven_by=ProvenBy.of(row),
            jwks=JSON(row.jwks) if row.jwks else None,
            secret_hint=row.secret_hint,
            old_secret_until=row.old_secret_until,
            resource=row.resource,
            suspended_at=row.suspended_at,
            last_used_at=row.last_used_at,
            created_at=row.created_at,
        )


@strawberry.type(description="A client of the tenant: an application that calls, or an API key.")
class Application(Node):
    key: strawberry.Private[ClientId]
    shelf: strawberry.Private[ApplicationShelf]
    client_id: str = strawberry.field(description="Its OAuth client id.")
    name: str | None = strawberry.field(description="What it is called; null when it is gone.")

    @field("What it is registered as; null when it is gone.", needs=Scope.APPLICATIONS_READ)
    async def registration(self) -> ApplicationRegistration | None:
        row = (await self.shelf.rows.value()).get(self.key)
        return ApplicationRegistration.of(row) if row else None

    @field("Who registered it; null where it was no person, or one who has left.", needs=Scope.APPLICATIONS_READ)
    async def created_by(self) -> Member | None:
        row = (await self.shelf.rows.value()).get(self.key)
        return await self.shelf.creator_of(row) if row else None

    @field("Its caps.", needs=Scope.QUOTAS_READ)
    async def caps(self) -> list[Cap]:
        return await self.shelf.caps_of(self.key)

    @field("Who let it in, the latest first, at most 1,000.", needs=Scope.APPLICATIONS_READ)
    async def consents(self, first: First = 50, after: After = None) -> Connection[ApplicationConsent]:
        context = self.shelf.context
        cut = Cut(context, f"Application.consents {self.key}", first, after)
        given = (await self.shelf.consents.value()).get(self.key, ())
        return Connection(page=cut.of(given, lambda each: str(each[0].person_id), ApplicationConsent.of))

    @classmethod
    def named(cls, client_id: ClientId, name: str | None, shelf: ApplicationShelf) -> Self:
        """One of which no more than its name is read until it is asked for."""
        public_id = mint(Kind.CLIENT_ID, shelf.context.actor.tenant_id, client_id.bytes)
        return cls(id=node_id("Application", client_id), key=client_id, shelf=shelf, client_id=public_id, name=name)

    @classmethod
    def of(cls, row: Client, shelf: ApplicationShelf) -> Self:
        return cls.named(row.id, row.name, shelf)

    @classmethod
    def alone(cls, row: Client, context: Context) -> Self:
        """One that is on no page with others."""
        return cls.of(row, ApplicationShelf.of(context, [row]))


@strawberry.type
class ApplicationQueries:
    @field("An application; null when it is unknown.", needs=Scope.APPLICATIONS_READ)
    async def application(self, info: Info, application_id: OneId) -> Application | None:
        return await or_none(_application(info.context, application_id))

    @field("The tenant's applications, oldest first.", needs=Scope.APPLICATIONS_READ)
    async def applications(
        self, info: Info, kind: OfKind = None, first: First = 50, after: After = None
    ) -> Connection[Application]:
        cut = Cut(info.context, f"applications {kind}", first, after)
        behind = ClientId(UUID(cut.position)) if cut.position else None
        kinds = APPLICATIONS if kind is None else {kind}
        page = info.context.usecases.applications.page
        rows = await page(info.context.actor, kinds, first=first + 1, after=behind)
        shelf = ApplicationShelf.of(info.context, rows)
        return Connection(page=cut.of_rows(rows, lambda row: str(row.id), lambda row: Application.of(row, shelf)))


def known_application(global_id: str) -> ClientId:
    """NotFound for what is no application's id."""
    return ClientId(known_uuid(global_id, "Application"))


async def _application(context: Context, global_id: str) -> Application:
    """NotFound when it is unknown to this tenant."""
    client_id = known_application(global_id)
    found = await context.usecases.applications.some(context.actor, [client_id])
    if client_id not in found:
        raise NotFound("application")
    return Application.alone(found[client_id], context)


async def _known(rows: Mapping[ClientId, Client]) -> Mapping[ClientId, Client]:
    return rows

"""What a person is asked before an application is let in, and what a yes leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import NotFound
from domain.model.access import IDENTITY_SCOPES, Client, ClientKind, Scope
from domain.model.audit import Deed
from domain.model.authorization import Consent
from domain.model.cap import Cap, CapSubject
from domain.model.ids import ClientId, PersonId
from domain.model.people import Member
from domain.model.tenant import Tenant
from domain.ports import Work


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person answered to a Question: who it was shown to, and the scopes it showed as given; none mean no."""

    person_id: PersonId
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Question:
    """May this application, in this tenant and for this person, do that? `withheld` is what the person cannot give.

    `redirect_uri` is where the person is sent with the answer; None for a device, which fetches it.
    """

    client: Client
    tenant: Tenant
    member: Member
    given: frozenset[Scope]
    withheld: frozenset[Scope]
    caps: Sequence[Cap]
    redirect_uri: str | None = None


def givable(member: Member, client: Client, asked: frozenset[Scope]) -> frozenset[Scope]:
    """No more than the person's own, nor than the application's; nothing when all that is left is to stay."""
    given = asked & (client.scopes | IDENTITY_SCOPES) & member.role.scopes
    return given if given - {Scope.OFFLINE_ACCESS} else frozenset()


async def question(
    work: Work, client: Client, member: Member, asked: frozenset[Scope], redirect_uri: str | None = None
) -> Question:
    given = givable(member, client, asked)
    subject = CapSubject.APPLICATION, client.id
    caps = [cap for cap in await work.caps.all() if (cap.subject, cap.subject_id) == subject]
    return Question(client, await work.tenants.one(), member, given, asked - given, caps, redirect_uri)


async def give(work: Work, client: Client, member: Member, scopes: frozenset[Scope], at: datetime) -> None:
    """Put the person's yes beside what was allowed before, and into the tenant's audit."""
    before = await work.consents.one(client.id, member.person.id)
    kept = before.scopes & (client.scopes | IDENTITY_SCOPES) if before else frozenset()
    await work.consents.put(Consent(client.tenant_id, client.id, member.person.id, kept | scopes, at))
    await work.audit.add(Deed("consent.given", str(client.id), person_id=member.person.id))


async def partner(work: Work, client_id: ClientId) -> Client | None:
    """None for what is no partner application of this tenant."""
    try:
        client = await work.clients.one(client_id)
    except NotFound:
        return None
    return client if client.kind is ClientKind.PARTNER else None


async def member(work: Work, person_id: PersonId) -> Member | None:
    try:
        return await work.members.one(person_id)
    except NotFound:
        return None

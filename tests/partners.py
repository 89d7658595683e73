"""A tenant with a partner application and a person, and the request by which the application sends the person over."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.model.access import Client, ClientKind, Role, Scope
from domain.model.ids import ClientId, PersonId, TenantId
from domain.model.people import Person, Session
from domain.model.tenant import Tenant
from domain.model.tokens import Kind, digest, mint
from domain.ports import Begin, BeginDirectory
from domain.usecases.accounts import SignedIn

BACK = "https://shop.example/back"
VERIFIER = "a-verifier-of-43-or-more-characters-as-PKCE-has-it"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
SCOPES = frozenset({Scope.MODELS_INVOKE, Scope.TENANT_READ, Scope.MEMBERS_WRITE})
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def shop(
    tenant_id: TenantId,
    id_: UUID,
    *,
    secret: bytes | None = digest("ptn_cs_x"),
    kind: ClientKind = ClientKind.PARTNER,
    redirect_uris: tuple[str, ...] = (BACK,),
    resource: str | None = None,
    suspended_at: datetime | None = None,
) -> Client:
    """A partner's application; confidential unless it has no secret."""
    return Client(
        tenant_id,
        ClientId(id_),
        "Shop & Co",
        secret,
        SCOPES,
        AT,
        kind,
        redirect_uris=redirect_uris,
        resource=resource,
        suspended_at=suspended_at,
    )


def public_id(client: Client) -> str:
    return mint(Kind.CLIENT_ID, client.tenant_id, client.id.bytes)


def request(client: Client, **changes: str | None) -> dict[str, str]:
    """A sound request of this application, but for the changes; None leaves a parameter out."""
    sound: Mapping[str, str | None] = {
        "response_type": "code",
        "client_id": public_id(client),
        "redirect_uri": client.redirect_uris[0],
        "scope": "models:invoke tenant:read",
        "state": "a state = of & its own",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**sound, **changes}.items() if value is not None}


def somebody(id_: UUID, email: str = "ada@acme.example", name: str = "Ada <b>Byron</b>") -> Person:
    return Person(PersonId(id_), email, name, AT)


async def settle(begin: Begin, directory: BeginDirectory, tenant: Tenant, person: Person, role: Role | None) -> None:
    """Let a new person live, in the tenant as this; nowhere without a role."""
    async with directory() as above:
        await above.people.add(person)
    if role is not None:
        async with begin(tenant.id) as work:
            await work.members.add(person.id, role, AT)


def signed_in(person: Person, at: datetime = AT) -> SignedIn:
    """The person before a page, for the coming twelve hours."""
    return SignedIn(person, Session(b"session", person.id, at, at + timedelta(hours=12)), ())

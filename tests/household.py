"""People of a tenant and what they let an application do, each made with only what a test names."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.model.access import TENANT_SCOPES, AccessToken, Client, ClientKind, Role, Scope
from domain.model.authorization import Code, Consent, Device, RefreshToken, SigningKey
from domain.model.ids import ClientId, InvitationId, PersonId, TenantId
from domain.model.people import Identity, Invitation, Person, Session
from domain.ports import Begin, BeginDirectory
from tests.belongings import NOW

GIVEN = frozenset({Scope.MODELS_INVOKE, Scope.OPENID})
SOON = NOW + timedelta(minutes=1)


def random() -> bytes:
    """32 bytes that no other test has."""
    return uuid7().bytes + uuid7().bytes


def a_person(name: str = "Zoë") -> Person:
    person_id = PersonId(uuid7())
    return Person(person_id, f"{person_id.hex}@example.org", name, NOW)


def a_partner(tenant_id: TenantId) -> Client:
    return Client(
        tenant_id,
        ClientId(uuid7()),
        "partner",
        random(),
        TENANT_SCOPES,
        NOW,
        kind=ClientKind.PARTNER,
        redirect_uris=("https://partner.example/back",),
    )


def a_consent(client: Client, person: Person) -> Consent:
    return Consent(client.tenant_id, client.id, person.id, GIVEN, NOW)


def a_code(consent: Consent) -> Code:
    return Code(
        tenant_id=consent.tenant_id,
        digest=random(),
        client_id=consent.client_id,
        person_id=consent.person_id,
        scopes=consent.scopes,
        redirect_uri="https://partner.example/back",
        challenge="c" * 43,
        family_id=uuid7(),
        signed_in_at=NOW,
        expires_at=SOON,
        nonce="n",
    )


def a_refresh_token(consent: Consent, family_id: UUID | None = None) -> RefreshToken:
    return RefreshToken(
        tenant_id=consent.tenant_id,
        digest=random(),
        client_id=consent.client_id,
        person_id=consent.person_id,
        scopes=consent.scopes,
        family_id=family_id or uuid7(),
        signed_in_at=NOW,
        issued_at=NOW,
        expires_at=SOON,
    )


def a_personal_token(consent: Consent, family_id: UUID | None = None) -> AccessToken:
    return AccessToken(
        consent.tenant_id, random(), consent.client_id, consent.scopes, NOW, SOON, consent.person_id, family_id
    )


def a_device(client: Client, user_code: str = "BCDFGHJK") -> Device:
    return Device(client.tenant_id, random(), user_code, client.id, GIVEN, uuid7(), SOON)


def an_invitation(tenant_id: TenantId, role: Role = Role.MEMBER, by: PersonId | None = None) -> Invitation:
    return Invitation(tenant_id, InvitationId(uuid7()), "new@example.org", role, random(), NOW, SOON, by)


def a_session(person: Person) -> Session:
    return Session(random(), person.id, NOW, SOON, "a browser")


def an_identity(person: Person) -> Identity:
    return Identity("https://accounts.example", uuid7().hex, person.id)


def a_signing_key() -> SigningKey:
    return SigningKey(uuid7(), "{}", b"wrapped", "master-1", NOW)


@dataclass(frozen=True, slots=True)
class Household:
    """One person in one tenant, with everything that an application can hold on behalf of that person."""

    person: Person
    partner: Client
    consent: Consent
    code: Code
    refresh: RefreshToken
    token: AccessToken
    device: Device
    invitation: Invitation


async def household(begin: Begin, directory: BeginDirectory, tenant_id: TenantId, role: Role = Role.OWNER) -> Household:
    """Stored, in a tenant that is."""
    person, partner = a_person(), a_partner(tenant_id)
    consent = a_consent(partner, person)
    refresh = a_refresh_token(consent)
    here = Household(
        person,
        partner,
        consent,
        a_code(consent),
        refresh,
        a_personal_token(consent, refresh.family_id),
        a_device(partner),
        an_invitation(tenant_id, by=person.id),
    )
    async with directory() as above:
        await above.people.add(person)
    async with begin(tenant_id) as work:
        await work.members.add(person.id, role, NOW)
        await work.clients.add(partner)
        await work.consents.put(consent)
        await work.codes.add(here.code)
        await work.refresh_tokens.add(refresh)
        await work.tokens.add(here.token)
        await work.devices.add(here.device)
        await work.invitations.add(here.invitation)
        await work.assertions.add(partner.id, "seen", SOON)
    return here

"""One of everything that a tenant can own, and the words by which GraphQL names it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from api.graphql.ids import model_id, node_id
from domain.model.access import Actor, Client, ClientKind, Reach, Role, Scope
from domain.model.audit import Deed
from domain.model.authorization import Consent
from domain.model.catalogue import Catalogue, FormValues, ModelRef, ModelType
from domain.model.credential import Cooling, Credential, SealContext
from domain.model.custom_model import CustomModel
from domain.model.ids import CallId, ClientId, InvitationId, KeyId, PersonId, TenantId
from domain.model.secret import Secret
from domain.model.selection import KeySource
from domain.model.tokens import Kind, mint
from tests.belongings import GRANTED, a_cap, a_client, a_credential, a_grant, a_hold, a_pot, a_record, a_tenant, a_token
from tests.graphql_house import ACME, HOME, NOW, TALKING, House
from tests.household import a_partner, a_person, an_invitation
from tests.willing import WillingGateway

CATALOGUE = Catalogue((TALKING, HOME))
ADMINS = frozenset({Scope.APPLICATIONS_WRITE})
MASKED = {"api_key": "••••5678"}
SWITCHED_OFF = ModelRef(ACME.id, "scribe", ModelType.LLM)


@dataclass(frozen=True, slots=True)
class Words:
    """What names the goods of one tenant: global ids, public ids, and the names that it chose."""

    tenant: str
    viewer: str
    client: str
    key: str
    credential: str
    second_credential: str
    hosted_credential: str
    quota: str
    cap: str
    call: str
    call_id: str
    model: str
    tenant_name: str
    client_name: str
    credential_name: str
    second_name: str
    custom_model: str
    hosted_model: str
    reason: str
    member: str
    colleague: str
    invitation: str
    email: str
    application: str
    api_key: str
    partner_name: str
    api_key_name: str

    def named(self) -> Iterator[tuple[str, str]]:
        """Every word under its name, the longest first."""
        words = [(each.name, str(getattr(self, each.name))) for each in fields(self)]
        yield from sorted(words, key=lambda pair: -len(pair[1]))

    @property
    def nodes(self) -> dict[str, str]:
        """The global ids by type; Provider is no tenant's."""
        return {
            "Tenant": self.tenant,
            "Viewer": self.viewer,
            "Model": self.model,
            "Credential": self.credential,
            "Quota": self.quota,
            "Cap": self.cap,
            "Call": self.call,
            "TenantKey": self.key,
            "Member": self.colleague,
            "Application": self.application,
            "ApiKey": self.api_key,
        }


@dataclass(frozen=True, slots=True)
class Goods:
    """A tenant, its client, the words for all it has, and the keys of its rows."""

    tenant_id: TenantId
    client: Client
    person_id: PersonId
    words: Words
    keys: frozenset[UUID]
    mark: str

    def actor(self, *scopes: Scope) -> Actor:
        """The client with these scopes, or with all of them, on behalf of an owner."""
        expires = datetime.now(UTC) + timedelta(hours=1)
        return Actor(self.tenant_id, self.client.id, frozenset(scopes or Scope), expires, self.person_id)


def unknown_words() -> Words:
    """Well-formed words for what nobody has."""
    return _words(TenantId(uuid7()), a_client(TenantId(uuid7())), tuple(uuid7() for _ in range(12)), "nobody")


def _words(tenant: TenantId, client: Client, ids: tuple[UUID, ...], mark: str) -> Words:
    key, credential, second, hosted, quota, cap, call, person, colleague, invitation, partner, api_key = ids
    return Words(
        tenant=node_id("Tenant", tenant),
        viewer=node_id("Viewer", client.id),
        client=mint(Kind.CLIENT_ID, client.tenant_id, client.id.bytes),
        key=node_id("TenantKey", key),
        credential=node_id("Credential", credential),
        second_credential=node_id("Credential", second),
        hosted_credential=node_id("Credential", hosted),
        quota=node_id("Quota", quota),
        cap=node_id("Cap", cap),
        call=node_id("Call", call),
        call_id=str(call),
        model=model_id(ModelRef(ACME.id, f"{mark}-custom", ModelType.LLM)),
        tenant_name=f"{mark}-tenant",
        client_name=f"{mark}-client",
        credential_name=f"{mark}-credential",
        second_name=f"{mark}-second",
        custom_model=f"{mark}-custom",
        hosted_model=f"{mark}-hosted",
        reason=f"{mark}-reason",
        member=node_id("Member", person),
        colleague=node_id("Member", colleague),
        invitation=node_id("Invitation", invitation),
        email=f"{mark}@example.org",
        application=node_id("Application", partner),
        api_key=node_id("ApiKey", api_key),
        partner_name=f"{mark}-partner",
        api_key_name=f"{mark}-api-key",
    )


def willing_house(gateway: WillingGateway | None = None) -> House:
    return House(gateway or WillingGateway(), CATALOGUE)


async def settled(house: House, mark: str) -> Goods:
    """A new tenant of the house with one of everything; all that it can name has `mark` in it."""
    tenant = replace(a_tenant(), name=f"{mark}-tenant")
    client = replace(a_client(tenant.id), name=f"{mark}-client")
    key = await house.vault.keypair(tenant.id, KeyId(uuid7()))
    own = replace(
        a_credential(tenant.id, f"{mark}-credential", ACME.id),
        public={"base": f"https://acme.example/{mark}"},
        masked=MASKED,
    )
    hosted_ref = ModelRef(HOME.id, f"{mark}-hosted", ModelType.LLM)
    hosted = replace(
        a_credential(tenant.id, f"{mark}-key", HOME.id, hosted_ref),
        public={"address": f"https://{mark}.example"},
        masked={},
    )
    second = replace(a_credential(tenant.id, f"{mark}-second", ACME.id), public=own.public, masked=MASKED, active=False)
    pot = a_pot(tenant.id, 2**40)
    cap = replace(a_cap(tenant.id, 2**40), subject_id=client.id)
    async with house.store.begin(tenant.id) as work:
        await work.tenants.add(tenant)
        await work.keys.add(key)
        await work.clients.add(client)
        await work.tokens.add(a_token(client))
        for credential in (own, second, hosted):
            sealed = await house.vault.seal(key, SealContext.of(credential), _form(credential))
            await work.credentials.add(credential, sealed)
        await work.coolings.put(Cooling(own.id, NOW - timedelta(minutes=1), "UPSTREAM_RATE_LIMITED"))
        for each in ModelType:
            await work.models.add(
                CustomModel(tenant.id, ModelRef(ACME.id, f"{mark}-custom", each), f"{mark}-label", NOW)
            )
        await work.models.disable(SWITCHED_OFF, NOW)
        await work.caps.put(cap)
        await work.choices.put_default(ModelRef(ACME.id, f"{mark}-custom", ModelType.LLM))
        await work.choices.put_preferred(ACME.id, KeySource.OWN)
        await work.pots.add(pot)
        await work.audit.add(Deed("credential.added", own.name, client.id))
    ledger = house.store.ledger
    await ledger.grant(replace(a_grant(pot, 1), reason=f"{mark}-reason"), pot, GRANTED)
    await ledger.hold(a_hold((pot, 1)))
    call_id = CallId(uuid7())
    record = a_record(tenant.id, call_id, at=NOW - timedelta(hours=1))
    await ledger.settle(replace(record, client_id=client.id, credential_id=own.id), incident=f"{mark}-incident")
    person, colleague, invited = await _peopled(house, tenant.id, mark)
    applied = await _applied(house, client, colleague, mark)
    ids = (key.id, own.id, second.id, hosted.id, pot.id, cap.id, call_id, person, colleague, invited, *applied)
    return Goods(
        tenant.id, client, person, _words(tenant.id, client, ids, mark), frozenset({tenant.id, client.id, *ids}), mark
    )


async def _peopled(house: House, tenant_id: TenantId, mark: str) -> tuple[PersonId, PersonId, InvitationId]:
    """Two owners and somebody who is invited."""
    owner, other = (replace(a_person(f"{mark}-person"), email=f"{n}-{mark}-{uuid7()}@example.org") for n in (1, 2))
    invitation = replace(an_invitation(tenant_id), email=f"{mark}@example.org")
    async with house.store.directory() as above:
        await above.people.add(owner)
        await above.people.add(other)
    async with house.store.begin(tenant_id) as work:
        await work.members.add(owner.id, Role.OWNER, NOW)
        await work.members.add(other.id, Role.OWNER, NOW)
        await work.invitations.add(invitation)
    return owner.id, other.id, invitation.id


async def _applied(house: House, client: Client, person_id: PersonId, mark: str) -> tuple[ClientId, ClientId]:
    """A partner and an API key; a person let the partner in, and the first client."""
    named = ModelRef(ACME.id, f"{mark}-custom", ModelType.LLM)
    partner = replace(
        a_partner(client.tenant_id),
        name=f"{mark}-partner",
        scopes=ADMINS,
        reach=Reach(frozenset({ACME.id}), frozenset({named})),
        redirect_uris=(f"https://{mark}.example/callback",),
        resource=f"https://api.{mark}.example",
        created_by=person_id,
    )
    key_id = ClientId(uuid7())
    key = Client(client.tenant_id, key_id, f"{mark}-api-key", b"\x03" * 32, ADMINS, NOW, ClientKind.API_KEY)
    async with house.store.begin(client.tenant_id) as work:
        await work.clients.add(partner)
        await work.clients.add(key)
        for each in (client, partner):
            await work.consents.put(Consent(client.tenant_id, each.id, person_id, ADMINS, NOW))
    return partner.id, key.id


def _form(credential: Credential) -> FormValues:
    return {**credential.public, "api_key": Secret(f"sk-of-{credential.name}")}

"""What applications, members and consents promise, in memory, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from domain.errors import NotFound, Unauthenticated
from domain.model.access import ClientKind, Reach, Role
from domain.model.authorization import Decision
from domain.model.ids import ClientId, PersonId
from domain.model.people import Member
from domain.model.tenant import Tenant
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.usecases.access import Access
from tests.belongings import MODEL, NOW, a_client, a_token, settled_in
from tests.household import (
    Household,
    a_consent,
    a_device,
    a_partner,
    a_person,
    a_personal_token,
    a_refresh_token,
    an_invitation,
    household,
)
from tests.stores import Store

LATER = NOW + timedelta(seconds=30)


@pytest.fixture
async def tenant(store: Store) -> Tenant:
    return await settled_in(store.begin)


@pytest.fixture
async def home(store: Store, tenant: Tenant) -> Household:
    return await household(store.begin, store.directory, tenant.id)


async def test_all_of_an_application_reads_back_as_it_was_written(store: Store, tenant: Tenant) -> None:
    full = replace(
        a_partner(tenant.id),
        reach=Reach(frozenset({"acme"}), frozenset({MODEL})),
        resource="https://partner.example/api",
        jwks={"keys": [{"kty": "EC"}]},
        created_by=PersonId(uuid7()),
        old_secret_digest=b"old",
        old_secret_until=LATER,
        expires_at=LATER,
        suspended_at=NOW,
        secret_hint="wxyz",
    )
    async with store.begin(tenant.id) as work:
        await work.clients.add(full)
        assert await work.clients.one(full.id) == await work.clients.lock(full.id) == full
        bare = replace(a_partner(tenant.id), id=full.id, reach=Reach(providers=frozenset()), secret_digest=None)
        await work.clients.put(bare)
        assert await work.clients.one(full.id) == bare
        await work.clients.used(full.id, LATER)
        await work.clients.put(bare)
        assert await work.clients.one(full.id) == replace(bare, last_used_at=LATER)


async def test_what_is_unknown_cannot_be_changed(store: Store, tenant: Tenant) -> None:
    async with store.begin(tenant.id) as work:
        for refused in (
            work.clients.put(a_client(tenant.id)),
            work.clients.lock(ClientId(uuid7())),
            work.clients.remove(ClientId(uuid7())),
            work.members.put(PersonId(uuid7()), Role.ADMIN),
            work.members.remove(PersonId(uuid7())),
            work.members.one(PersonId(uuid7())),
            work.invitations.remove(an_invitation(tenant.id).id),
            work.invitations.take(b"unknown"),
            work.consents.remove(ClientId(uuid7()), PersonId(uuid7())),
            work.tokens.bearer(b"unknown"),
        ):
            with pytest.raises(NotFound):
                await refused


async def test_applications_are_paged_by_kind(store: Store, tenant: Tenant) -> None:
    service, one, other = a_client(tenant.id), a_partner(tenant.id), a_partner(tenant.id)
    async with store.begin(tenant.id) as work:
        for client in (other, service, one):
            await work.clients.add(client)
        partners = [ClientKind.PARTNER]
        assert await work.clients.page(partners, first=1) == [one]
        assert await work.clients.page(partners, first=9, after=one.id) == [other]
        assert await work.clients.page(list(ClientKind), first=9) == [service, one, other]


async def test_a_bearer_is_its_token_its_client_and_the_role_of_its_person(
    store: Store, tenant: Tenant, home: Household
) -> None:
    alone = a_token(home.partner)
    async with store.begin(tenant.id) as work:
        await work.tokens.add(alone)
        found = await work.tokens.bearer(home.token.digest)
        assert (found.token, found.client, found.role) == (home.token, home.partner, Role.OWNER)
        assert (await work.tokens.bearer(alone.digest)).role is None
        assert found.consent_used_at is None
        await work.consents.used(home.partner.id, home.person.id, LATER)
        assert (await work.tokens.bearer(home.token.digest)).consent_used_at == LATER
        assert (await work.tokens.bearer(alone.digest)).consent_used_at is None


async def test_some_applications_are_found_by_their_ids(store: Store, tenant: Tenant, home: Household) -> None:
    other = a_client(tenant.id)
    async with store.begin(tenant.id) as work:
        await work.clients.add(other)
        found = await work.clients.some([home.partner.id, other.id, ClientId(uuid7())])
        assert {client.id: client for client in found} == {home.partner.id: home.partner, other.id: other}
        assert await work.clients.some([]) == []


async def test_an_api_key_opens_what_is_stored_of_it_and_its_uses_are_noted(store: Store, tenant: Tenant) -> None:
    key = replace(a_client(tenant.id), kind=ClientKind.API_KEY, expires_at=LATER)
    text = mint(Kind.API_KEY, tenant.id, key.id.bytes + bytes(SECRET_BYTES))
    async with store.begin(tenant.id) as work:
        await work.clients.add(replace(key, secret_digest=digest(text)))
    access = Access(store.begin, lambda: NOW)
    actor = await access.authenticate(text)
    assert (actor.tenant_id, actor.client_id, actor.expires_at) == (tenant.id, key.id, LATER)
    async with store.begin(tenant.id) as work:
        assert (await work.clients.one(key.id)).last_used_at == NOW
        await work.clients.remove(key.id)
    with pytest.raises(Unauthenticated):
        await access.authenticate(text)


async def test_a_member_who_leaves_takes_all_consents_and_tokens_along(
    store: Store, tenant: Tenant, home: Household
) -> None:
    async with store.begin(tenant.id) as work:
        await work.members.remove(home.person.id)
    async with store.begin(tenant.id) as work:
        with pytest.raises(NotFound):
            await work.tokens.one(home.token.digest)
        assert await work.refresh_tokens.lock(home.refresh.digest) is None
        assert await work.codes.lock(home.code.digest) is None
        assert await work.consents.one(home.partner.id, home.person.id) is None
        assert await work.clients.one(home.partner.id) == home.partner


async def test_a_revoked_consent_takes_its_tokens_along_and_no_others(
    store: Store, tenant: Tenant, home: Household
) -> None:
    another = a_partner(tenant.id)
    token = a_personal_token(a_consent(another, home.person))
    async with store.begin(tenant.id) as work:
        await work.clients.add(another)
        await work.consents.put(a_consent(another, home.person))
        await work.tokens.add(token)
        await work.consents.remove(home.partner.id, home.person.id)
    async with store.begin(tenant.id) as work:
        with pytest.raises(NotFound):
            await work.tokens.one(home.token.digest)
        assert await work.refresh_tokens.lock(home.refresh.digest) is None
        assert await work.tokens.one(token.digest) == token


async def test_a_removed_application_takes_all_along(store: Store, tenant: Tenant, home: Household) -> None:
    async with store.begin(tenant.id) as work:
        await work.clients.remove(home.partner.id)
    async with store.begin(tenant.id) as work:
        with pytest.raises(NotFound):
            await work.tokens.one(home.token.digest)
        assert await work.devices.lock(home.device.digest) is None
        assert await work.consents.of_person(home.person.id) == []


async def test_all_that_an_application_holds_ends_and_consents_stay(
    store: Store, tenant: Tenant, home: Household
) -> None:
    async with store.begin(tenant.id) as work:
        await work.tokens.end_client(home.partner.id)
        with pytest.raises(NotFound):
            await work.tokens.one(home.token.digest)
        assert await work.codes.lock(home.code.digest) is None
        assert await work.refresh_tokens.lock(home.refresh.digest) is None
        assert await work.devices.lock(home.device.digest) is None
        assert await work.consents.one(home.partner.id, home.person.id) == home.consent


async def test_a_family_ends_but_what_was_used_is_still_recognised(
    store: Store, tenant: Tenant, home: Household
) -> None:
    used, stranger = a_refresh_token(home.consent, home.refresh.family_id), a_refresh_token(home.consent)
    async with store.begin(tenant.id) as work:
        await work.refresh_tokens.add(used)
        await work.refresh_tokens.add(stranger)
        await work.refresh_tokens.use(used.digest, LATER)
        assert await work.tokens.end_family(home.refresh.family_id)
        assert not await work.tokens.end_family(home.refresh.family_id)
        with pytest.raises(NotFound):
            await work.tokens.one(home.token.digest)
        assert await work.refresh_tokens.lock(home.refresh.digest) is None
        assert await work.refresh_tokens.lock(used.digest) == replace(used, used_at=LATER)
        assert await work.refresh_tokens.lock(stranger.digest) == stranger


async def test_codes_and_devices_read_back_as_they_were_written(store: Store, tenant: Tenant, home: Household) -> None:
    decided = replace(
        home.device, decision=Decision.APPROVED, person_id=home.person.id, signed_in_at=NOW, polled_at=LATER
    )
    async with store.begin(tenant.id) as work:
        assert await work.codes.lock(home.code.digest) == home.code
        await work.codes.use(home.code.digest, LATER)
        assert await work.codes.lock(home.code.digest) == replace(home.code, used_at=LATER)
        assert await work.devices.by_user_code(home.device.user_code) == home.device
        assert not await work.devices.add(a_device(home.partner))
        await work.devices.put(decided)
        assert await work.devices.lock(home.device.digest) == decided
        await work.devices.remove(home.device.digest)
        assert await work.devices.by_user_code(home.device.user_code) is None


async def test_members_are_people_with_a_role(store: Store, tenant: Tenant, home: Household) -> None:
    friend = a_person()
    async with store.directory() as above:
        await above.people.add(friend)
    async with store.begin(tenant.id) as work:
        assert await work.members.add(friend.id, Role.MEMBER, NOW)
        assert not await work.members.add(friend.id, Role.OWNER, LATER)
        assert await work.members.one(friend.id) == Member(tenant.id, friend, Role.MEMBER, NOW)
        assert [member.person for member in await work.members.page(first=9)] == [home.person, friend]
        assert [member.person for member in await work.members.page(first=9, after=home.person.id)] == [friend]
        strangers = [home.person.id, PersonId(uuid7())]
        assert [member.person for member in await work.members.some(strangers)] == [home.person]
        assert await work.members.lock_owners() == [home.person.id]
        await work.members.put(friend.id, Role.OWNER)
        assert await work.members.lock_owners() == [home.person.id, friend.id]


async def test_an_invitation_is_taken_once(store: Store, tenant: Tenant, home: Household) -> None:
    async with store.begin(tenant.id) as work:
        assert await work.invitations.page(first=9) == [home.invitation]
        assert await work.invitations.page(first=9, after=home.invitation.id) == []
        assert await work.invitations.one(home.invitation.digest) == home.invitation
        assert await work.invitations.take(home.invitation.digest) == home.invitation
        with pytest.raises(NotFound):
            await work.invitations.take(home.invitation.digest)


async def test_what_a_person_sent_is_taken_back_by_role(store: Store, tenant: Tenant, home: Household) -> None:
    me = home.person.id
    others = [an_invitation(tenant.id, Role.OWNER), an_invitation(tenant.id, Role.OWNER, PersonId(uuid7()))]
    async with store.begin(tenant.id) as work:
        for invitation in (*others, an_invitation(tenant.id, Role.OWNER, me), an_invitation(tenant.id, Role.ADMIN, me)):
            await work.invitations.add(invitation)
        assert await work.invitations.remove_by(me, [Role.OWNER, Role.ADMIN]) == 2
        assert await work.invitations.remove_by(me, [Role.OWNER]) == 0
        assert await work.invitations.page(first=9) == sorted([home.invitation, *others], key=lambda each: each.id)


async def test_consents_are_seen_from_both_sides(store: Store, tenant: Tenant, home: Household) -> None:
    async with store.begin(tenant.id) as work:
        await work.consents.used(home.partner.id, home.person.id, LATER)
        ((consent, member),) = (await work.consents.of_clients([home.partner.id]))[home.partner.id]
        assert (consent, member.person) == (replace(home.consent, last_used_at=LATER), home.person)
        assert await work.consents.of_person(home.person.id) == [(consent, home.partner)]
        wider = replace(home.consent, scopes=frozenset(), given_at=LATER)
        await work.consents.put(wider)
        assert await work.consents.one(home.partner.id, home.person.id) == replace(wider, last_used_at=LATER)


async def test_the_consents_of_several_applications_are_told_apart(
    store: Store, tenant: Tenant, home: Household
) -> None:
    other, silent = (replace(home.partner, id=ClientId(uuid7())) for _ in range(2))
    async with store.begin(tenant.id) as work:
        await work.clients.add(other)
        await work.clients.add(silent)
        await work.consents.put(replace(home.consent, client_id=other.id, given_at=LATER))
        given = await work.consents.of_clients([home.partner.id, other.id, silent.id])
        told = {client: [(each.client_id, member.person) for each, member in of] for client, of in given.items()}
        assert told == {each.id: [(each.id, home.person)] for each in (home.partner, other)}


async def test_a_signed_proof_is_good_once(store: Store, tenant: Tenant, home: Household) -> None:
    async with store.begin(tenant.id) as work:
        assert not await work.assertions.add(home.partner.id, "seen", LATER)
        assert await work.assertions.add(home.partner.id, "new", LATER)

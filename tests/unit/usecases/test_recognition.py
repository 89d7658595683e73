"""Who an external provider vouches for, links by lost passwords, and what a person takes back alone."""

from datetime import timedelta

import pytest

from domain.errors import DuplicateName, InvalidRange, NoOtherWay, NotFound, NotSignedIn, TooManyFailures
from domain.model.access import Client, ClientKind, Role, Scope
from domain.model.audit import Deed
from domain.model.authorization import Consent
from domain.model.ids import ClientId, TenantId
from domain.model.people import Recognised
from domain.model.tokens import PersonalKind, mint_personal
from domain.usecases.accounts import SignedIn, Visitor
from tests.unit.domain.samples import TENANT
from tests.unit.usecases.people import EMAIL, PASSWORD, Town

HERE = Visitor("Firefox")
WHO = Recognised("https://id.example", "248289761001", "Ada")


async def test_nobody_is_recognised_who_was_not_linked() -> None:
    town = Town()
    await town.settle()
    with pytest.raises(NotFound):
        await town.recognition.sign_in(WHO, HERE)
    await town.recognition.link(await town.signed_in(), WHO)
    me = await town.who((await town.recognition.sign_in(WHO, HERE)).reveal())
    assert me.person.email == EMAIL


@pytest.mark.parametrize("other", [Recognised("https://evil.example", WHO.subject), Recognised(WHO.issuer, "other")])
async def test_issuer_and_subject_together_are_the_identity(other: Recognised) -> None:
    town = Town()
    await town.settle()
    await town.recognition.link(await town.signed_in(), WHO)
    with pytest.raises(NotFound):
        await town.recognition.sign_in(other, HERE)


async def test_an_identity_is_one_persons() -> None:
    town = Town()
    await town.settle()
    await town.settle("grace@portunus.example")
    me, grace = await town.signed_in(), await town.signed_in("grace@portunus.example")
    await town.recognition.link(me, WHO)
    await town.recognition.link(me, WHO)
    with pytest.raises(DuplicateName):
        await town.recognition.link(grace, WHO)
    await town.recognition.unlink(grace)
    assert await town.recognition.linked(me) == [WHO.identity(me.person.id)]
    await town.recognition.unlink(me)
    await town.recognition.link(grace, WHO)


async def test_the_last_way_to_sign_in_stays() -> None:
    town = Town()
    me = await town.who((await town.joining.join_recognised(await town.invite(), WHO, HERE)).reveal())
    with pytest.raises(NoOtherWay):
        await town.recognition.unlink(me)
    await town.resets.renew((await town.resets.issue(EMAIL)).reveal(), PASSWORD, HERE)
    await town.recognition.unlink(me)


async def test_a_link_sets_a_new_password_once_and_ends_all_sessions_and_waits() -> None:
    town = Town()
    await town.settle()
    there = await town.signed_in()
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            await town.signed_in(password="a wrong password")
    with pytest.raises(TooManyFailures):
        await town.signed_in()
    token = (await town.resets.issue(f" {EMAIL.upper()}")).reveal()
    assert token not in repr(town.store.directory_rows)
    assert (await town.resets.whose(token)).email == EMAIL
    with pytest.raises(InvalidRange):
        await town.resets.renew(token, EMAIL, HERE)
    me = await town.who((await town.resets.renew(token, "another long password", HERE)).reveal())
    assert await town.accounts.sessions(me) == [me.session]
    assert there.session.digest not in town.store.directory_rows.sessions
    with pytest.raises(NotFound):
        await town.resets.renew(token, PASSWORD, HERE)
    await town.signed_in(password="another long password")


async def test_a_link_is_good_for_an_hour_and_until_the_next_one() -> None:
    town = Town()
    await town.settle()
    first = (await town.resets.issue(EMAIL)).reveal()
    second = (await town.resets.issue(EMAIL)).reveal()
    unknown = mint_personal(PersonalKind.RESET, bytes(32))
    for token in (first, unknown, "", "ptn_pr_x"):
        with pytest.raises(NotFound):
            await town.resets.whose(token)
    town.clock.advance(timedelta(hours=1))
    with pytest.raises(NotFound):
        await town.resets.renew(second, PASSWORD, HERE)
    with pytest.raises(NotFound):
        await town.resets.issue("nobody@portunus.example")


async def let_in(town: Town, me: SignedIn) -> Client:
    shop = Client(TENANT, ClientId(town.fresh()), "Shop", None, frozenset(), town.clock(), ClientKind.PARTNER)
    async with town.store.begin(TENANT) as work:
        await work.clients.add(shop)
        await work.consents.put(Consent(TENANT, shop.id, me.person.id, frozenset({Scope.MODELS_INVOKE}), town.clock()))
    return shop


async def test_a_person_sees_and_takes_back_what_was_let_in() -> None:
    town = Town()
    await town.joining.join(await town.invite(role=Role.MEMBER), "Ada", PASSWORD, HERE)
    me = await town.signed_in()
    shop = await let_in(town, me)
    (place,) = await town.consents.places(me)
    assert (place.membership.tenant_name, [client.name for _, client in place.let_in]) == ("Acme", ["Shop"])
    await town.consents.revoke(me, TENANT, shop.id)
    assert (await town.consents.places(me))[0].let_in == []
    expected = Deed("consent.revoked", str(shop.id), person_id=me.person.id)
    assert town.store.rows[TENANT].audit[-1].deed == expected
    with pytest.raises(NotFound):
        await town.consents.revoke(me, TENANT, shop.id)


async def test_nobody_takes_back_what_others_let_in() -> None:
    town = Town()
    await town.joining.join(await town.invite(), "Ada", PASSWORD, HERE)
    me = await town.signed_in()
    shop = await let_in(town, me)
    await town.settle("grace@portunus.example")
    grace = await town.signed_in("grace@portunus.example")
    for tenant_id in (TENANT, TenantId(town.fresh())):
        with pytest.raises(NotFound):
            await town.consents.revoke(grace, tenant_id, shop.id)
    assert len((await town.consents.places(me))[0].let_in) == 1

"""Taking up an invitation, by whoever it is for, once; and going on where it broke off."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import DuplicateName, InvalidRange, NotFound
from domain.model.access import Role
from domain.model.audit import Deed
from domain.model.ids import TenantId
from domain.model.people import Membership, Recognised
from domain.model.tokens import Kind, mint
from domain.ports import Work
from domain.usecases.accounts import Visitor
from domain.usecases.joining import Invited
from tests.unit.domain.samples import TENANT
from tests.unit.usecases.people import EMAIL, PASSWORD, Town

HERE = Visitor("Firefox")


async def test_an_invitation_tells_what_it_is_to() -> None:
    town = Town()
    token = await town.invite(role=Role.ADMIN)
    assert await town.joining.invited(token) == Invited("Acme", Role.ADMIN, EMAIL, known=False)
    await town.settle()
    assert (await town.joining.invited(token)).known


async def test_a_new_account_is_a_member_and_signed_in_and_the_chain_says_so() -> None:
    town = Town()
    token = await town.invite(role=Role.AUDITOR)
    me = await town.who((await town.joining.join(token, " Ada Lovelace ", PASSWORD, HERE)).reveal())
    assert (me.person.name, me.person.email) == ("Ada Lovelace", EMAIL)
    assert me.memberships == [Membership(TENANT, "Acme", Role.AUDITOR)]
    assert [entry.deed for entry in town.store.rows[TENANT].audit] == [
        Deed("member.joined", str(me.person.id), person_id=me.person.id)
    ]
    await town.signed_in()


async def test_an_invitation_is_good_once() -> None:
    town = Town()
    token = await town.invite()
    await town.joining.join(token, "Ada", PASSWORD, HERE)
    for _ in range(2):
        with pytest.raises(NotFound):
            await town.joining.accept(await town.signed_in(), token)
    with pytest.raises(NotFound):
        await town.joining.invited(token)


async def test_an_expired_or_unknown_invitation_makes_no_account() -> None:
    town = Town()
    expired = await town.invite()
    town.clock.advance(timedelta(days=7))
    for token in (
        expired,
        mint(Kind.INVITATION, TENANT, bytes(32)),
        "",
        "ptn_in_x",
        mint(Kind.CODE, TENANT, bytes(32)),
    ):
        with pytest.raises(NotFound):
            await town.joining.join(token, "Ada", PASSWORD, HERE)
    assert not town.store.directory_rows.people


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [
        ("", PASSWORD, "name"),
        ("  ", PASSWORD, "name"),
        ("a" * 101, PASSWORD, "name"),
        ("a\nb", PASSWORD, "name"),
        ("Ada", "short", "password"),
        ("Ada", EMAIL.upper(), "password"),
    ],
)
async def test_name_and_password_are_checked_first(name: str, password: str, field: str) -> None:
    town = Town()
    token = await town.invite()
    with pytest.raises(InvalidRange) as refused:
        await town.joining.join(token, name, password, HERE)
    assert refused.value.field == field
    assert not town.store.directory_rows.people
    assert town.store.rows[TENANT].invitations


async def test_an_existing_account_is_never_taken_over_by_an_invitation() -> None:
    town = Town()
    await town.settle()
    token = await town.invite()
    with pytest.raises(DuplicateName):
        await town.joining.join(token, "Mallory", "the password of Mallory", HERE)
    with pytest.raises(DuplicateName):
        await town.joining.join_recognised(token, Recognised("https://id.example", "mallory"), HERE)
    assert not town.store.directory_rows.identities
    await town.joining.accept(await town.signed_in(), token)
    assert (await town.signed_in()).memberships == [Membership(TENANT, "Acme", Role.MEMBER)]


async def test_only_the_invited_address_accepts() -> None:
    town = Town()
    await town.settle("mallory@portunus.example")
    token = await town.invite()
    with pytest.raises(NotFound):
        await town.joining.accept(await town.signed_in("mallory@portunus.example"), token)
    assert (await town.joining.invited(token)).email == EMAIL


async def test_who_is_a_member_keeps_the_role() -> None:
    town = Town()
    await town.joining.join(await town.invite(role=Role.OWNER), "Ada", PASSWORD, HERE)
    await town.joining.accept(await town.signed_in(), await town.invite(role=Role.AUDITOR))
    assert [each.role for each in (await town.signed_in()).memberships] == [Role.OWNER]
    assert len(town.store.rows[TENANT].audit) == 1


async def test_what_broke_off_between_account_and_membership_is_taken_up_again() -> None:
    town = Town()
    token = await town.invite()
    begun = 0

    def breaking(tenant_id: TenantId) -> Work:
        nonlocal begun
        begun += 1
        if begun == 2:
            raise ConnectionError
        return town.store.begin(tenant_id)

    with pytest.raises(ConnectionError):
        await replace(town.joining, begin=breaking).join(token, "Ada", PASSWORD, HERE)
    assert (await town.signed_in()).memberships == []
    assert (await town.joining.invited(token)).known
    await town.joining.accept(await town.signed_in(), token)
    assert len((await town.signed_in()).memberships) == 1


@pytest.mark.parametrize(("said", "shown"), [("Ada L.", "Ada L."), (None, "ada"), ("", "ada"), ("a\x00b", "ada")])
async def test_an_account_of_a_recognised_person_needs_no_password(said: str | None, shown: str) -> None:
    town = Town()
    who = Recognised("https://id.example", "248289761001", said)
    await town.joining.join_recognised(await town.invite(), who, HERE)
    me = await town.who((await town.recognition.sign_in(who, HERE)).reveal())
    assert (me.person.name, me.person.email) == (shown, EMAIL)
    assert not town.store.directory_rows.passwords

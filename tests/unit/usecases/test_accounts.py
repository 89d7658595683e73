"""Signing in and out: what a session is good for, how guessing is slowed down, and what a new password ends."""

import asyncio
from datetime import timedelta

import pytest

from domain.errors import InvalidRange, NotFound, NotSignedIn, TooManyFailures
from domain.model.tokens import digest
from domain.usecases.accounts import SignedIn, Visitor
from tests.unit.usecases.people import EMAIL, PASSWORD, Town

HOME = Visitor("Firefox", "127.0.0.7")


async def fail(town: Town, times: int, email: str = EMAIL, visitor: Visitor = HOME) -> None:
    for _ in range(times):
        with pytest.raises(NotSignedIn):
            await town.accounts.sign_in(email, "a wrong password", visitor)


async def wait_of(town: Town, email: str = EMAIL, visitor: Visitor = HOME) -> int:
    with pytest.raises(TooManyFailures) as refused:
        await town.accounts.sign_in(email, PASSWORD, visitor)
    return refused.value.retry_after


async def test_a_person_signs_in_and_is_known_by_the_cookie() -> None:
    town = Town()
    person = await town.settle()
    cookie = (await town.accounts.sign_in(f" {EMAIL.upper()} ", PASSWORD, HOME)).reveal()
    me = await town.who(cookie)
    assert (me.person, me.memberships, me.session.browser) == (person, [], "Firefox")
    assert cookie.startswith("ptn_se_")
    assert cookie not in repr(town.store.directory_rows)
    assert list(town.store.directory_rows.sessions) == [digest(cookie)]


@pytest.mark.parametrize("cookie", [None, "", "ptn_se_", "é" * 50, "ptn_se_" + "0" * 49])
async def test_any_other_cookie_is_nobodys(cookie: str | None) -> None:
    assert await Town().accounts.signed_in(cookie) is None


async def test_a_session_ends_when_its_time_is_over() -> None:
    town = Town()
    await town.settle()
    cookie = (await town.accounts.sign_in(EMAIL, PASSWORD, HOME)).reveal()
    town.clock.advance(timedelta(hours=12) - timedelta(seconds=1))
    assert len(await town.accounts.sessions(await town.who(cookie))) == 1
    town.clock.advance(timedelta(seconds=1))
    assert await town.accounts.signed_in(cookie) is None


async def test_unknown_and_wrong_read_alike() -> None:
    """For each, a password is compared; what is no address is not even looked up."""
    town = Town()
    await town.settle()
    await town.settle("grace@portunus.example", password=None)
    said = set()
    for email in (EMAIL, "nobody@portunus.example", "grace@portunus.example", "no address", "", "a\x00@b.example"):
        with pytest.raises(NotSignedIn) as refused:
            await town.accounts.sign_in(email, "a wrong password", HOME)
        said.add(str(refused.value))
    assert said == {"The e-mail address or the password is wrong."}


async def test_a_sign_in_makes_a_new_session_and_ends_the_one_the_browser_had() -> None:
    town = Town()
    await town.settle()
    first = (await town.accounts.sign_in(EMAIL, PASSWORD, HOME)).reveal()
    second = (await town.accounts.sign_in(EMAIL, PASSWORD, Visitor(cookie=first))).reveal()
    assert first != second
    assert await town.accounts.signed_in(first) is None
    planted = "ptn_se_planted"
    third = (await town.accounts.sign_in(EMAIL, PASSWORD, Visitor(cookie=planted))).reveal()
    assert third != planted
    assert await town.accounts.signed_in(planted) is None


async def test_after_five_failures_in_a_row_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    town = Town()
    await town.settle()
    await fail(town, 5)
    waits = []
    for _ in range(12):
        waits.append(await wait_of(town))
        town.clock.advance(timedelta(seconds=waits[-1]))
        await fail(town, 1, visitor=Visitor())
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert await wait_of(town) == 900


async def test_the_wait_is_the_same_for_an_account_that_is_not_there() -> None:
    town = Town()
    await fail(town, 5, "nobody@portunus.example")
    assert await wait_of(town, "nobody@portunus.example") == 1
    assert "nobody" not in repr(town.store.directory_rows.failures)


async def test_a_success_starts_the_account_anew() -> None:
    town = Town()
    await town.settle()
    await fail(town, 4)
    await town.signed_in()
    await fail(town, 5)
    assert await wait_of(town) == 1


async def test_waiting_does_not_count_as_failing() -> None:
    town = Town()
    await town.settle()
    await fail(town, 5)
    for _ in range(3):
        assert await wait_of(town) == 1
    town.clock.advance(timedelta(seconds=1))
    await town.accounts.sign_in(EMAIL, PASSWORD, HOME)


async def test_an_address_that_tries_many_accounts_waits_and_others_do_not() -> None:
    town = Town()
    await town.settle()
    for number in range(20):
        await fail(town, 1, f"p{number}@portunus.example")
    assert await wait_of(town) == 1
    await town.accounts.sign_in(EMAIL, PASSWORD, Visitor(address="127.0.0.8"))
    town.clock.advance(timedelta(seconds=1))
    await town.accounts.sign_in(EMAIL, PASSWORD, HOME)
    town.clock.advance(timedelta(seconds=1))
    await fail(town, 1, "p@portunus.example")
    assert await wait_of(town) == 2, "a success of one person does not excuse the address"


async def test_people_behind_one_address_do_not_add_up_by_signing_in() -> None:
    town = Town()
    await town.settle()
    for _ in range(50):
        await town.accounts.sign_in(EMAIL, PASSWORD, HOME)


async def test_failures_are_forgotten_after_a_day() -> None:
    town = Town()
    await town.settle()
    await fail(town, 5)
    town.clock.advance(timedelta(days=1))
    await fail(town, 5)
    assert await wait_of(town) == 1


async def test_many_guesses_at_once_are_no_way_around_the_wait() -> None:
    town = Town()
    await town.settle()
    tries = [town.accounts.sign_in(EMAIL, "a wrong password", HOME) for _ in range(20)]
    refused = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(each).__name__ for each in refused) == ["NotSignedIn"] * 5 + ["TooManyFailures"] * 15


async def test_a_hash_of_weaker_parameters_is_made_anew() -> None:
    town = Town()
    person = await town.settle()
    town.store.directory_rows.passwords[person.id] = f"1:{PASSWORD}"
    await town.signed_in()
    assert town.store.directory_rows.passwords[person.id] == f"2:{PASSWORD}"


async def test_signing_out_ends_this_session_alone() -> None:
    town = Town()
    await town.settle()
    here = (await town.accounts.sign_in(EMAIL, PASSWORD, HOME)).reveal()
    there = (await town.accounts.sign_in(EMAIL, PASSWORD, HOME)).reveal()
    await town.accounts.sign_out(here)
    assert await town.accounts.signed_in(here) is None
    assert await town.accounts.signed_in(there)


async def test_signing_out_everywhere_ends_all_sessions_of_this_person() -> None:
    town = Town()
    await town.settle()
    await town.settle("grace@portunus.example")
    grace = await town.signed_in("grace@portunus.example")
    me = [await town.signed_in() for _ in range(3)]
    assert await town.accounts.sign_out_everywhere(me[0]) == 3
    assert list(town.store.directory_rows.sessions) == [grace.session.digest]


async def test_a_person_ends_own_sessions_and_no_others() -> None:
    town = Town()
    await town.settle()
    await town.settle("grace@portunus.example")
    grace, here, there = await town.signed_in("grace@portunus.example"), await town.signed_in(), await town.signed_in()
    await town.accounts.end_session(here, there.session.digest)
    assert await town.accounts.sessions(here) == [here.session]
    for other in (grace.session.digest, there.session.digest, b""):
        with pytest.raises(NotFound):
            await town.accounts.end_session(here, other)
    assert await town.accounts.sessions(grace) == [grace.session]


NEW = "another long password"


async def changed(town: Town, me: SignedIn, old: str = PASSWORD, new: str = NEW) -> SignedIn:
    return await town.who((await town.accounts.change_password(me, old, new, HOME)).reveal())


async def test_a_new_password_needs_the_old_one_and_ends_all_other_sessions() -> None:
    town = Town()
    await town.settle()
    here, there = await town.signed_in(), await town.signed_in()
    await town.resets.issue(EMAIL)
    with pytest.raises(NotSignedIn):
        await changed(town, here, old="a wrong password")
    me = await changed(town, here)
    assert await town.accounts.sessions(me) == [me.session]
    assert there.session.digest not in town.store.directory_rows.sessions
    assert not town.store.directory_rows.resets
    with pytest.raises(NotSignedIn):
        await town.signed_in(password=PASSWORD)
    await town.signed_in(password=NEW)


async def test_guessing_the_old_password_is_slowed_down_too() -> None:
    town = Town()
    await town.settle()
    me = await town.signed_in()
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            await changed(town, me, old="a wrong password")
    with pytest.raises(TooManyFailures):
        await changed(town, me)


async def test_a_weak_password_is_refused_before_the_old_one_is_tried() -> None:
    town = Town()
    await town.settle()
    me = await town.signed_in()
    with pytest.raises(InvalidRange) as refused:
        await changed(town, me, old="a wrong password", new="too short")
    assert refused.value.field == "new_password"
    assert not town.store.directory_rows.failures

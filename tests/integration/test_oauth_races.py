"""Twenty at once with one code, one refresh token, one device: one is served, and what a thief could have ends."""

import asyncio
from collections import Counter

import httpx2

from domain.model.authorization import Decision
from tests.databases import Urls
from tests.oauth_town import Partner, error_of, founded

CROWD = 20


def served(answers: list[httpx2.Response]) -> list[httpx2.Response]:
    """Those that got tokens; all others were told that there is nothing to get."""
    refused = Counter(error_of(answer) for answer in answers if answer.status_code != 200)
    assert set(refused) <= {(400, "invalid_grant")}
    return [answer for answer in answers if answer.status_code == 200]


async def works(partner: Partner, answer: httpx2.Response) -> bool:
    return (await partner.town.whoami(answer.json()["access_token"])).status_code == 200


async def test_one_of_twenty_redeems_a_code_and_the_others_end_what_came_of_it(urls: Urls) -> None:
    async with founded(urls) as town:
        partner = await town.partner()
        code = await partner.code()
        winners = served(list(await asyncio.gather(*(partner.redeem(code) for _ in range(CROWD)))))
        assert len(winners) == 1
        assert not await works(partner, winners[0])
        assert error_of(await partner.refresh(winners[0].json()["refresh_token"])) == (400, "invalid_grant")


async def test_one_of_twenty_refreshes_and_the_others_end_the_family(urls: Urls) -> None:
    async with founded(urls) as town:
        partner = await town.partner()
        tokens, bystander = await partner.let_in(), await partner.let_in()
        tries = (partner.refresh(tokens["refresh_token"]) for _ in range(CROWD))
        winners = served(list(await asyncio.gather(*tries)))
        assert len(winners) == 1
        assert not await works(partner, winners[0])
        assert (await town.whoami(tokens["access_token"])).status_code == 401
        assert error_of(await partner.refresh(winners[0].json()["refresh_token"])) == (400, "invalid_grant")
        assert (await partner.refresh(bystander["refresh_token"])).status_code == 200


async def test_a_replay_leaves_nothing_of_a_family_that_is_just_renewed(urls: Urls) -> None:
    """The used token and its successor are shown at the same moments, over and over."""
    async with founded(urls) as town:
        partner = await town.partner()
        for _ in range(5):
            first = await partner.let_in()
            second = (await partner.refresh(first["refresh_token"])).json()
            replayed, renewed = await asyncio.gather(
                partner.refresh(first["refresh_token"]), partner.refresh(second["refresh_token"])
            )
            assert error_of(replayed) == (400, "invalid_grant")
            if renewed.status_code == 200:
                assert not await works(partner, renewed)
                assert error_of(await partner.refresh(renewed.json()["refresh_token"])) == (400, "invalid_grant")


async def test_one_of_twenty_polls_gets_the_tokens_of_a_device(urls: Urls) -> None:
    async with founded(urls) as town:
        partner = await town.partner()
        started = (await partner.start()).json()
        await partner.decide(started["user_code"], Decision.APPROVED)
        winners = served(list(await asyncio.gather(*(partner.poll(started["device_code"]) for _ in range(CROWD)))))
        assert len(winners) == 1
        assert await works(partner, winners[0])

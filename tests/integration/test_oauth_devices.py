"""A device without a browser waits until a person lets it in, and gets its tokens once."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.model.authorization import Decision
from tests.databases import Urls
from tests.oauth_town import ISSUER, RESOURCE, Town, error_of, founded

PENDING = (400, "authorization_pending")
INVALID = (400, "invalid_grant")


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


@pytest.mark.parametrize("public", [False, True], ids=["confidential", "public"])
async def test_a_device_gets_tokens_once_a_person_said_yes(urls: Urls, public: bool) -> None:
    async with founded(urls) as town:
        partner = await town.partner(public=public)
        started = (await partner.start()).json()
        assert error_of(await partner.poll(started["device_code"])) == PENDING
        await partner.decide(started["user_code"], Decision.APPROVED)
        tokens = (await partner.poll(started["device_code"])).json()
        assert tokens["scope"].split() == ["models:invoke", "offline_access"]
        assert (await town.whoami(tokens["access_token"])).json()["tenant"] == str(town.opened.tenant.id)
        assert (await partner.refresh(tokens["refresh_token"])).status_code == 200
        assert error_of(await partner.poll(started["device_code"])) == INVALID


async def test_a_device_is_told_where_the_person_goes_with_which_code(town: Town) -> None:
    partner = await town.partner()
    answer = await partner.start()
    started = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", started["user_code"])
    assert started["verification_uri"] == f"{ISSUER}/device"
    assert started["verification_uri_complete"] == f"{ISSUER}/device?user_code={started['user_code']}"
    assert (started["expires_in"], started["interval"]) == (600, 5)
    assert started["device_code"].startswith("ptn_dc_")


async def test_a_device_that_asks_too_often_is_slowed_down(town: Town) -> None:
    partner = await town.partner()
    started = (await partner.start()).json()
    assert error_of(await partner.poll(started["device_code"])) == PENDING
    town.clock.advance(timedelta(seconds=4))
    assert error_of(await partner.poll(started["device_code"])) == (400, "slow_down")
    town.clock.advance(timedelta(seconds=5))
    assert error_of(await partner.poll(started["device_code"])) == PENDING


async def test_a_device_hears_of_a_no(town: Town) -> None:
    partner = await town.partner()
    started = (await partner.start()).json()
    await partner.decide(started["user_code"], Decision.DENIED)
    assert error_of(await partner.poll(started["device_code"])) == (400, "access_denied")


async def test_nobody_waits_longer_than_ten_minutes(town: Town) -> None:
    partner = await town.partner()
    started = (await partner.start()).json()
    await partner.decide(started["user_code"], Decision.APPROVED)
    town.clock.advance(timedelta(seconds=600))
    assert error_of(await partner.poll(started["device_code"])) == (400, "expired_token")


async def test_another_clients_device_code_is_none(town: Town) -> None:
    partner, thief = await town.partner(), await town.partner()
    started = (await partner.start()).json()
    await partner.decide(started["user_code"], Decision.APPROVED)
    assert error_of(await thief.poll(started["device_code"])) == INVALID
    assert (await partner.poll(started["device_code"])).status_code == 200
    assert error_of(await partner.poll("ptn_dc_nonsense")) == INVALID


@pytest.mark.parametrize("scope", ["", " ", "tenants:open", "usage:read", "models:invoke nonsense"])
async def test_a_device_names_scopes_of_its_client(town: Town, scope: str) -> None:
    partner = await town.partner()
    assert error_of(await partner.start(scope=scope)) == (400, "invalid_scope")
    assert error_of(await partner.post({}, "device_authorization")) == (400, "invalid_scope")


async def test_a_device_is_let_into_a_known_resource(town: Town) -> None:
    partner = await town.partner(resource=RESOURCE)
    assert error_of(await partner.start(resource="https://other.example")) == (400, "invalid_target")
    started = (await partner.start(resource=RESOURCE)).json()
    await partner.decide(started["user_code"], Decision.APPROVED)
    assert (await partner.poll(started["device_code"])).json()["access_token"].count(".") == 2


async def test_a_service_starts_no_device(town: Town) -> None:
    answer = await town.post({"scope": "models:invoke"}, "device_authorization")
    assert error_of(answer) == (400, "unauthorized_client")


async def test_a_client_without_its_proof_starts_no_device(town: Town) -> None:
    partner = await town.partner()
    form = {"client_id": partner.id, "scope": "models:invoke"}
    assert error_of(await town.post(form, "device_authorization", Authorization="")) == (401, "invalid_client")

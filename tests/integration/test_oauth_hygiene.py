"""Nothing that opens anything is written down anywhere, and every refusal is one that programs can read."""

import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from domain.model.authorization import Decision
from tests.databases import Urls
from tests.oauth_town import RESOURCE, SECRET, VERIFIER, Partner, Town, basic, error_of, founded

OPENS = re.compile(r"ptn_(at|rt|ac|dc|cs)_[0-9A-Za-z]{20}|eyJ[A-Za-z0-9_-]{20}")
"""What a token, a code or a secret looks like, and anything signed."""


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


async def every_grant(partner: Partner) -> list[str]:
    """All that was shown or handed out on the way through every grant, once well and once badly."""
    code = await partner.code()
    tokens = (await partner.redeem(code, resource=RESOURCE)).json()
    renewed = (await partner.refresh(tokens["refresh_token"])).json()
    started = (await partner.start()).json()
    await partner.poll(started["device_code"])
    await partner.decide(started["user_code"], Decision.APPROVED)
    by_device = (await partner.poll(started["device_code"])).json()
    own = (await partner.post({"grant_type": "client_credentials"})).json()
    for token in (renewed["access_token"], by_device["refresh_token"]):
        await partner.post({"token": token}, "introspect")
        await partner.post({"token": token}, "revoke")
    await partner.redeem(code)
    await partner.redeem(code[:-1])
    await partner.refresh(tokens["refresh_token"])
    await partner.poll(started["device_code"])
    kinds = "access_token", "refresh_token", "id_token"
    shown: list[Any] = [answer.get(kind) for answer in (tokens, renewed, by_device, own) for kind in kinds]
    return [code, started["device_code"], SECRET, VERIFIER, *filter(None, shown)]


async def test_no_token_code_or_secret_is_in_any_log_or_in_the_database(
    sqlite_urls: Urls, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with founded(sqlite_urls) as town:
            secrets = await every_grant(await town.partner(resource=RESOURCE))
    assert len(secrets) == 12
    assert [record for record in caplog.records if record.name.startswith("authlib")] == []
    store = Path(make_url(sqlite_urls.app).database or "")
    stored = b"".join(file.read_bytes() for file in store.parent.glob(store.name + "*"))
    for secret in secrets:
        assert secret not in caplog.text
        assert secret.encode() not in stored
    assert not OPENS.search(caplog.text)


async def test_no_refusal_repeats_what_was_sent(town: Town) -> None:
    partner = await town.partner()
    canary = "canary-4711"
    forms = [
        {"grant_type": canary},
        {"grant_type": "client_credentials", "scope": canary},
        {"grant_type": "client_credentials", "resource": f"https://{canary}"},
        {"grant_type": "authorization_code", "code": canary, "redirect_uri": canary, "code_verifier": canary},
        {"grant_type": "refresh_token", "refresh_token": canary},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": canary},
        {"grant_type": "client_credentials", "client_id": canary},
    ]
    answers = [await partner.post(form) for form in forms]
    answers += [await partner.post({"token": canary, "scope": canary}, to) for to in ("introspect", "revoke")]
    answers.append(await partner.start(scope=canary))
    answers.append(await town.post(forms[0], Authorization=basic(canary, canary)))
    for answer in answers:
        assert canary not in answer.text
        assert canary not in str(answer.headers)


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect", "device_authorization"])
async def test_every_endpoint_reads_forms_as_strictly(town: Town, endpoint: str) -> None:
    media_type = {"Content-Type": "application/json"}
    unreadable = "Basic " + "/////w=="
    assert error_of(await town.post({"a": "b"}, endpoint, **media_type)) == (415, "invalid_request")
    assert error_of(await town.post("a=%FF", endpoint)) == (400, "invalid_request")
    assert error_of(await town.post("token=a&scope=b&scope=b", endpoint)) == (400, "invalid_request")
    assert error_of(await town.post("x" * 20_000, endpoint)) == (413, "invalid_request")
    form = {"grant_type": "client_credentials", "token": "x", "scope": "models:invoke"}
    refused = await town.post(form, endpoint, Authorization=unreadable)
    assert error_of(refused) == (401, "invalid_client")
    assert refused.headers["www-authenticate"] == 'Basic realm="portunus", charset="UTF-8"'

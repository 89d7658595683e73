"""Pairs of access keys that are changed into tokens: the question is the SDK's (sdk_requests.json of each vendor:
qianfan 0.4.12.3, volcengine-ark-runtime 5.0.54); its answer has the fields that they read.
"""

import json

import pytest

from domain.errors import CredentialRejected, UpstreamError, UpstreamUnavailable
from tests.contract import recordings as rec
from tests.contract.access_keys import EXCHANGES, SECRET, Cloud, Exchange, asked

pytestmark = pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.id)


async def test_a_token_is_asked_for_as_the_sdk_does_and_used_until_it_ends(exchange: Exchange) -> None:
    cloud, question = Cloud(exchange), exchange.question
    async with asked(cloud) as subject:
        assert (await subject.chat(exchange.target(), rec.asking("ping"))).text == "pong"
        await subject.probe(exchange.id, exchange.target().form, None)
    assert cloud.asked == [(question["method"], question["path"], question["query"], question.get("json"))]
    assert cloud.chats == ["Bearer token-1", "Bearer token-1"]


async def test_a_token_that_is_about_to_end_is_asked_for_anew(exchange: Exchange) -> None:
    cloud = Cloud(exchange, seconds=exchange.margin)
    async with asked(cloud) as subject:
        for _ in range(2):
            await subject.chat(exchange.target(), rec.asking("ping"))
    assert cloud.chats == ["Bearer token-1", "Bearer token-2"]


async def test_a_token_that_was_revoked_is_forgotten(exchange: Exchange) -> None:
    cloud = Cloud(exchange, revoked=True)
    async with asked(cloud) as subject:
        with pytest.raises(CredentialRejected):
            await subject.chat(exchange.target(), rec.asking("ping"))
        cloud.revoked = False
        await subject.chat(exchange.target(), rec.asking("ping"))
    assert cloud.chats == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (400, "InvalidAccessKeyId", CredentialRejected),
        (401, "InvalidAccessKey", CredentialRejected),
        (403, "SignatureDoesNotMatch", CredentialRejected),
        (503, "ServiceUnavailable", UpstreamUnavailable),
    ],
)
async def test_a_pair_that_is_given_nothing_is_told_by_its_code_alone(
    exchange: Exchange, status: int, code: str, meaning: type[UpstreamError]
) -> None:
    async with asked(Cloud(exchange, refusal=(status, code))) as subject:
        with pytest.raises(meaning) as caught:
            await subject.chat(exchange.target(), rec.asking("ping"))
    assert caught.value.detail == f"no token was given: {code}"
    assert SECRET not in json.dumps(caught.value.message)

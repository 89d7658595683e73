"""Qianfan's access keys: the signature equals that of its own signer (signing_vectors.json: bce-python-sdk 0.9.79; the
last is the signing guide's example), the question for a token is the SDK's (sdk_requests.json: qianfan 0.4.12.3); its
answer has the fields that clients read.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from domain.errors import CredentialRejected, InvalidForm, UpstreamError, UpstreamUnavailable
from domain.model.secret import Secret
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.bce import MARGIN, Exchanged, Pair, authorization
from infrastructure.providers.signing.tokens import Tokens
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving

ID = "wenxin"
SECRET = "fakesecretkey"
FORM = {"auth_method": "access_key", "access_key": "fakeaccesskey", "secret_key": SECRET}
PAIR = Pair(Secret("fakeaccesskey"), Secret(SECRET))
NOW = 1_760_000_000
PATH = "/v1/BCE-BEARER/token"
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "pong"}, "finish_reason": "stop"}]}
VECTORS = rec.load(ID, "signing_vectors.json")["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["path"] for vector in VECTORS])
def test_a_signature_is_the_signers(vector: Any) -> None:
    pair = Pair(Secret(vector["access_key_id"]), Secret(vector["secret_access_key"]))
    given = {name.lower(): value for name, value in vector["headers"].items()}
    headers = {name: given[name] for name in vector["signed_headers"]}
    stamp, seconds = vector["auth_string_prefix"].split("/")[2:]
    told = authorization(pair, vector["method"], vector["path"], vector["query"], headers, stamp, int(seconds))
    assert told == vector["expected_authorization"]


@dataclass
class Cloud:
    """Gives tokens, counting them, that end at `end`; and answers chats with the last of them."""

    end: str = "2025-10-09T20:53:20Z"
    refusal: Any = None
    revoked: bool = False
    asked: list[Any] = field(default_factory=list)
    chats: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        told = self._token if request.url.path == PATH else self._chat
        await told(request)(scope, receive, send)

    def _token(self, request: Request) -> JSONResponse:
        self.asked.append((request.method, request.url.path, dict(request.query_params)))
        stamp, host = request.headers["x-bce-date"], request.headers["host"]
        signed = {"host": host, "x-bce-date": stamp}
        claim = authorization(PAIR, "GET", PATH, dict(request.query_params), signed, "2025-10-09T08:53:20Z", 300)
        assert request.headers["authorization"] == claim
        if self.refusal:
            return JSONResponse({"code": self.refusal[1], "message": SECRET, "requestId": "1"}, self.refusal[0])
        return JSONResponse({"token": f"token-{len(self.asked)}", "expireTime": self.end})

    def _chat(self, request: Request) -> JSONResponse:
        self.chats.append(request.headers["authorization"])
        refusal = {"error": {"code": "invalid_iam_token", "message": "No."}}
        return JSONResponse(refusal, 401) if self.revoked else JSONResponse(ANSWER)


@asynccontextmanager
async def asked(cloud: Cloud) -> AsyncIterator[HttpGateway]:
    async with serving(cloud) as url:
        tokens = Tokens(MARGIN, lambda: NOW)
        adapter = replace(
            ADAPTERS[ID], base_url=lambda _: f"{url}/v2", sign=lambda _: Exchanged(ID, url + PATH, PAIR, tokens)
        )
        async with gateway(adapters={ID: adapter}) as subject:
            yield subject


def target() -> Any:
    return rec.target(ID, "ernie-4.5-turbo-32k", FORM)


@pytest.mark.parametrize("end", ["2025-10-09T20:53:20Z", "2025-10-09T20:53:20", "soon"])
async def test_a_token_is_asked_for_as_the_sdk_does_and_used_until_it_ends(end: str) -> None:
    cloud = Cloud(end=end)
    async with asked(cloud) as subject:
        assert (await subject.chat(target(), rec.asking("ping"))).text == "pong"
        await subject.probe(ID, target().form, None)
    questions = [r for r in rec.load(ID, "sdk_requests.json")["requests"] if r["path"] == PATH]
    assert cloud.asked == [(questions[0]["method"], PATH, questions[0]["query"])]
    assert cloud.chats == ["Bearer token-1", "Bearer token-1"]


async def test_a_token_that_is_about_to_end_is_asked_for_anew() -> None:
    cloud = Cloud(end="2025-10-09T09:23:20Z")
    async with asked(cloud) as subject:
        for _ in range(2):
            await subject.chat(target(), rec.asking("ping"))
    assert cloud.chats == ["Bearer token-1", "Bearer token-2"]


async def test_a_token_that_was_revoked_is_forgotten() -> None:
    cloud = Cloud(revoked=True)
    async with asked(cloud) as subject:
        with pytest.raises(CredentialRejected):
            await subject.chat(target(), rec.asking("ping"))
        cloud.revoked = False
        await subject.chat(target(), rec.asking("ping"))
    assert cloud.chats == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (400, "InvalidAccessKeyId", CredentialRejected),
        (403, "SignatureDoesNotMatch", CredentialRejected),
        (503, "ServiceUnavailable", UpstreamUnavailable),
    ],
)
async def test_a_pair_that_is_given_nothing_is_told_by_its_code_alone(
    status: int, code: str, meaning: type[UpstreamError]
) -> None:
    async with asked(Cloud(refusal=(status, code))) as subject:
        with pytest.raises(meaning) as caught:
            await subject.chat(target(), rec.asking("ping"))
    assert caught.value.detail == f"no token was given: {code}"
    assert SECRET not in json.dumps(caught.value.message)


def test_the_form_asks_for_the_pair_or_the_key() -> None:
    provider = ADAPTERS[ID].provider()
    assert isinstance(ADAPTERS[ID].sign(provider.checked(FORM, None)), Exchanged)
    with pytest.raises(InvalidForm) as refused:
        provider.checked({"auth_method": "access_key", "api_key": "k"}, None)
    assert {p.field for p in refused.value.problems} == {"api_key", "access_key", "secret_key"}

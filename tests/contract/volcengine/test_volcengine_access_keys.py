"""VolcanoEngine's access keys: the signature equals the SDK's own (signing_vectors.json: volcenginesdkcore 5.0.54), the
question for a key and what follows it are those of the SDK (sdk_requests.json: volcengine-ark-runtime 5.0.54).
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

from domain.errors import CredentialRejected, InvalidForm, InvalidRange, ModelNotFoundUpstream, UpstreamError
from domain.model.secret import Secret
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.lent import MARGIN, Lent, Pair, signed_headers
from infrastructure.providers.signing.tokens import Tokens
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving

ID = "volcengine"
ENDPOINT = "ep-20250101000000-abcde"
SECRET = "fakesecretfakesecretfakesecret=="
FORM = {
    "auth_method": "aksk",
    "volc_access_key_id": "AKLTfakefakefakefake",
    "volc_secret_access_key": SECRET,
    "endpoint_id": ENDPOINT,
}
PAIR = Pair(Secret("AKLTfakefakefakefake"), Secret(SECRET), "cn-beijing", "ark")
(QUESTION,) = [
    r for r in rec.load(ID, "sdk_requests.json")["requests"] if r.get("query", {}).get("Action") == "GetApiKey"
]
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "pong"}, "finish_reason": "stop"}]}


def test_a_signature_is_the_sdks() -> None:
    (vector,) = rec.load(ID, "signing_vectors.json")["vectors"]
    ours = signed_headers(PAIR, vector["host"], vector["query"], vector["body"].encode(), vector["utc"])
    assert ours == {name.lower(): value for name, value in vector["expected_headers"].items()}


@dataclass
class Cloud:
    """Lends keys, counting them, that end `seconds` from 1,000; and answers chats with the last of them."""

    seconds: float = 86_400
    refusal: Any = None
    revoked: bool = False
    asked: list[Any] = field(default_factory=list)
    chats: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        told = self._lent if request.url.query else self._chat
        await told(request, await request.json())(scope, receive, send)

    def _lent(self, request: Request, body: Any) -> JSONResponse:
        self.asked.append((request.method, request.url.path, dict(request.query_params), body))
        assert request.headers["authorization"].startswith("HMAC-SHA256 Credential=AKLTfakefakefakefake/")
        if self.refusal:
            return JSONResponse(
                {"ResponseMetadata": {"Error": {"Code": self.refusal[1], "Message": SECRET}}}, self.refusal[0]
            )
        return JSONResponse({"Result": {"ApiKey": f"key-{len(self.asked)}", "ExpiredTime": int(1_000 + self.seconds)}})

    def _chat(self, request: Request, _: Any) -> JSONResponse:
        self.chats.append(request.headers["authorization"])
        refusal = {"error": {"code": "AuthenticationError", "message": "No."}}
        return JSONResponse(refusal, 401) if self.revoked else JSONResponse(ANSWER)


@asynccontextmanager
async def asked(cloud: Cloud, now: float = 1_000) -> AsyncIterator[HttpGateway]:
    async with serving(cloud) as url:
        tokens = Tokens(MARGIN, lambda: now)
        adapter = replace(
            ADAPTERS[ID], base_url=lambda _: f"{url}/api/v3", sign=lambda _: Lent(ID, f"{url}/", PAIR, tokens)
        )
        async with gateway(adapters={ID: adapter}) as subject:
            yield subject


def target(model: str = ENDPOINT) -> Any:
    return rec.target(ID, model, FORM)


async def test_a_key_is_asked_for_as_the_sdk_does_and_used_until_it_ends() -> None:
    cloud = Cloud()
    async with asked(cloud) as subject:
        assert (await subject.chat(target(), rec.asking("ping"))).text == "pong"
        await subject.probe(ID, target().form, None)
    assert cloud.asked == [(QUESTION["method"], QUESTION["path"], QUESTION["query"], QUESTION["json"])]
    assert cloud.chats == ["Bearer key-1", "Bearer key-1"]


async def test_each_endpoint_has_a_key_of_its_own() -> None:
    cloud = Cloud()
    async with asked(cloud) as subject:
        for model in (ENDPOINT, "ep-m-20250101000000-fghij"):
            await subject.chat(target(model), rec.asking("ping"))
    assert [body["ResourceType"] for *_, body in cloud.asked] == ["endpoint", "presetendpoint"]
    assert cloud.chats == ["Bearer key-1", "Bearer key-2"]


async def test_a_key_that_is_about_to_end_is_asked_for_anew() -> None:
    cloud = Cloud(seconds=MARGIN)
    async with asked(cloud) as subject:
        for _ in range(2):
            await subject.chat(target(), rec.asking("ping"))
    assert cloud.chats == ["Bearer key-1", "Bearer key-2"]


async def test_a_key_that_was_revoked_is_forgotten() -> None:
    cloud = Cloud(revoked=True)
    async with asked(cloud) as subject:
        with pytest.raises(CredentialRejected):
            await subject.chat(target(), rec.asking("ping"))
        cloud.revoked = False
        await subject.chat(target(), rec.asking("ping"))
    assert cloud.chats == ["Bearer key-1", "Bearer key-2"]


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (401, "InvalidAccessKey", CredentialRejected),
        (403, "SignatureDoesNotMatch", CredentialRejected),
        (404, "InvalidEndpoint.NotFound", ModelNotFoundUpstream),
    ],
)
async def test_a_pair_that_is_lent_nothing_is_told_by_its_code_alone(
    status: int, code: str, meaning: type[UpstreamError]
) -> None:
    async with asked(Cloud(refusal=(status, code))) as subject:
        with pytest.raises(meaning) as caught:
            await subject.chat(target(), rec.asking("ping"))
    assert caught.value.detail == f"no key was lent: {code}"
    assert SECRET not in json.dumps(caught.value.message)


async def test_a_pair_reaches_endpoints_alone() -> None:
    cloud = Cloud()
    async with asked(cloud) as subject:
        with pytest.raises(InvalidRange):
            await subject.chat(target("doubao-seed-2-0-lite-260428"), rec.asking("ping"))
    assert (cloud.asked, cloud.chats) == ([], [])


def test_the_form_asks_for_the_pair_or_the_key() -> None:
    provider = ADAPTERS[ID].provider()
    assert isinstance(ADAPTERS[ID].sign(provider.checked(FORM, None)), Lent)
    with pytest.raises(InvalidForm) as refused:
        provider.checked({"auth_method": "aksk", "volc_api_key": "k"}, None)
    assert {p.field for p in refused.value.problems} == {"volc_api_key", "volc_access_key_id", "volc_secret_access_key"}

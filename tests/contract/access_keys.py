"""A cloud that changes pairs of access keys into tokens, and the two vendors whose keys go that way."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from domain.ports import Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing import bce, lent
from infrastructure.providers.signing.tokens import Tokens
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving

NOW = 1_760_000_000
HALF_A_DAY = 43_200
SECRET = "fakesecretfakesecretfakesecret=="
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "pong"}, "finish_reason": "stop"}]}
TOKENS_PATH = "/v1/BCE-BEARER/token"
QIANFAN = bce.Pair(Secret("fakeaccesskey"), Secret(SECRET))
ARK = lent.Pair(Secret("AKLTfakefakefakefake"), Secret(SECRET), "cn-beijing", "ark")


@dataclass(frozen=True)
class Exchange:
    """How one vendor changes a pair of keys into a token: what asks for it, what gives it, what refuses it."""

    id: str
    form: FormValues
    model: str
    margin: float
    sign: Callable[[str, Tokens], httpx2.Auth]
    question: Mapping[str, Any]
    given: Callable[[str, float], Any]
    refusal: Callable[[str], Any]
    spent: str

    def target(self, model: str | None = None) -> Target:
        return rec.target(self.id, model or self.model, self.form)


def recorded(provider: str, wanted: Callable[[Any], bool]) -> Mapping[str, Any]:
    """The first question for a token that the SDK was recorded to ask."""
    return next(request for request in rec.load(provider, "sdk_requests.json")["requests"] if wanted(request))


EXCHANGES = (
    Exchange(
        "wenxin",
        {"auth_method": "access_key", "access_key": "fakeaccesskey", "secret_key": SECRET},
        "ernie-4.5-turbo-32k",
        bce.MARGIN,
        lambda url, tokens: bce.Exchanged("wenxin", url + TOKENS_PATH, QIANFAN, tokens),
        recorded("wenxin", lambda request: request["path"] == TOKENS_PATH),
        lambda token, end: {"token": token, "expireTime": f"{datetime.fromtimestamp(end, UTC):%Y-%m-%dT%H:%M:%SZ}"},
        lambda code: {"code": code, "message": SECRET, "requestId": "1"},
        "invalid_iam_token",
    ),
    Exchange(
        "volcengine",
        {
            "auth_method": "aksk",
            "volc_access_key_id": "AKLTfakefakefakefake",
            "volc_secret_access_key": SECRET,
            "endpoint_id": "ep-20250101000000-abcde",
        },
        "ep-20250101000000-abcde",
        lent.MARGIN,
        lambda url, tokens: lent.Lent("volcengine", f"{url}/", ARK, tokens),
        recorded("volcengine", lambda request: request.get("query", {}).get("Action") == "GetApiKey"),
        lambda token, end: {"Result": {"ApiKey": token, "ExpiredTime": int(end)}},
        lambda code: {"ResponseMetadata": {"Error": {"Code": code, "Message": SECRET}}},
        "AuthenticationError",
    ),
)
BY_ID = {exchange.id: exchange for exchange in EXCHANGES}


@dataclass
class Cloud:
    """Gives tokens, counting them, that end after so many seconds; and answers chats with the last of them."""

    exchange: Exchange
    seconds: float = HALF_A_DAY
    refusal: tuple[int, str] | None = None
    answer: Any = None
    revoked: bool = False
    asked: list[Any] = field(default_factory=list)
    claims: list[Mapping[str, str]] = field(default_factory=list)
    chats: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        told = await self._token(request) if request.url.query else self._chat(request)
        await told(scope, receive, send)

    async def _token(self, request: Request) -> JSONResponse:
        body = await request.json() if request.method == "POST" else {}
        self.asked.append((request.method, request.url.path, dict(request.query_params), body))
        self.claims.append(dict(request.headers))
        if self.refusal:
            return JSONResponse(self.exchange.refusal(self.refusal[1]), self.refusal[0])
        given = self.exchange.given(f"token-{len(self.asked)}", NOW + self.seconds)
        return JSONResponse({**given, **(self.answer or {})})

    def _chat(self, request: Request) -> JSONResponse:
        self.chats.append(request.headers["authorization"])
        refusal = {"error": {"code": self.exchange.spent, "message": "No."}}
        return JSONResponse(refusal, 401) if self.revoked else JSONResponse(ANSWER)


@asynccontextmanager
async def asked(cloud: Cloud) -> AsyncIterator[HttpGateway]:
    """A gateway to the cloud, at NOW."""
    exchange = cloud.exchange
    async with serving(cloud) as url:
        tokens = Tokens(exchange.margin, lambda: NOW)
        adapter = replace(
            ADAPTERS[exchange.id], base_url=lambda _: f"{url}/v1", sign=lambda _: exchange.sign(url, tokens)
        )
        async with gateway(adapters={exchange.id: adapter}) as subject:
            yield subject

"""A service account's token over real sockets: fetched through the gateway's own client, kept, and fetched again."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from domain.errors import CredentialRejected, EndpointForbidden, InvalidForm
from domain.model.calls import EmbedCall
from domain.model.catalogue import ModelType
from domain.model.events import fold
from infrastructure.http import egress
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.service_account import service_account
from infrastructure.providers.spec import Adapter
from tests.contract import recordings as rec
from tests.contract.google_cloud.account import FORM, ID
from tests.gateways import gateway
from tests.stubs.serve import serving

KEY = "vertex_service_account_key"
CANDIDATE = {"content": {"parts": [{"text": "There."}]}, "finishReason": "STOP"}
BODY = {"candidates": [CANDIDATE], "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2}}
TARGET = rec.target(ID, "gemini-3.5-flash", FORM)


@dataclass
class Cloud:
    """Gives out tokens, or refuses them with `refusal`, and answers whoever has the one it gave last."""

    refusal: int = 200
    seen: list[str] = field(default_factory=list)
    given: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        self.seen.append(request.url.path.rpartition(":")[2].rpartition("/")[2])
        answer = self._token() if request.url.path == "/token" else self._answer(request)
        await answer(scope, receive, send)

    def _token(self) -> Response:
        if self.refusal != 200:
            return JSONResponse({"error": "invalid_grant", "error_description": "Account not found."}, self.refusal)
        self.given += 1
        return JSONResponse({"access_token": f"ya29.{self.given}", "expires_in": 3599, "token_type": "Bearer"})

    def _answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer ya29.{self.given}":
            return JSONResponse({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "No."}}, 401)
        if request.query_params.get("alt") == "sse":
            return Response(f"data: {json.dumps(BODY)}\r\n\r\n", media_type="text/event-stream")
        if request.url.path.endswith(":embedContent"):
            return JSONResponse({"embedding": {"values": [1.0]}, "usageMetadata": {"promptTokenCount": 3}})
        return JSONResponse({"totalTokens": 1} if request.url.path.endswith(":countTokens") else BODY)


def at(url: str) -> Adapter:
    """The adapter, its every request sent to one address."""
    adapter = ADAPTERS[ID]
    assert adapter.chat
    assert adapter.embed
    return replace(
        adapter,
        base_url=lambda _: url,
        sign=service_account(ID, KEY, address=f"{url}/token"),
        probe=lambda target, form: replace(adapter.probe(target, form), base=None),
        chat=Homely(adapter.chat),
        embed=Homely(adapter.embed),
    )


class Homely:
    """A dialect whose requests go to the adapter's own address."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def render(self, *args: Any, **kwargs: Any) -> Any:
        return replace(self._inner.render(*args, **kwargs), base=None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@asynccontextmanager
async def asked(cloud: Cloud) -> AsyncIterator[HttpGateway]:
    async with serving(cloud) as url, gateway(adapters={ID: at(url)}) as subject:
        yield subject


async def test_one_token_serves_every_kind_of_call() -> None:
    cloud = Cloud()
    async with asked(cloud) as subject:
        await subject.probe(ID, TARGET.form, None)
        assert (await subject.chat(TARGET, rec.asking("Hi"))).text == "There."
        async with subject.chat_stream(TARGET, rec.asking("Hi")) as events:
            assert fold([event async for event in events]).text == "There."
        target = rec.target(ID, "gemini-embedding-001", FORM, ModelType.EMBEDDING)
        vectors = await subject.embed(target, EmbedCall(("a", "b")))
    assert (vectors.vectors, vectors.usage.input) == (((1.0,), (1.0,)), 6)
    assert cloud.seen == [
        "token",
        "countTokens",
        "generateContent",
        "streamGenerateContent",
        "embedContent",
        "embedContent",
    ]


async def test_an_account_that_is_not_known_is_a_bad_credential_and_nothing_was_asked() -> None:
    cloud = Cloud(refusal=400)
    async with asked(cloud) as subject:
        with pytest.raises(CredentialRejected, match="Account not found") as caught:
            await subject.chat(TARGET, rec.asking("Hi"))
    assert (caught.value.provider, caught.value.sent, cloud.seen) == (ID, False, ["token"])


async def test_a_token_that_is_withdrawn_is_replaced_for_the_next_call() -> None:
    cloud = Cloud()
    async with asked(cloud) as subject:
        await subject.chat(TARGET, rec.asking("Hi"))
        cloud.given += 1
        with pytest.raises(CredentialRejected):
            await subject.chat(TARGET, rec.asking("Hi"))
        assert (await subject.chat(TARGET, rec.asking("Hi"))).text == "There."


async def test_a_broken_key_file_never_leaves() -> None:
    cloud = Cloud()
    async with asked(cloud) as subject:
        with pytest.raises(InvalidForm):
            await subject.probe(ID, rec.target(ID, "x", {**FORM, KEY: "canary"}).form, None)
    assert cloud.seen == []


async def test_the_token_is_fetched_under_the_same_rule_of_egress() -> None:
    cloud = Cloud()
    async with serving(cloud) as url, egress() as client:
        with pytest.raises(EndpointForbidden):
            await HttpGateway({ID: at(url)}, client).chat(TARGET, rec.asking("Hi"))
    assert cloud.seen == []

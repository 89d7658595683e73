"""Answers that come later, over real sockets: a 202 with a ticket, then questions until the answer is there."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from domain.errors import CredentialRejected, UpstreamTimeout
from domain.model.events import fold
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.signing.polled import polled
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving

ID = "nvidia_api_catalog"
ANSWER = {"choices": [{"message": {"content": "There."}, "finish_reason": "stop"}]}
CHUNK = {"choices": [{"delta": {"content": "There."}, "finish_reason": "stop"}]}


@dataclass
class Slow:
    """Answers after `questions` of them; then with the answer, or with `refusal` as its status."""

    questions: int
    refusal: int = 200
    seen: list[tuple[str, str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.seen.append((request.method, request.url.path, request.headers.get("authorization", "")))
        await self._answer(request.headers["accept"])(scope, receive, send)

    def _answer(self, accept: str) -> Response:
        if len(self.seen) <= self.questions:
            return JSONResponse({}, 202, {"NVCF-REQID": "ticket/1"})
        if self.refusal != 200:
            return JSONResponse({"detail": "Authorization failed"}, self.refusal)
        if accept == "text/event-stream":
            return Response(f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n", media_type=accept)
        return JSONResponse(ANSWER)


@asynccontextmanager
async def asked(vendor: Slow) -> AsyncIterator[HttpGateway]:
    async with serving(vendor) as url:
        sign = polled(bearer("api_key"), ID, f"{url}/status", "nvcf-reqid", (0, 0, 0))
        adapter = replace(ADAPTERS[ID], base_url=lambda _: f"{url}/v1", sign=sign)
        async with gateway(adapters={ID: adapter}) as subject:
            yield subject


TARGET = rec.target(ID, "x", {"api_key": "nvapi-1"})
CALL = ("POST", "/v1/chat/completions", "Bearer nvapi-1")
QUESTION = ("GET", "/status/ticket/1", "Bearer nvapi-1")


@pytest.mark.parametrize("questions", [0, 1, 3])
async def test_an_answer_is_waited_for_with_the_same_key(questions: int) -> None:
    vendor = Slow(questions)
    async with asked(vendor) as subject:
        assert (await subject.chat(TARGET, rec.asking("Hi"))).text == "There."
    assert vendor.seen == [CALL, *[QUESTION] * questions]


async def test_a_stream_is_waited_for() -> None:
    async with asked(Slow(2)) as subject, subject.chat_stream(TARGET, rec.asking("Hi")) as events:
        assert fold([event async for event in events]).text == "There."


async def test_a_refusal_may_come_late() -> None:
    async with asked(Slow(1, refusal=403)) as subject:
        with pytest.raises(CredentialRejected):
            await subject.chat(TARGET, rec.asking("Hi"))


async def test_patience_ends() -> None:
    vendor = Slow(99)
    async with asked(vendor) as subject:
        with pytest.raises(UpstreamTimeout) as caught:
            await subject.chat(TARGET, rec.asking("Hi"))
    assert (caught.value.provider, caught.value.status, len(vendor.seen)) == (ID, 202, 4)

"""Requests signed over what is sent, over real sockets: the signature holds for what arrives, streams stay streams."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from domain.errors import BadRequestUpstream, CredentialRejected, UpstreamRateLimited
from domain.model.calls import EmbedCall
from domain.model.catalogue import ModelType
from domain.model.events import ChatAnswer, fold
from domain.model.secret import Secret
from domain.ports import Target
from infrastructure.providers.forms import fixed
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing import sigv4
from tests.contract import amazon
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving

ID = "aws_bedrock"
EVENTS = "application/vnd.amazon.eventstream"


@dataclass
class Verifier:
    """Recomputes each signature from the bytes that arrived, then answers with a recording."""

    recording: str
    provider: str = ID
    seen: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.seen.append(scope["raw_path"].decode())
        good = await _signed_well(request)
        await (self._answer() if good else _stranger())(scope, receive, send)

    def _answer(self) -> Response:
        reply = rec.calls(self.provider)[self.recording]["reply_replayed"]
        if "base64" in reply:
            raw = amazon.replayed(self.provider, self.recording)
            return StreamingResponse(_pieces(raw), media_type=EVENTS)
        return JSONResponse(reply["body"])


def _stranger() -> Response:
    name = "error_403_UnrecognizedClientException"
    kind = {"x-amzn-ErrorType": "UnrecognizedClientException"}
    return JSONResponse(rec.calls(ID)[name]["reply_replayed"]["body"], 403, kind)


async def _pieces(raw: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(raw), 50):
        yield raw[at : at + 50]


async def _signed_well(request: Request) -> bool:
    path = request.scope["raw_path"].decode()
    url = f"http://{request.headers['host']}{path}"
    claim = request.headers["authorization"]
    arrived = httpx2.Request(request.method, url, headers=dict(request.headers), content=await request.body())
    *_, region, service, _ = claim.partition("Credential=")[2].partition(",")[0].split("/")
    scope = sigv4.Scope(request.headers["x-amz-date"], region, service)
    text = sigv4.string_to_sign(scope, sigv4.canonical_request(arrived))
    return claim.endswith(sigv4.signature(Secret(amazon.PAIR["aws_secret_access_key"]), scope, text))


@dataclass(frozen=True, slots=True)
class Reached:
    gateway: HttpGateway
    vendor: Verifier
    url: str

    def target(self, kind: ModelType = ModelType.LLM, model: str = "us.amazon.nova-2-lite-v1:0", **form: str) -> Target:
        return rec.target(ID, model, {**amazon.PAIR, "bedrock_endpoint_url": self.url, **form}, kind)


@asynccontextmanager
async def answering(recording: str) -> AsyncIterator[Reached]:
    vendor = Verifier(recording)
    async with serving(vendor) as url, gateway(adapters={ID: ADAPTERS[ID]}) as subject:
        yield Reached(subject, vendor, url)


async def streamed(at: Reached, target: Target) -> ChatAnswer:
    async with at.gateway.chat_stream(target, rec.asking("Größe?")) as events:
        return fold([event async for event in events])


async def test_the_signature_of_a_chat_holds_where_it_arrives() -> None:
    async with answering("chat") as at:
        assert (await at.gateway.chat(at.target(), rec.asking("Größe?"))).text == "Hi."
    assert at.vendor.seen == ["/model/us.amazon.nova-2-lite-v1%3A0/converse"]


async def test_a_stream_of_binary_messages_comes_through() -> None:
    async with answering("chat_stream_tool") as at:
        answer = await streamed(at, at.target(aws_session_token="TOKEN", aws_region="eu-west-1"))
    assert (answer.text, answer.tool_calls[0].arguments) == ("Let me check.", '{"city":"Paris"}')
    assert at.vendor.seen == ["/model/us.amazon.nova-2-lite-v1%3A0/converse-stream"]


async def test_events_cut_into_messages_come_through() -> None:
    vendor = Verifier("chat_stream", "amazon_sagemaker")
    async with serving(vendor) as url:
        there = replace(ADAPTERS[vendor.provider], base_url=fixed(url))
        async with gateway(adapters={vendor.provider: there}) as subject:
            form = {**amazon.PAIR, "inference_component": "ic-1"}
            answer = await streamed(Reached(subject, vendor, url), rec.target(vendor.provider, "mine", form))
    assert (answer.tool_calls[0].arguments, answer.usage.input) == ('{"city":"Paris"}', 30)
    assert vendor.seen == ["/endpoints/mine/invocations-response-stream"]


async def test_a_wrong_secret_is_refused() -> None:
    async with answering("chat") as at:
        with pytest.raises(CredentialRejected) as caught:
            await at.gateway.chat(at.target(aws_secret_access_key="another"), rec.asking("x"))
    assert "invalid" in caught.value.detail


async def test_a_fault_in_a_stream_is_read() -> None:
    async with answering("stream_exception") as at:
        with pytest.raises(UpstreamRateLimited):
            await streamed(at, replace(at.target(), patient=False))


async def test_a_stream_that_is_none_is_the_vendors_fault() -> None:
    async with answering("chat") as at:
        with pytest.raises(BadRequestUpstream):
            await streamed(at, at.target())


async def test_as_many_requests_go_as_the_model_needs() -> None:
    async with answering("embedding_titan") as at:
        target = at.target(ModelType.EMBEDDING, "amazon.titan-embed-text-v2:0")
        answer = await at.gateway.embed(target, EmbedCall(("a", "b")))
    assert (answer.vectors, answer.usage.input) == (((0.1, 0.2), (0.1, 0.2)), 2)
    assert len(at.vendor.seen) == 2

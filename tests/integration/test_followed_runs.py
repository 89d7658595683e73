"""Runs over real sockets: started, then asked about or listened to until they are over. The questions are those of the
official SDK (tests/contract/replicate/sdk_requests.json).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from domain.errors import CredentialRejected, ModelNotFoundUpstream, UpstreamTimeout, UpstreamUnavailable
from domain.model.calls import EmbedCall
from domain.model.catalogue import ModelType
from domain.model.events import fold
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.followed import followed
from infrastructure.providers.signing.header import bearer
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS
from tests.gateways import gateway
from tests.stubs.serve import serving

ID, MODEL, RUN = "replicate", "meta/meta-llama-3-8b-instruct", "gm3qorzdhgbfurvjtvhg6dckhu"
STREAM = "event: output\ndata: There\n\nevent: output\ndata: .\n\nevent: done\ndata: {}\n\n"
TOLD = ("authorization", "accept", "cache-control", "prefer")


@dataclass
class Vendor:
    """Goes through `answers` in turn, each a status and a body, and stays at the last. `url` is its own address."""

    answers: list[tuple[int, Any]]
    seen: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.seen.append((request.method, request.url.path))
        self.headers.append({name: request.headers[name] for name in TOLD if name in request.headers})
        self.bodies.append(await request.body())
        status, body = self.answers[min(len(self.seen), len(self.answers)) - 1]
        answer = Response(body, status, media_type="text/event-stream") if isinstance(body, str) else None
        await (answer or JSONResponse(self._placed(body), status))(scope, receive, send)

    def _placed(self, body: Any) -> Any:
        stream = body.get("stream")
        return {**body, "urls": {"stream": stream.replace("<url>", self.url)}} if stream else body


def run(status: str, **more: Any) -> dict[str, Any]:
    return {"id": RUN, "status": status, "error": None, **more}


DONE = run("succeeded", output=["There", "."])


@asynccontextmanager
async def asked(vendor: Vendor) -> AsyncIterator[HttpGateway]:
    async with serving(vendor) as url:
        vendor.url = url
        sign = followed(bearer("replicate_api_token"), ID, f"{url}/v1", ("127.0.0.1",), (0, 0, 0))
        adapter = replace(ADAPTERS[ID], base_url=lambda _: f"{url}/v1", sign=sign)
        async with gateway(adapters={ID: adapter}) as subject:
            yield subject


TARGET = rec.target(ID, MODEL, FORMS[ID])
START = ("POST", f"/v1/models/{MODEL}/predictions")
QUESTION = ("GET", f"/v1/predictions/{RUN}")


def theirs(call: str, at: int = 0) -> tuple[tuple[str, str], dict[str, str]]:
    request = rec.calls(ID)[call]["requests"][at]
    told = {name: request["headers"][name] for name in TOLD if name in request["headers"]}
    return (request["method"], request["path"]), {k: v.replace("*/*", "application/json") for k, v in told.items()}


@pytest.mark.parametrize("questions", [0, 1, 3])
async def test_a_run_is_asked_about_until_it_is_over(questions: int) -> None:
    vendor = Vendor([*[(201, run("starting"))] * questions, (200, DONE)])
    async with asked(vendor) as subject:
        assert (await subject.chat(TARGET, rec.asking("Hi"))).text == "There."
    assert vendor.seen == [START, *[QUESTION] * questions]
    assert list(zip(vendor.seen, vendor.headers, strict=True))[1:] == [theirs("predictions.get")] * questions


async def test_a_model_that_streams_is_listened_to() -> None:
    vendor = Vendor([(201, run("starting", stream="<url>/stream/gm3")), (200, STREAM)])
    async with asked(vendor) as subject, subject.chat_stream(TARGET, rec.asking("Hi")) as events:
        assert fold([event async for event in events]).text == "There."
    assert list(zip(vendor.seen, vendor.headers, strict=True)) == [
        theirs("stream official model"),
        theirs("stream official model", 1),
    ]


@pytest.mark.parametrize(
    "stream", [None, "https://127.0.0.1/stream", "http://elsewhere.example/x", "http://u:p@127.0.0.1/x", "http://[x"]
)
async def test_a_model_without_a_stream_of_the_vendors_own_is_asked_about(stream: str | None) -> None:
    vendor = Vendor([(201, run("starting", **({"stream": stream} if stream else {}))), (200, DONE)])
    async with asked(vendor) as subject, subject.chat_stream(TARGET, rec.asking("Hi")) as events:
        assert fold([event async for event in events]).text == "There."
    assert vendor.seen == [START, QUESTION]


async def test_a_model_without_a_name_of_its_own_is_run_by_its_latest_version() -> None:
    missing = (404, {"detail": "The requested resource could not be found.", "status": 404})
    vendor = Vendor([missing, (200, {"latest_version": {"id": "abc"}}), (201, DONE)])
    async with asked(vendor) as subject:
        assert (await subject.chat(TARGET, rec.asking("Hi"))).text == "There."
    assert vendor.seen == [START, theirs("models.get")[0], ("POST", "/v1/predictions")]
    assert vendor.bodies[2] == b'{"version":"abc","input":{"prompt":"Hi"}}'
    assert vendor.headers[0] == vendor.headers[2]


@pytest.mark.parametrize("described", [(404, {"detail": "not found"}), (200, {"latest_version": None})], ids=str)
async def test_a_model_that_there_is_not_is_not_found(described: tuple[int, Any]) -> None:
    vendor = Vendor([(404, {"detail": "not found"}), described])
    async with asked(vendor) as subject:
        with pytest.raises(ModelNotFoundUpstream):
            await subject.chat(TARGET, rec.asking("Hi"))
    assert len(vendor.seen) == 2


async def test_a_version_that_there_is_not_is_not_looked_for() -> None:
    target = rec.target(ID, MODEL, {**FORMS[ID], "model_version": "abc"})
    vendor = Vendor([(404, {"detail": "not found"})])
    async with asked(vendor) as subject:
        with pytest.raises(ModelNotFoundUpstream):
            await subject.chat(target, rec.asking("Hi"))
    assert vendor.seen == [("POST", "/v1/predictions")]


async def test_a_question_that_comes_too_soon_starts_no_second_run() -> None:
    vendor = Vendor([(201, run("processing")), (429, {"detail": "throttled"}), (503, {}), (200, DONE)])
    async with asked(vendor) as subject:
        assert (await subject.chat(TARGET, rec.asking("Hi"))).text == "There."
    assert vendor.seen == [START, *[QUESTION] * 3]


async def test_a_run_may_fail_late() -> None:
    async with asked(Vendor([(201, run("starting")), (200, {**run("failed"), "error": "out of memory"})])) as subject:
        with pytest.raises(UpstreamUnavailable, match="out of memory"):
            await subject.chat(TARGET, rec.asking("Hi"))


async def test_a_refusal_may_come_late() -> None:
    async with asked(Vendor([(201, run("starting")), (401, {"detail": "no valid token"})])) as subject:
        with pytest.raises(CredentialRejected):
            await subject.chat(TARGET, rec.asking("Hi"))


async def test_patience_ends_and_so_does_the_run() -> None:
    vendor = Vendor([(201, run("starting"))])
    async with asked(vendor) as subject:
        with pytest.raises(UpstreamTimeout) as caught:
            await subject.chat(TARGET, rec.asking("Hi"))
    assert (caught.value.provider, caught.value.status) == (ID, 202)
    assert vendor.seen == [START, *[QUESTION] * 3, theirs("predictions.cancel")[0]]


async def test_texts_are_embedded_by_a_run_each() -> None:
    target = rec.target(ID, "a/b", FORMS[ID], ModelType.EMBEDDING)
    vendor = Vendor([(201, run("succeeded", output=[{"embedding": [1.0, 2.0]}]))])
    async with asked(vendor) as subject:
        found = await subject.embed(target, EmbedCall(("x", "y")))
    assert found.vectors == ((1.0, 2.0), (1.0, 2.0))
    assert vendor.bodies == [b'{"input":{"text":"x"}}', b'{"input":{"text":"y"}}']


async def test_the_probe_is_one_question() -> None:
    vendor = Vendor([(200, {"name": "x", "latest_version": {}})])
    async with asked(vendor) as subject:
        await subject.probe(ID, TARGET.form, TARGET.model)
    assert vendor.seen == [theirs("models.get")[0]]

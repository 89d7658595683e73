"""Embeddings through the gateway: batches, order, and vectors that are of no use."""

import pytest

from domain.errors import BadRequestUpstream, UpstreamUnavailable
from domain.model.calls import EmbedCall
from tests.gateways import bench, gateway
from tests.stubs import plain, shapes
from tests.stubs.asgi import Receive, Scope, Send
from tests.stubs.misbehaviour import body
from tests.stubs.serve import serving

TEXTS = ("one", "two", "three", "four", "five")


@pytest.mark.parametrize(("batch", "requests"), [(1, 5), (2, 3), (5, 1), (100, 1)])
async def test_texts_go_in_batches_and_vectors_come_in_order(batch: int, requests: int) -> None:
    async with bench() as at:
        got = await at.gateway.embed(plain.target(at.url, batch=batch), EmbedCall(TEXTS))
    assert got.vectors == tuple(tuple(shapes.vector(text, 8)) for text in TEXTS)
    assert got.usage.input == sum(map(len, TEXTS))
    assert got.warnings == ("no purpose",)
    assert len(at.vendor.seen) == requests


async def test_usage_is_unknown_when_one_batch_does_not_say() -> None:
    counts = iter([b'"usage":{"prompt_tokens":3}', b'"usage":null'])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await body(b'{"data":[{"embedding":[1, 0]}],' + next(counts) + b"}")(scope, receive, send)

    async with serving(app) as url, gateway() as subject:
        got = await subject.embed(plain.target(url, batch=1), EmbedCall(("a", "b")))
    assert got.usage.input is None


async def test_vectors_of_different_length_are_refused() -> None:
    lengths = iter([b"[1, 0]", b"[1, 0, 0]"])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await body(b'{"data":[{"embedding":' + next(lengths) + b"}]}")(scope, receive, send)

    async with serving(app) as url, gateway() as subject:
        with pytest.raises(BadRequestUpstream, match="length"):
            await subject.embed(plain.target(url, batch=1), EmbedCall(("a", "b")))


@pytest.mark.parametrize(("model", "detail"), [("nan-vectors", "no number"), ("wrong-count", "7 vectors for 2 texts")])
async def test_vectors_of_no_use_are_refused(model: str, detail: str) -> None:
    texts = ("a",) if model == "nan-vectors" else ("a", "b")
    async with bench() as at:
        with pytest.raises(BadRequestUpstream, match=detail) as caught:
            await at.gateway.embed(plain.target(at.url, model), EmbedCall(texts))
    assert caught.value.status == 200


async def test_a_refusal_after_a_batch_was_answered_claims_no_status() -> None:
    """The vendor did run part of the call, so it must not pass for refused."""
    answers = iter([body(b'{"data":[{"embedding":[1, 0]}]}'), *[body(b"{}", status=503)] * 3])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await next(answers)(scope, receive, send)

    async with serving(app) as url, gateway() as subject:
        with pytest.raises(UpstreamUnavailable) as caught:
            await subject.embed(plain.target(url, batch=1), EmbedCall(("a", "b")))
    assert (caught.value.status, caught.value.sent) == (None, True)

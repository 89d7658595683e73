"""When the gateway tries again: only before an answer, only what may pass, at most twice."""

import asyncio
from collections.abc import Iterator

import pytest

from domain.errors import CredentialRejected, StreamBroken, UpstreamError, UpstreamRateLimited, UpstreamUnavailable
from tests.gateways import bench, gateway
from tests.stubs import plain
from tests.stubs.asgi import Receive, Scope, Send
from tests.stubs.misbehaviour import Failure, body, refusal
from tests.stubs.serve import conversing, request_read, serving

GOOD = b'{"choices":[{"message":{"content":"good"}}]}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(GOOD)


def playing(*answers: Failure) -> Failure:
    """Each call gets the next of these."""
    left: Iterator[Failure] = iter(answers)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await next(left)(scope, receive, send)

    return app


async def test_an_overload_that_passes_is_not_noticed() -> None:
    async with bench() as at:
        at.vendor.flaky = 2
        assert (await at.gateway.chat(plain.target(at.url), plain.asking())).text
        assert len(at.vendor.seen) == 3


async def test_a_third_attempt_is_the_last() -> None:
    async with bench() as at:
        at.vendor.flaky = 3
        with pytest.raises(UpstreamUnavailable):
            await at.gateway.chat(plain.target(at.url), plain.asking())
        assert len(at.vendor.seen) == 3


async def test_a_stream_is_tried_again_before_it_begins() -> None:
    async with bench() as at:
        at.vendor.flaky = 1
        async with at.gateway.chat_stream(plain.target(at.url), plain.asking()) as events:
            assert len([event async for event in events]) == 9


@pytest.mark.parametrize(
    "model", ["fail-400", "fail-401", "fail-402", "fail-404", "garbage", "html", "redirect", "truncated-stream"]
)
async def test_what_would_fail_again_is_not_tried_again(model: str) -> None:
    async with bench() as at:
        with pytest.raises(UpstreamError):
            await at.gateway.chat(plain.target(at.url, model), plain.asking())
        assert len(at.vendor.seen) == 1


async def test_a_stream_that_breaks_is_not_tried_again() -> None:
    async with bench() as at:
        with pytest.raises(StreamBroken):
            async with at.gateway.chat_stream(plain.target(at.url, "truncated-stream"), plain.asking()) as events:
                async for _ in events:
                    pass
        assert len(at.vendor.seen) == 1


async def test_a_short_wait_that_a_vendor_asks_for_is_kept() -> None:
    limited, asked = refusal(429, "rate_limit_exceeded", "slow down", retry_after="0.05"), list[float]()
    answers = playing(limited, body(GOOD))

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(asyncio.get_running_loop().time())
        await answers(scope, receive, send)

    async with serving(watched) as url, gateway() as subject:
        assert (await subject.chat(plain.target(url), plain.asking())).text == "good"
    first, second = asked
    assert second - first >= 0.05


async def test_a_long_wait_that_a_vendor_asks_for_is_left_to_the_caller() -> None:
    async with bench() as at:
        with pytest.raises(UpstreamRateLimited):
            await at.gateway.chat(plain.target(at.url, "fail-429"), plain.asking())
        assert len(at.vendor.seen) == 1


async def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    """Some servers close after an answer without saying so, just when the next request is on its way."""
    accepted: list[asyncio.StreamReader] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(reader)
        await request_read(reader)
        writer.write(HEAD + GOOD)
        await request_read(reader)

    async with conversing(answer) as url, gateway() as subject:
        for _ in range(2):
            assert (await subject.chat(plain.target(url), plain.asking())).text == "good"
    assert len(accepted) == 2


async def test_a_vendor_that_always_hangs_up_is_tried_once_more_only() -> None:
    requests: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        requests.append(1)

    async with conversing(answer) as url, gateway() as subject:
        with pytest.raises(UpstreamUnavailable) as caught:
            await subject.chat(plain.target(url), plain.asking())
    assert len(requests) == 2
    assert (caught.value.sent, caught.value.status) == (True, None)


async def test_a_refusal_after_a_call_that_may_have_run_claims_no_status() -> None:
    answers = iter([b"", b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\n{}"])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(next(answers))

    async with conversing(answer) as url, gateway() as subject:
        with pytest.raises(CredentialRejected) as caught:
            await subject.chat(plain.target(url), plain.asking())
    assert caught.value.status is None


async def test_a_vendor_that_vanishes_between_attempts_was_still_sent_to() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        vanished.set()
        writer.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")

    vanished = asyncio.Event()
    async with gateway() as subject:
        async with conversing(answer) as url:
            call = asyncio.create_task(subject.chat(plain.target(url), plain.asking()))
            await vanished.wait()
        with pytest.raises(UpstreamUnavailable) as caught:
            await call
    assert (caught.value.sent, caught.value.status) == (True, 503)

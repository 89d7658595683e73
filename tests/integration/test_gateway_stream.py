"""A streamed chat through the gateway: events as they come, clean ends, and streams that fail on the way."""

import asyncio
from dataclasses import replace

import pytest

from domain.errors import (
    BadRequestUpstream,
    CredentialRejected,
    EndpointForbidden,
    StreamBroken,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from domain.model.calls import Tool
from domain.model.events import ChatEvent, Finished, TextDelta, Warned, fold
from domain.ports import Target
from infrastructure.http import egress
from infrastructure.providers.gateway import HttpGateway, Limits
from infrastructure.providers.spec import Framing
from tests.gateways import IMPATIENT, LIMITS, bench, gateway
from tests.stubs import plain
from tests.stubs.misbehaviour import body
from tests.stubs.serve import conversing, request_read, serving


async def read(gateway: HttpGateway, target: Target, into: list[ChatEvent]) -> None:
    async with gateway.chat_stream(target, plain.asking()) as events:
        async for event in events:
            into.append(event)


async def test_a_folded_stream_equals_the_whole_answer() -> None:
    got: list[ChatEvent] = []
    async with bench() as at:
        await read(at.gateway, plain.target(at.url), got)
        whole = await at.gateway.chat(plain.target(at.url), plain.asking())
    assert fold(got).text == whole.text
    assert isinstance(got[-1], Finished)
    assert len(got) == 9


async def test_an_event_comes_before_the_stream_is_over() -> None:
    more = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        writer.write(b'data: {"choices":[{"delta":{"content":"first"}}]}\n\n')
        await more.wait()
        writer.write(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')

    async with (
        conversing(answer) as url,
        gateway() as subject,
        subject.chat_stream(plain.target(url), plain.asking()) as events,
    ):
        assert await anext(events) == TextDelta("first")
        more.set()
        assert isinstance(await anext(events), Finished)


async def test_what_was_left_out_is_told_first() -> None:
    asked = replace(plain.asking(), tools=(Tool("t", None, {}),))
    async with bench() as at, at.gateway.chat_stream(plain.target(at.url), asked) as events:
        assert await anext(events) == Warned("tools were left out")


@pytest.mark.parametrize("model", ["no-done", "single-newlines", "crlf", "lingering"])
async def test_odd_but_complete_streams_are_read(model: str) -> None:
    got: list[ChatEvent] = []
    async with bench() as at:
        await read(at.gateway, plain.target(at.url, model), got)
    assert fold(got).text == "all of it"


async def test_a_vendor_may_answer_a_stream_as_a_whole() -> None:
    got: list[ChatEvent] = []
    answer = body(b'{"choices":[{"message":{"content":"at once"}}],"usage":{"completion_tokens":2}}')

    async with serving(answer) as url, gateway() as subject:
        await read(subject, plain.target(url), got)
    assert fold(got).text == "at once"
    assert fold(got).usage.output == 2


async def test_newline_delimited_json_is_framed_by_lines() -> None:
    got: list[ChatEvent] = []
    lines = b'{"choices":[{"delta":{"content":"a"}}]}\n{"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}'
    adapters = {"plain": plain.adapter(Framing.NDJSON)}
    async with serving(body(lines, "application/x-ndjson")) as url, gateway(adapters=adapters) as subject:
        await read(subject, plain.target(url), got)
    assert fold(got).text == "ab"


@pytest.mark.parametrize(
    ("model", "kind", "status", "heard"),
    [
        ("fail-401", CredentialRejected, 401, ""),
        ("fail-503", UpstreamUnavailable, 503, ""),
        ("fail-429", UpstreamRateLimited, 429, ""),
        ("html", BadRequestUpstream, 200, ""),
        ("redirect", BadRequestUpstream, 302, ""),
        ("bomb", BadRequestUpstream, 200, ""),
        ("huge", BadRequestUpstream, 200, ""),
        ("bad-utf8-stream", BadRequestUpstream, 200, ""),
        ("garbage-stream", BadRequestUpstream, 200, ""),
        ("error-at-once", UpstreamRateLimited, 429, ""),
        ("error-in-stream", UpstreamUnavailable, 200, "half "),
        ("truncated-stream", StreamBroken, 200, "half an answ"),
        ("unfinished-stream", StreamBroken, 200, "half an answer"),
        ("half-event", StreamBroken, 200, "half an "),
    ],
)
async def test_a_failure_has_its_own_kind_after_what_was_heard(
    model: str, kind: type[UpstreamError], status: int, heard: str
) -> None:
    """Once something was answered, no status of 400 or more is claimed: the vendor did run the call."""
    got: list[ChatEvent] = []
    async with bench() as at:
        with pytest.raises(kind) as caught:
            await read(at.gateway, plain.target(at.url, model), got)
    assert (caught.value.provider, caught.value.status, caught.value.sent) == ("plain", status, True)
    assert "".join(event.text for event in got if isinstance(event, TextDelta)) == heard


async def test_a_stream_longer_than_its_bound_is_refused() -> None:
    got: list[ChatEvent] = []
    async with bench(Limits(stream=10_000, patience=IMPATIENT)) as at:
        with pytest.raises(BadRequestUpstream, match="longer than 10000 bytes"):
            await read(at.gateway, plain.target(at.url, "endless"), got)
    assert got


async def test_a_stream_without_end_ends_at_the_total_time() -> None:
    got: list[ChatEvent] = []
    async with bench(Limits(total=0.1, patience=IMPATIENT)) as at:
        with pytest.raises(UpstreamTimeout):
            await read(at.gateway, plain.target(at.url, "endless"), got)
    assert got


async def test_a_stream_that_falls_silent_times_out() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: alive\n\n")
        await reader.read()

    async with conversing(answer) as url, gateway(read=0.05) as subject:
        with pytest.raises(UpstreamTimeout, match="paused"):
            await read(subject, plain.target(url), [])


async def test_leaving_closes_the_upstream() -> None:
    async with bench() as at:
        async with at.gateway.chat_stream(plain.target(at.url, "endless"), plain.asking()) as events:
            await anext(events)
            assert at.vendor.open == 1
        async with asyncio.timeout(5):
            while at.vendor.open:
                await asyncio.sleep(0.001)


async def test_a_cancelled_reader_closes_the_upstream() -> None:
    got: list[ChatEvent] = []
    async with bench() as at:
        reader = asyncio.create_task(read(at.gateway, plain.target(at.url, "endless"), got))
        async with asyncio.timeout(5):
            while not got:
                await asyncio.sleep(0.001)
            reader.cancel()
            while at.vendor.open:
                await asyncio.sleep(0.001)
        with pytest.raises(asyncio.CancelledError):
            await reader


async def test_what_the_reader_raises_passes_unchanged() -> None:
    async with bench() as at:
        with pytest.raises(TimeoutError, match="mine"):
            async with at.gateway.chat_stream(plain.target(at.url), plain.asking()):
                raise TimeoutError("mine")


async def test_a_complete_stream_leaves_its_connection_for_the_next() -> None:
    connections: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        event = b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        while True:
            await request_read(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            writer.write(b"0\r\n\r\n")

    async with conversing(answer) as url, gateway() as subject:
        for _ in range(3):
            await read(subject, plain.target(url), [])
    assert len(connections) == 1


async def test_a_forbidden_address_is_refused_on_entering() -> None:
    async with egress() as client:
        subject = HttpGateway({"plain": plain.adapter()}, client, LIMITS)
        with pytest.raises(EndpointForbidden) as caught:
            await read(subject, plain.target("http://127.0.0.1:1"), [])
    assert caught.value.sent is False

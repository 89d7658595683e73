"""Speech through the gateway: recordings up, audio down as it is spoken, and what is no audio."""

import asyncio
import traceback

import pytest

from domain.errors import (
    BadRequestUpstream,
    CredentialRejected,
    InvalidRange,
    StreamBroken,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from domain.model.speech import Recording, SpeakCall, SpeechFormat, TranscribeCall
from domain.ports import Target
from infrastructure.providers.exchange import Limits
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.spec import BYTES
from tests.gateways import IMPATIENT, LIMITS, bench, gateway
from tests.stubs import asgi, plain
from tests.stubs.asgi import AUDIO, JSON, Receive, Scope, Send
from tests.stubs.misbehaviour import Failure, body, refusal, stream
from tests.stubs.serve import conversing, request_read, serving

SAY = SpeakCall("one two three")
HEAR = TranscribeCall(Recording("a.wav", "audio/wav", b"RIFF" + bytes(40)))


async def listen(subject: HttpGateway, target: Target, into: list[bytes], call: SpeakCall = SAY) -> str:
    async with subject.speak(target, call) as speech:
        async for piece in speech.pieces:
            into.append(piece)
    return speech.media_type


async def heard(answer: Failure, into: list[bytes], limits: Limits = LIMITS) -> str:
    async with serving(answer) as url, gateway(limits) as subject:
        return await listen(subject, plain.target(url), into)


async def test_audio_comes_whole_under_its_own_name() -> None:
    got: list[bytes] = []
    async with bench() as at:
        assert await listen(at.gateway, plain.target(at.url), got) == "audio/mpeg"
    assert b"".join(got) == b"onetwothree"
    assert at.vendor.seen[0]["response_format"] == "mp3"
    assert at.vendor.bill == {"sk-good": 1}


@pytest.mark.parametrize(
    ("sent", "wanted", "named"),
    [
        ("audio/ogg; codecs=opus", SpeechFormat.OPUS, "audio/ogg"),
        ("audio/x-wav", SpeechFormat.MP3, "audio/x-wav"),
        (BYTES, SpeechFormat.FLAC, "audio/flac"),
        (BYTES, None, "audio/mpeg"),
        ("application/ogg", SpeechFormat.OPUS, "audio/ogg"),
    ],
)
async def test_audio_that_is_not_named_is_what_was_asked_for(
    sent: str, wanted: SpeechFormat | None, named: str
) -> None:
    got: list[bytes] = []
    async with serving(stream(b"OggS", media_type=sent)) as url, gateway() as subject:
        assert await listen(subject, plain.target(url), got, SpeakCall("Hi", format=wanted)) == named
    assert got == [b"OggS"]


async def test_the_first_bytes_come_before_the_rest_is_spoken() -> None:
    more = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 6\r\n\r\nabc")
        await more.wait()
        writer.write(b"def")

    async with conversing(answer) as url, gateway() as subject, subject.speak(plain.target(url), SAY) as speech:
        assert await anext(speech.pieces) == b"abc"
        more.set()
        assert [piece async for piece in speech.pieces] == [b"def"]


HTML = body(b"<!doctype html><h1>Welcome</h1>", "text/html")
NO_AUDIO: list[tuple[Failure, type[UpstreamError], int, str]] = [
    (HTML, BadRequestUpstream, 200, "web page"),
    (body(b'{"audio":"UklGRg=="}'), BadRequestUpstream, 200, "application/json, where audio is due"),
    (body(b'{"error":{"message":"no such voice"}}'), BadRequestUpstream, 200, "no such voice"),
    (body(b"not json", JSON), BadRequestUpstream, 200, "not JSON"),
    (body(b"data: {}\n\n", "text/event-stream"), BadRequestUpstream, 200, "text/event-stream, where audio is due"),
    (body(b"Hello!", "text/plain"), BadRequestUpstream, 200, "text/plain, where audio is due"),
    (body(b"", AUDIO), BadRequestUpstream, 200, "no audio"),
    (stream(media_type=AUDIO, complete=False), StreamBroken, 200, "ended before"),
    (body(b"", AUDIO, 302, location="/x"), BadRequestUpstream, 302, "redirects"),
    (body(b"x" * 9, AUDIO, content_encoding="gzip"), BadRequestUpstream, 200, "compressed"),
    (refusal(401, "invalid_api_key", "Incorrect API key"), CredentialRejected, 401, "Incorrect"),
    (refusal(429, "rate_limit_exceeded", "slow down", retry_after="30"), UpstreamRateLimited, 429, "slow down"),
    (refusal(503, "overloaded", "come back later"), UpstreamUnavailable, 503, "come back later"),
]


@pytest.mark.parametrize(("answer", "kind", "status", "detail"), NO_AUDIO, ids=range(len(NO_AUDIO)))
async def test_what_is_no_audio_fails_on_entering(
    answer: Failure, kind: type[UpstreamError], status: int, detail: str
) -> None:
    got: list[bytes] = []
    with pytest.raises(kind, match=detail) as caught:
        await heard(answer, got)
    assert got == []
    assert (caught.value.provider, caught.value.status, caught.value.sent) == ("plain", status, True)


async def test_audio_that_breaks_off_is_told_after_what_was_heard() -> None:
    got: list[bytes] = []
    with pytest.raises(StreamBroken) as caught:
        await heard(stream(b"abc", b"def", complete=False, media_type=AUDIO), got)
    assert b"".join(got) == b"abcdef"
    assert (caught.value.provider, caught.value.status, caught.value.sent) == ("plain", 200, True)


async def test_audio_longer_than_its_bound_is_refused() -> None:
    got: list[bytes] = []
    with pytest.raises(BadRequestUpstream, match="longer than 1000 bytes"):
        await heard(stream(*[bytes(400)] * 3, media_type=AUDIO), got, Limits(stream=1000, patience=IMPATIENT))
    assert len(b"".join(got)) <= 1000


async def test_audio_that_falls_silent_ends_at_the_total_time() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\n\r\nabc")
        await reader.read()

    got: list[bytes] = []
    async with conversing(answer) as url, gateway(Limits(total=0.1, patience=IMPATIENT)) as subject:
        with pytest.raises(UpstreamTimeout):
            await listen(subject, plain.target(url), got)
    assert got == [b"abc"]


async def test_leaving_early_hangs_up() -> None:
    left = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asgi.read(receive)
        gone = asgi.hung_up(receive)
        await asgi.start(send, 200, AUDIO)
        await asgi.body(send, b"abc", more=True)
        await gone
        left.set()

    async with serving(app) as url, gateway() as subject:
        async with subject.speak(plain.target(url), SAY) as speech:
            assert await anext(speech.pieces) == b"abc"
        await left.wait()


async def test_a_recording_is_heard() -> None:
    async with bench() as at:
        got = await at.gateway.transcribe(plain.target(at.url), HEAR)
    assert (got.text, got.seconds, got.usage.audio_ms) == ("44 bytes of a.wav", 1.5, 1500)
    assert at.vendor.seen[0]["model"] == "stub-chat"


async def test_a_large_recording_goes_up_in_pieces() -> None:
    async with bench() as at:
        file = Recording("a.wav", "audio/wav", bytes(3 * 2**20))
        got = await at.gateway.transcribe(plain.target(at.url), TranscribeCall(file))
    assert got.text == f"{3 * 2**20} bytes of a.wav"


async def test_a_recording_is_sent_again_whole_after_an_overload() -> None:
    async with bench() as at:
        at.vendor.flaky = 1
        assert (await at.gateway.transcribe(plain.target(at.url), HEAR)).text == "44 bytes of a.wav"
    assert [seen["file"]["bytes"] for seen in at.vendor.seen] == [44, 44]


async def test_what_was_left_out_is_told() -> None:
    call = TranscribeCall(HEAR.recording, prompt="names")
    async with bench() as at:
        got = await at.gateway.transcribe(plain.target(at.url), call)
    assert [warning.split()[0] for warning in got.warnings] == ["prompt"]


@pytest.mark.parametrize(
    ("answer", "detail"), [(b"{}", "no text"), (b"plain text", "not JSON"), (b'{"error":{"message":"bad"}}', "bad")]
)
async def test_a_transcript_of_no_use_is_refused(answer: bytes, detail: str) -> None:
    async with serving(body(answer)) as url, gateway() as subject:
        with pytest.raises(BadRequestUpstream, match=detail):
            await subject.transcribe(plain.target(url), HEAR)


@pytest.mark.parametrize("call", [TranscribeCall(Recording("\ud800.wav", "audio/wav", b"x"))])
async def test_a_name_that_is_no_unicode_never_leaves(call: TranscribeCall) -> None:
    async with bench() as at:
        with pytest.raises(InvalidRange):
            await at.gateway.transcribe(plain.target(at.url), call)
        assert at.vendor.seen == []


@pytest.mark.parametrize("model", ["echo-key", "fail-401", "garbage", "truncated-stream"])
async def test_no_failure_shows_the_key(model: str) -> None:
    async with bench() as at:
        target = plain.target(at.url, model, key="sk-canary-0123456789")
        for failing in (listen(at.gateway, target, []), at.gateway.transcribe(target, HEAR)):
            with pytest.raises(UpstreamError) as caught:
                await failing
            assert "canary" not in repr(vars(caught.value)) + "".join(traceback.format_exception(caught.value))

"""A tenant's own server of speech with a real speaker and a real listener, behind a served Portunus."""

import base64
import io
import json
import struct
import wave
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from demo import documents as gql
from tests.databases import sqlite
from tests.e2e.portunus import Client, Served, environment, served
from tests.real.speech import KEY, LISTENER, RATES, SPEAKER, VOICE, speech, wav

pytestmark = pytest.mark.real

IDS = ("openai_api_compatible", "localai")
KINDS = ("TEXT_TO_SPEECH", "SPEECH_TO_TEXT")
TEXT = "go forward ten meters"
SENTENCES = (TEXT, "turn left two meters", "move backward seven meters", "go right one meter")
SPEAK = """mutation S($input: SpeakInput!) { speak(input: $input) {
  ... on SpeakPayload { audio mediaType characters paidBy model { name } }
  ... on InvalidRange { field }
  ... on Problem { code message } } }"""
SPEAK_STREAM = """subscription S($input: SpeakInput!) { speakStream(input: $input) {
  __typename
  ... on SpeechStarted { mediaType }
  ... on AudioDelta { audio }
  ... on SpeechFinished { bytes }
  ... on Problem { code message } } }"""
TRANSCRIBE = """mutation T($input: TranscribeInput!) { transcribe(input: $input) {
  ... on TranscribePayload { text seconds paidBy model { name } }
  ... on Problem { code message } } }"""


@pytest.fixture(scope="module")
def portunus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("portunus")
    with served(environment(sqlite(home), "http://127.0.0.1:9"), home) as running:
        yield running


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async with speech() as url:
        yield url


async def add(client: Client, server: str, provider: str, kind: str, model: str = "", key: str = KEY) -> Any:
    field = "server_url" if provider == "localai" else "endpoint_url"
    fields = {field: server, "api_key": key} | ({"voices": VOICE} if kind == "TEXT_TO_SPEECH" else {})
    name = model or {"TEXT_TO_SPEECH": SPEAKER}.get(kind, LISTENER)
    credential = {
        "provider": provider,
        "name": f"{name} {kind}",
        "model": {"name": name, "type": kind},
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
    }
    return (await client.ask(gql.ADD_CREDENTIAL, input=credential))["addCredential"]


async def both(client: Client, server: str, provider: str = IDS[0]) -> None:
    for kind in KINDS:
        assert "credential" in await add(client, server, provider, kind)


async def spoken(client: Client, text: str = TEXT, **more: Any) -> Any:
    return (await client.ask(SPEAK, input={"text": text, **more}))["speak"]


async def audio(client: Client, text: str = TEXT, **more: Any) -> bytes:
    return base64.b64decode((await spoken(client, text, **more))["audio"])


async def heard(client: Client, data: bytes, name: str, **more: Any) -> Any:
    body = {"query": TRANSCRIBE, "variables": {"input": {"file": None, **more}}}
    form = {"operations": json.dumps(body), "map": json.dumps({"0": ["variables.input.file"]})}
    headers = {"graphql-require-preflight": "1"}
    answer = await client.http.post("/graphql", data=form, files={"0": (name, data)}, headers=headers)
    return answer.json()["data"]["transcribe"]


@pytest.mark.parametrize("provider", IDS)
async def test_a_wrong_key_is_refused_and_not_kept(portunus: Served, server: str, provider: str) -> None:
    async with portunus.client_of(portunus.open_tenant(f"Wrong {provider}")) as client:
        for kind in KINDS:
            refusal = await add(client, server, provider, kind, key="sk-wrong-0123456789")
            assert refusal["code"] == "CREDENTIAL_REJECTED"
        assert (await client.ask("{ credentials { nodes { id } } }"))["credentials"]["nodes"] == []


@pytest.mark.parametrize("provider", IDS)
async def test_what_is_spoken_is_heard_with_its_words(portunus: Served, server: str, provider: str) -> None:
    async with portunus.client_of(portunus.open_tenant(f"Words {provider}")) as client:
        await both(client, server, provider)
        for said in SENTENCES:
            transcript = await heard(client, await audio(client, said, format="WAV"), "said.wav", language="en")
            assert (transcript["text"], transcript["model"]["name"], transcript["paidBy"]) == (said, LISTENER, "OWN")
            assert 1 <= transcript["seconds"] <= 5


async def test_the_words_outlive_every_form(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Forms")) as client:
        await both(client, server)
        for form in ("MP3", "OPUS", "AAC", "FLAC"):
            assert (await heard(client, await audio(client, format=form), f"said.{form.lower()}"))["text"] == TEXT, form


async def test_samples_have_their_header_and_their_length(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Header")) as client:
        await both(client, server)
        answer = await spoken(client, format="WAV")
        assert (answer["mediaType"], answer["characters"], answer["model"]["name"]) == ("audio/wav", len(TEXT), SPEAKER)
        samples, pcm = samples_of(base64.b64decode(answer["audio"])), await audio(client, format="PCM")
        assert 1 < len(samples) / 2 / RATES["wav"] < 4
        assert len(samples) / RATES["wav"] == pytest.approx(len(pcm) / RATES["pcm"], abs=0.01)


def samples_of(data: bytes) -> bytes:
    """What the header says that there is, and no more or less."""
    assert struct.unpack("<4sI4s", data[:12]) == (b"RIFF", len(data) - 8, b"WAVE")
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATES["wav"])
        samples: bytes = file.readframes(file.getnframes())
        assert len(samples) == 2 * file.getnframes()
    return samples


async def test_a_stream_is_the_audio_that_comes_whole(portunus: Served, server: str) -> None:
    text = "go forward ten meters, " * 10
    async with portunus.client_of(portunus.open_tenant("Stream")) as client:
        await both(client, server)
        whole = await audio(client, text)
        async with client.subscribed(SPEAK_STREAM, input={"text": text}) as events:
            items = [event["speakStream"] async for event in events]
        pieces = [base64.b64decode(item["audio"]) for item in items if item["__typename"] == "AudioDelta"]
        assert (items[0]["mediaType"], items[-1]["bytes"]) == ("audio/mpeg", len(whole))
        assert b"".join(pieces) == whole
        assert len(pieces) > 1
        assert mpeg_frame(whole)


def mpeg_frame(file: bytes) -> bool:
    """Whether MPEG audio of layer III begins here, or after a tag of ID3 (ISO 11172-3, 2.4.1.3)."""
    size = 0
    if file[:3] == b"ID3":
        size = 10 + sum(byte << 7 * place for place, byte in enumerate(reversed(file[6:10])))
    (head,) = struct.unpack(">H", file[size : size + 2])
    return bool(head >> 5 == 0x7FF and head >> 1 & 3 == 1)


async def test_a_faster_voice_takes_less_time(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Pace")) as client:
        await both(client, server)
        slow, fast = await audio(client, format="PCM", speed=0.8), await audio(client, format="PCM", speed=1.6)
        assert 1.6 < len(slow) / len(fast) < 2.4


async def test_silence_has_no_words(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Silence")) as client:
        await both(client, server)
        transcript = await heard(client, wav(bytes(64_000), 16_000), "silence.wav")
        assert (transcript["text"], transcript["seconds"]) == ("", 2.0)


async def test_what_the_server_does_not_speak_is_a_typed_problem(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Unspoken")) as client:
        ghost = await add(client, server, IDS[0], "TEXT_TO_SPEECH", "ghost")
        assert ghost["code"] == "MODEL_NOT_FOUND_UPSTREAM"
        swapped = await add(client, server, IDS[0], "SPEECH_TO_TEXT", SPEAKER)
        assert swapped["code"] == "MODEL_NOT_FOUND_UPSTREAM"
        chat = await add(client, server, IDS[0], "LLM")
        assert (chat["code"], "Unknown request URL" in chat["message"]) == ("BAD_REQUEST_UPSTREAM", True)
        await both(client, server)
        no_audio = await heard(client, b"no audio at all", "said.wav")
        assert (no_audio["code"], "corrupted" in no_audio["message"]) == ("BAD_REQUEST_UPSTREAM", True)
        french = await heard(client, await audio(client, format="WAV"), "said.wav", language="fr")
        assert french["code"] == "BAD_REQUEST_UPSTREAM"
        voice = await spoken(client, voice="klingon-9")
        assert (voice["code"], "klingon-9" in voice["message"]) == ("BAD_REQUEST_UPSTREAM", True)
        long = await spoken(client, "go " * 2_000)
        assert long["code"] == "BAD_REQUEST_UPSTREAM"
        assert (await spoken(client, speed=9.0))["field"] == "speed"

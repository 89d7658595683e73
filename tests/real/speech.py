"""espeak-ng, ffmpeg and pocketsphinx as a server of OpenAI's audio, whose OpenAPI each request must satisfy.

Speech leaves as it is made. What is not there is refused as OpenAI refuses it.
"""

import io
import math
import shutil
import wave
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from jsonschema import ValidationError
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo.servers import ROOT
from tests.contract import recordings as rec
from tests.stubs.serve import serving

HOME = ROOT / ".real" / "speech"
KEY = "sk-speech-key-0123456789"
SPEAKER, LISTENER = "espeak-ng", "pocketsphinx"
VOICE = "en-us+f3"
"""The voice that the listener understands without fail."""
PACE = 150
"""Words a minute at speed 1."""
RATES = {"wav": 22_050, "pcm": 24_000}

_HERE = Path(__file__).parent
_NEEDED = ("espeak-ng", "ffmpeg")
_HEARD_AT = 16_000
_FORMS = {
    "mp3": ("audio/mpeg", ("-f", "mp3")),
    "opus": ("audio/ogg", ("-f", "ogg", "-c:a", "libopus")),
    "aac": ("audio/aac", ("-f", "adts")),
    "flac": ("audio/flac", ("-f", "flac")),
    "wav": ("audio/wav", ("-f", "s16le", "-ar", str(RATES["wav"]))),
    "pcm": ("audio/pcm", ("-f", "s16le", "-ar", str(RATES["pcm"]))),
}


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message


@asynccontextmanager
async def speech() -> AsyncIterator[str]:
    """The base URL (with /v1) of a server that demands KEY: SPEAKER speaks, and LISTENER hears commands.jsgf."""
    if not (HOME / "bin" / "python").exists():
        raise RuntimeError("pocketsphinx is not in .real: `make test-real` puts it there")
    if missing := " ".join(program for program in _NEEDED if shutil.which(program) is None):
        raise RuntimeError(f"{missing} must be installed (Debian: apt-get install {missing})")
    async with serving(_APP) as url:
        yield f"{url}/v1"


def wav(samples: bytes, rate: int) -> bytes:
    """A file of one channel, whose header has its length: it cannot be made while it is spoken."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples)
    return file.getvalue()


async def speak(request: Request) -> Response:
    asked = await request.json()
    _check(request, "CreateSpeechRequest", asked, SPEAKER)
    media_type, written = _FORMS[asked.get("response_format", "mp3")]
    pace = round(PACE * asked.get("speed", 1))
    pieces = _made(asked["input"], asked["voice"], pace, written)
    first = await anext(pieces, b"")
    if not first:
        raise Refused(400, "invalid_value", f"There is no voice '{asked['voice']}'.")
    audio = _from(first, pieces)
    if asked.get("response_format") == "wav":
        return Response(wav(b"".join([piece async for piece in audio]), RATES["wav"]), media_type=media_type)
    return StreamingResponse(audio, media_type=media_type)


async def transcribe(request: Request) -> Response:
    async with request.form() as form:
        said = {name: value for name, value in form.items() if isinstance(value, str)}
        file = form.get("file")
        data = await file.read() if isinstance(file, UploadFile) else b""
    _check(request, "CreateTranscriptionRequest", {**said, "file": "a string, to JSON Schema"}, LISTENER)
    if said.get("language", "en") != "en" or said.get("response_format", "json") != "json":
        raise Refused(400, "unsupported_value", "Only English is heard, and only JSON written.")
    decode = await _started(*_ffmpeg("-f", "s16le", "-ac", "1", "-ar", str(_HEARD_AT)))
    samples, _ = await decode.communicate(data)
    if not samples:
        raise Refused(400, "invalid_value", "Audio file might be corrupted or unsupported.")
    ears = await _started(HOME / "bin" / "python", _HERE / "ears.py", str(_HEARD_AT), _HERE / "commands.jsgf")
    words, _ = await ears.communicate(samples)
    seconds = math.ceil(len(samples) / 2 / _HEARD_AT)
    return JSONResponse({"text": words.decode(), "usage": {"type": "duration", "seconds": seconds}})


async def models(request: Request) -> Response:
    _admit(request)
    return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in (SPEAKER, LISTENER)]})


async def _made(text: str, voice: str, pace: int, written: tuple[str, ...]) -> AsyncIterator[bytes]:
    """Nothing when there is no such voice."""
    speaker = await _started(SPEAKER, "-v", voice, "-s", str(pace), "--stdin", "--stdout")
    sound, _ = await speaker.communicate(text.encode())
    if not sound:
        return
    writer = await _started(*_ffmpeg(*written))
    assert writer.stdin
    assert writer.stdout
    writer.stdin.write(sound)
    writer.stdin.close()
    while piece := await writer.stdout.read(4_096):
        yield piece
    await writer.wait()


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _started(*command: str | Path) -> Process:
    return await create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)


def _ffmpeg(*written: str) -> tuple[str, ...]:
    return ("ffmpeg", "-v", "error", "-i", "pipe:0", "-flags", "bitexact", "-fflags", "bitexact", *written, "pipe:1")


def _check(request: Request, schema: str, asked: dict[str, Any], model: str) -> None:
    _admit(request)
    try:
        rec.valid("openai", schema, asked)
    except ValidationError as wrong:
        raise Refused(400, "invalid_value", wrong.message) from None
    if asked["model"] != model:
        raise Refused(404, "model_not_found", f"The model '{asked['model']}' does not exist.")


def _admit(request: Request) -> None:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise Refused(401, "invalid_api_key", "Incorrect API key provided.")


async def _refused(request: Request, failure: Exception) -> Response:
    if not isinstance(failure, Refused):
        failure = Refused(404, "unknown_url", f"Unknown request URL: {request.method} {request.url.path}")
    told = {"message": failure.message, "type": "invalid_request_error", "param": None, "code": failure.code}
    return JSONResponse({"error": told}, failure.status)


_APP = Starlette(
    routes=[
        Route("/v1/audio/speech", speak, methods=["POST"]),
        Route("/v1/audio/transcriptions", transcribe, methods=["POST"]),
        Route("/v1/models", models),
    ],
    exception_handlers={Refused: _refused, HTTPException: _refused},
)

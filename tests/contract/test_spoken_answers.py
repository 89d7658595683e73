"""Speech of servers of OpenAI's paths comes as the OpenAPI says that it does: OpenAI's, which has server-sent events
beside it for those who ask for them, and LocalAI's own (openai_api_compatible/speech_answers.json).
"""

import pytest

from domain.errors import BadRequestUpstream
from domain.model.catalogue import ModelType
from domain.model.speech import SpeakCall, SpeechFormat
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import BYTES, Framing
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.misbehaviour import stream
from tests.stubs.serve import serving

FIELDS = {
    "openai_api_compatible": "endpoint_url",
    "gpustack": "endpoint_url",
    "xinference": "server_url",
    "localai": "server_url",
}
ANSWERS = rec.load("openai_api_compatible", "speech_answers.json")["answers"]
WAV = SpeakCall("Hi", format=SpeechFormat.WAV)


async def spoken(provider: str, media_type: str) -> tuple[str, bytes]:
    async with serving(stream(b"RI", b"FF", media_type=media_type)) as url, gateway(adapters=ADAPTERS) as subject:
        form = {FIELDS[provider]: f"{url}/v1", "api_key": "<key>"}
        async with subject.speak(rec.target(provider, "mine", form, ModelType.TEXT_TO_SPEECH), WAV) as speech:
            return speech.media_type, b"".join([piece async for piece in speech.pieces])


@pytest.mark.parametrize("provider", FIELDS)
async def test_bytes_of_no_named_kind_are_what_was_asked_for(provider: str) -> None:
    assert BYTES in ANSWERS["openai"]
    assert await spoken(provider, BYTES) == ("audio/wav", b"RIFF")


@pytest.mark.parametrize("provider", FIELDS)
async def test_events_are_not_asked_for_and_not_taken_for_audio(provider: str) -> None:
    assert Framing.SSE.value in ANSWERS["openai"]
    with pytest.raises(BadRequestUpstream, match="where audio is due"):
        await spoken(provider, Framing.SSE.value)


@pytest.mark.parametrize("media_type", ANSWERS["localai"])
async def test_localais_audio_keeps_its_own_name(media_type: str) -> None:
    assert await spoken("localai", media_type) == (media_type, b"RIFF")

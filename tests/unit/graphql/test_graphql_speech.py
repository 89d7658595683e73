"""Speech through GraphQL: audio out whole and in pieces, and a model's own limits."""

from base64 import b64decode
from typing import Any

import pytest

from domain.errors import StreamBroken
from domain.model.speech import SpeakCall, SpeechFormat
from tests.fakes import FakeSpeech
from tests.graphql_house import House, talking, tenant_id

SPEAK = """mutation S($input: SpeakInput!) { speak(input: $input) {
  __typename
  ... on SpeakPayload { audio mediaType characters model { name } paidBy }
  ... on InvalidRange { field }
  ... on Problem { code } } }"""
STREAM = """subscription S($input: SpeakInput!) { speakStream(input: $input) {
  __typename
  ... on SpeechStarted { mediaType model { name } }
  ... on AudioDelta { audio }
  ... on SpeechFinished { bytes }
  ... on Problem { code } } }"""
PIECES = FakeSpeech((b"RI", b"FF"), "audio/wav")


async def spoken(house: House, **given: Any) -> dict[str, Any]:
    result: dict[str, Any] = (await house.data(SPEAK, input={"text": "Open, please.", **given}))["speak"]
    return result


async def streamed(house: House, **given: Any) -> list[dict[str, Any]]:
    answers = await house.schema.stream(STREAM, {"input": {"text": "Open, please.", **given}}, house.context())
    return [(answer.data or {})["speakStream"] async for answer in answers]


async def test_a_text_is_said_in_the_models_first_voice() -> None:
    house = await talking(PIECES)
    answer = await spoken(house)
    assert (b64decode(answer["audio"]), answer["mediaType"], answer["characters"]) == (b"RIFF", "audio/wav", 13)
    asked = house.gateway.asked[-1]
    assert isinstance(asked, SpeakCall)
    assert (asked.voice, asked.format) == ("ann", None)


async def test_voice_format_and_speed_reach_the_vendor() -> None:
    house = await talking(PIECES)
    await spoken(house, voice="bob", format="FLAC", speed=1.5)
    asked = house.gateway.asked[-1]
    assert isinstance(asked, SpeakCall)
    assert (asked.voice, asked.format, asked.speed) == ("bob", SpeechFormat.FLAC, 1.5)


@pytest.mark.parametrize(
    ("given", "field"),
    [({"text": " "}, "text"), ({"text": "x" * 21}, "text"), ({"voice": "eve"}, "voice"), ({"speed": 9.0}, "speed")],
)
async def test_what_the_model_cannot_say_is_refused_by_its_field(given: dict[str, Any], field: str) -> None:
    house = await talking()
    assert await spoken(house, **given) == {"__typename": "InvalidRange", "field": field, "code": "INVALID_RANGE"}
    assert not house.gateway.asked


async def test_audio_streams_between_its_start_and_its_end() -> None:
    items = await streamed(await talking(PIECES))
    assert items == [
        {"__typename": "SpeechStarted", "mediaType": "audio/wav", "model": {"name": "mouth"}},
        {"__typename": "AudioDelta", "audio": "Ukk="},
        {"__typename": "AudioDelta", "audio": "RkY="},
        {"__typename": "SpeechFinished", "bytes": 4},
    ]


async def test_a_stream_that_breaks_ends_in_the_problem() -> None:
    items = await streamed(await talking(FakeSpeech((b"RI", StreamBroken("acme", 200)))))
    assert [item["__typename"] for item in items] == ["SpeechStarted", "AudioDelta", "StreamBroken"]


async def test_a_call_leaves_its_characters_in_the_records() -> None:
    house = await talking(PIECES)
    await spoken(house)
    (record,) = house.store.rows[tenant_id(1)].records.values()
    assert (record.job, record.characters, record.model.name) == ("speech", 13, "mouth")

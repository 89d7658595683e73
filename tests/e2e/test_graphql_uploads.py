"""Audio files sent to GraphQL as multipart requests, on a real socket."""

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from api.graphql.http import Unserved
from api.graphql.uploads import Turnstile
from domain.model.events import Usage
from domain.model.speech import TranscribeCall, Transcript
from tests.e2e.front import Front, front
from tests.graphql_house import OPTIONS, talking, tenant_id

TRANSCRIBE = """mutation T($input: TranscribeInput!) { transcribe(input: $input) {
  __typename
  ... on TranscribePayload { text language seconds paidBy }
  ... on InvalidRange { field message }
  ... on Problem { code } } }"""
HEARD = Transcript("Open, please.", Usage(), "en", 1.25)
WAV = ("door.wav", b"RIFF....", "audio/wav")
PLACE = {"0": ["variables.input.file"]}


async def sent(
    asked: Front,
    file: tuple[str, bytes, str] = WAV,
    places: Any = PLACE,
    variables: Any = None,
    operations: str | None = None,
    preflight: str = "1",
) -> httpx2.Response:
    given = {"input": {"file": None, "language": "en"}} if variables is None else variables
    written = operations or json.dumps({"query": TRANSCRIBE, "variables": given})
    headers = {"authorization": f"Bearer {asked.token}"} | (
        {"graphql-require-preflight": preflight} if preflight else {}
    )
    form = {"operations": written, "map": json.dumps(places)}
    return await asked.client.post(asked.url, data=form, files={"0": file}, headers=headers)


async def test_a_file_is_written_down() -> None:
    house = await talking(HEARD)
    async with front(house) as asked:
        answer = (await sent(asked)).json()["data"]["transcribe"]
    assert answer == {
        "__typename": "TranscribePayload",
        "text": "Open, please.",
        "language": "en",
        "seconds": 1.25,
        "paidBy": "OWN",
    }
    call = house.gateway.asked[-1]
    assert isinstance(call, TranscribeCall)
    heard = call.recording
    assert (heard.filename, heard.data, heard.media_type) == WAV
    assert call.language == "en"
    (record,) = house.store.rows[tenant_id(1)].records.values()
    assert (record.job, record.audio_ms) == ("transcription", 1_250)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (("door.wav", b"x" * 1_001, "audio/wav"), "1000"),
        (("door.txt", b"x", "text/plain"), "wav, mp3"),
        (("door", b"x", "audio/wav"), "wav, mp3"),
        (("door.wav", b"", "audio/wav"), "empty"),
    ],
)
async def test_the_models_own_limits_hold(file: tuple[str, bytes, str], said: str) -> None:
    house = await talking()
    async with front(house) as asked:
        answer = (await sent(asked, file)).json()["data"]["transcribe"]
    assert (answer["__typename"], answer["field"]) == ("InvalidRange", "file")
    assert said in answer["message"]
    assert not house.gateway.asked


async def test_without_the_header_that_forces_a_preflight_nothing_is_read() -> None:
    house = await talking()
    async with front(house) as asked:
        answer = await sent(asked, preflight="")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (415, "PREFLIGHT_REQUIRED")


@pytest.mark.parametrize(
    "places",
    [
        {"0": ["variables.input.file"] * 2},
        {"0": []},
        {"0": "variables.input.file"},
        {"0": ["variables.input.other"]},
        {"0": ["variables.input.language"]},
        {"0": ["variables.input.file.deeper"]},
        {"0": ["query"]},
        {"0": ["operationName"]},
        {"0": [""]},
        {"1": ["variables.input.file"]},
        ["variables.input.file"],
        7,
    ],
)
async def test_a_file_goes_to_one_variable_that_is_null_and_nowhere_else(places: Any) -> None:
    house = await talking()
    async with front(house) as asked:
        answer = await sent(asked, places=places)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert not house.gateway.asked


async def test_one_file_is_not_mapped_to_many_variables() -> None:
    places = {"0": [f"variables.input.file{n}" for n in range(5_000)]}
    async with front(await talking()) as asked:
        assert (await sent(asked, places=places)).status_code == 400


@pytest.mark.parametrize("operations", ["{", "[]", '"text"', "null"])
async def test_operations_that_are_no_request_are_refused(operations: str) -> None:
    async with front(await talking()) as asked:
        assert (await sent(asked, operations=operations)).status_code == 400


async def test_a_file_left_out_or_sent_as_text_is_refused_without_repeating_it() -> None:
    house = await talking()
    async with front(house) as asked:
        answer = await asked.post({"query": TRANSCRIBE, "variables": {"input": {"file": "c2VjcmV0"}}})
    assert "Upload" in answer.json()["errors"][0]["message"]
    assert "c2VjcmV0" not in answer.text
    assert not house.gateway.asked


async def test_requests_with_files_are_bounded_in_size_and_number() -> None:
    small, none = replace(OPTIONS, upload_limit=2_000), replace(OPTIONS, uploads=0)
    async with front(await talking(), small) as asked:
        assert (await sent(asked, ("door.wav", b"x" * 4_000, "audio/wav"))).status_code == 413
    async with front(await talking(), none) as asked:
        answer = await sent(asked)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    large_body = replace(OPTIONS, body_limit=100)
    async with front(await talking(HEARD), large_body) as asked:
        assert (await sent(asked)).json()["data"]["transcribe"]["text"] == "Open, please."


async def test_a_form_that_is_cut_or_crowded_is_refused() -> None:
    async with front(await talking()) as asked:
        headers = {
            "authorization": f"Bearer {asked.token}",
            "graphql-require-preflight": "1",
            "content-type": "multipart/form-data; boundary=x",
        }
        cut = await asked.client.post(asked.url, content=b"--x\r\nContent-Disposition: form-data", headers=headers)
        bare = headers | {"content-type": "multipart/form-data"}
        unbounded = await asked.client.post(asked.url, content=b"", headers=bare)
        files = {str(n): WAV for n in range(9)}
        form = {"operations": "{}", "map": "{}"}
        own = {k: v for k, v in headers.items() if k != "content-type"}
        crowded = await asked.client.post(asked.url, data=form, files=files, headers=own)
    assert [answer.status_code for answer in (cut, unbounded, crowded)] == [400, 400, 400]


def test_the_files_of_one_tenant_leave_room_for_anothers() -> None:
    """As places do: one tenant has half of the room, whose vendors may be slow."""
    turnstile, slow = Turnstile(4), ExitStack()
    with slow:
        for _ in range(2):
            slow.enter_context(turnstile.one(tenant_id(1)))
        with pytest.raises(Unserved) as caught, turnstile.one(tenant_id(1)):
            pass
        assert caught.value.status == 429
        with turnstile.one(tenant_id(2)):
            pass
    with turnstile.one(tenant_id(1)):
        pass

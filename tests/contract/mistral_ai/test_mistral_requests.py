"""Our requests to Mistral AI equal those of its own SDK (sdk_requests.json: mistralai for Python 3.7.0, recorded on
loopback) and satisfy its OpenAPI (request_schemas.json: mistralai/platform-docs-public at 222f4ba9).

Left out of the comparison: what the SDK adds though it is the default (`stream: false`, `tool_choice: "auto"`, and in
turns `prefix` and a call's `index`), the name in a tool's turn, and the wish for a stream in the accept header, which
the gateway adds. Two spellings of one thing are brought together: images are objects here and strings there, and a turn
of calls alone has null or empty content; the OpenAPI knows both.
"""

import re
from dataclasses import replace
from typing import Any

import pytest

from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema, ToolChoice
from tests.contract import recordings as rec

ID = "mistral_ai"
FORM = {"api_key": "dummy"}
HEADERS = ("authorization", "content-type")
TOOL = rec.weather("Current weather of a city")
CHAT = rec.asking("Hello", system="Be brief.")
CASES: list[tuple[str, ChatCall, bool]] = [
    ("chat", replace(CHAT, knobs=Knobs(temperature=0.2, max_tokens=64)), False),
    ("chat_stream_tool", replace(rec.asking("Weather in Paris?"), tools=(TOOL,)), True),
    ("chat_tool_result", rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "D681PevKs"), False),
    ("chat_vision", rec.asking("What is this?", rec.pixel()), False),
    ("error_401", CHAT, False),
]


def ask(call: ChatCall, *, stream: bool = False) -> rec.Sent:
    ours = rec.asked(ID, FORM, "mistral-small-latest", call, stream=stream, headers=HEADERS)
    rec.valid(ID, "ChatCompletionRequest", ours.body)
    return ours


def plain(value: Any) -> Any:
    """Without what the SDK adds to turns, and in one spelling."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    spare = {"prefix", "index"} | ({"name"} if value.get("role") == "tool" else set())
    kept = {key: plain(item) for key, item in value.items() if key not in spare}
    if isinstance(kept.get("image_url"), dict):
        kept["image_url"] = kept["image_url"]["url"]
    return kept


@pytest.mark.parametrize(("name", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_sdks(name: str, call: ChatCall, stream: bool) -> None:
    without = {"tool_choice"} if stream else {"stream"}
    theirs = rec.recorded(rec.calls(ID)[name], without=without, headers=HEADERS)
    ours = ask(call, stream=stream)
    assert replace(ours, body=plain(ours.body)) == rec.silent(replace(theirs, body=plain(theirs.body)))


def test_an_embedding_request_is_the_sdks() -> None:
    ours = rec.embedded(ID, FORM, "mistral-embed", EmbedCall(("hello",)), HEADERS)
    assert ours == rec.recorded(rec.calls(ID)["embedding"], headers=HEADERS)
    rec.valid(ID, "EmbeddingRequest", ours.body)


def test_the_length_of_vectors_has_its_own_name() -> None:
    body = rec.embedded(ID, FORM, "codestral-embed", EmbedCall(("a", "b"), dimensions=256)).body
    assert body == {"model": "codestral-embed", "input": ["a", "b"], "output_dimension": 256}
    rec.valid(ID, "EmbeddingRequest", body)


def test_the_probe_is_the_sdks_list_of_models() -> None:
    assert rec.probed(ID, FORM, HEADERS) == rec.recorded(rec.calls(ID)["models"], headers=HEADERS)


def test_every_knob_is_one_that_the_vendor_knows() -> None:
    body = ask(replace(CHAT, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1))).body
    assert (body["random_seed"], body["stop"]) == (7, ["END"])
    assert "seed" not in body


@pytest.mark.parametrize("choice", [ToolChoice.NONE, ToolChoice.REQUIRED])
def test_a_tool_choice_travels(choice: ToolChoice) -> None:
    assert ask(replace(CHAT, tools=(TOOL,), tool_choice=choice)).body["tool_choice"] == choice.value


def test_ids_of_calls_that_another_vendor_made_become_such_as_this_one_takes() -> None:
    """It takes nine letters and digits only (its refusal 3280, "must be a-z, A-Z, 0-9, with a length of 9")."""

    def ids(call_id: str) -> tuple[str, str]:
        _, asked, answered = ask(rec.after_tool("Weather?", "Oslo", "5C", TOOL, call_id)).body["messages"]
        return asked["tool_calls"][0]["id"], answered["tool_call_id"]

    (asked, answered), (other, _) = ids("call_1"), ids("call_2")
    assert asked == answered != other
    assert re.fullmatch("[a-zA-Z0-9]{9}", asked)
    assert ids("D681PevKs") == ("D681PevKs", "D681PevKs")


def test_a_schema_travels() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    body = ask(replace(CHAT, response_schema=ResponseSchema("r", schema))).body
    assert body["response_format"]["json_schema"] == {"name": "r", "strict": True, "schema": schema}

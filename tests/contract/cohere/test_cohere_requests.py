"""Our requests to Cohere equal those of its own SDK (sdk_requests.json: cohere for Python 7.3.1, recorded on loopback)
and satisfy its OpenAPI (request_schemas.json: cohere-ai/cohere-developer-experience at e814c8a1).

Left out of the comparison: `stream: false`, which is the default and not sent; the SDK's `accept: */*`; and `truncate`
of embeddings, since a text that is too long is to be refused and not cut.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose, Knobs, Message, ResponseSchema, ToolChoice
from domain.model.catalogue import ModelType
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, TranscribeCall
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec

ID = "cohere"
ADAPTER = ADAPTERS[ID]
FORM = {"api_key": "dummy"}
HEADERS = ("authorization", "content-type")
TOOL = rec.weather("Current weather of a city")
CLOSED: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
SECOND = rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "get_weather_x1")


def planned(call: ChatCall) -> ChatCall:
    """With what the model said it would do, beside its calls."""
    plan = rec.saying(call.messages[1].role, "I will look it up.").parts
    return replace(call, messages=(call.messages[0], replace(call.messages[1], parts=plan), call.messages[2]))


CASES: list[tuple[str, ChatCall]] = [
    ("chat", replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(temperature=0.2, max_tokens=64))),
    ("chat_stream_text", rec.asking("Hello", system="Be brief.")),
    ("chat_stream_tool", replace(rec.asking("Weather in Paris?"), tools=(TOOL,))),
    ("chat_tool_result", planned(SECOND)),
    ("chat_vision", rec.asking("What is this?", rec.pixel())),
]


def render(call: ChatCall, model: str = "command-a-03-2025") -> Request:
    assert ADAPTER.chat
    return ADAPTER.chat.render(rec.target(ID, model, FORM), call, stream=False)


def body_of(call: ChatCall) -> Any:
    body = render(call).json
    rec.valid(ID, "ChatRequest", body)
    return body


def theirs(name: str, *without: str) -> rec.Sent:
    return rec.recorded(rec.calls(ID)[name], without=without, headers=HEADERS)


@pytest.mark.parametrize(("name", "call"), CASES, ids=[name for name, _ in CASES])
def test_a_chat_request_is_the_sdks(name: str, call: ChatCall) -> None:
    stream = "stream" in name
    expected = theirs(name, *(() if stream else ("stream",)))
    ours = rec.asked(ID, FORM, expected.body["model"], call, stream=stream, headers=HEADERS)
    assert ours == expected
    rec.valid(ID, "ChatRequest", ours.body)


def test_texts_to_embed_are_the_sdks_and_never_cut() -> None:
    ours = rec.embedded(ID, FORM, "embed-v4.0", EmbedCall(("hello",), dimensions=256), HEADERS)
    rec.valid(ID, "EmbedRequest", ours.body)
    assert ours.body.pop("truncate") == "NONE"
    assert ours == theirs("embedding")


def test_a_query_is_embedded_as_one() -> None:
    ours = rec.embedded(ID, FORM, "embed-v4.0", EmbedCall(("hello",), purpose=EmbedPurpose.QUERY))
    assert ours.body["input_type"] == "search_query"
    assert "output_dimension" not in ours.body


def test_documents_to_rank_are_the_sdks() -> None:
    assert ADAPTER.rerank
    goal = rec.target(ID, "rerank-v4.0-fast", FORM, ModelType.RERANK)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.rerank.render(goal, RerankCall("q", ("a", "b"), top_n=1)), HEADERS)
    assert ours == theirs("rerank")
    rec.valid(ID, "RerankRequest", ours.body)


def test_no_recording_is_sent_without_its_language() -> None:
    assert ADAPTER.transcribe
    goal = rec.target(ID, "cohere-transcribe-03-2026", FORM, ModelType.SPEECH_TO_TEXT)
    with pytest.raises(InvalidRange, match="language"):
        ADAPTER.transcribe.render(goal, TranscribeCall(Recording("a.wav", "audio/wav", bytes(44))))


def test_the_probe_is_the_sdks_list_of_one_model() -> None:
    assert rec.probed(ID, FORM, HEADERS) == theirs("models")


@pytest.mark.parametrize(
    "base", ["", "https://api.cohere.com/", "https://api.cohere.com/v1", "https://api.cohere.com/v2/"]
)
def test_an_address_has_no_version_of_its_own(base: str) -> None:
    assert ADAPTER.base_url(rec.target(ID, "x", {**FORM, "base_url": base}).form) == "https://api.cohere.com"


def test_every_knob_has_the_vendors_name() -> None:
    body = body_of(replace(rec.asking("x"), knobs=Knobs(0.2, 0.9, 64, ("END",), 7, 0.1, 0.2)))
    assert body == {
        "model": "command-a-03-2025",
        "messages": [{"role": "user", "content": "x"}],
        "temperature": 0.2,
        "p": 0.9,
        "max_tokens": 64,
        "stop_sequences": ["END"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }


@pytest.mark.parametrize(
    ("extra", "thinking"),
    [
        ({"thinking": "disabled"}, {"type": "disabled"}),
        ({"thinking": "enabled", "token_budget": 512}, {"type": "enabled", "token_budget": 512}),
        ({"token_budget": 512}, {"type": "enabled", "token_budget": 512}),
    ],
)
def test_what_steers_thinking_goes_into_one_object(extra: Any, thinking: Any) -> None:
    call = replace(rec.asking("x"), knobs=Knobs(extra={"k": 40, **extra}))
    body = body_of(call)
    assert (body["thinking"], body["k"], "token_budget" in body) == (thinking, 40, False)
    assert render(call).warnings == ()


def test_an_answer_can_be_held_to_a_schema_but_not_beside_tools() -> None:
    call = replace(rec.asking("A JSON object."), response_schema=ResponseSchema("r", CLOSED))
    assert body_of(call)["response_format"] == {"type": "json_object", "json_schema": CLOSED}
    with pytest.raises(UnsupportedFeature):
        render(replace(call, tools=(TOOL,)))


@pytest.mark.parametrize(
    ("choice", "word"), [(ToolChoice.REQUIRED, "REQUIRED"), (ToolChoice.NONE, "NONE"), (ToolChoice.AUTO, None)]
)
def test_a_tool_choice_has_the_vendors_name(choice: ToolChoice, word: str | None) -> None:
    assert body_of(replace(rec.asking("x"), tools=(TOOL,), tool_choice=choice)).get("tool_choice") == word


def test_calls_without_a_plan_have_none() -> None:
    turn = body_of(SECOND)["messages"][1]
    assert turn.keys() == {"role", "tool_calls"}


def test_only_users_show_images() -> None:
    with pytest.raises(UnsupportedFeature):
        render(ChatCall((Message(SECOND.messages[1].role, (rec.pixel(),)),)))

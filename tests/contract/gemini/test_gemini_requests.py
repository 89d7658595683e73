"""Our requests to the Gemini API equal those of its own SDK (../google_client.py) and satisfy its protobuf definitions
(request_schemas.json: googleapis/googleapis at f8291d2b, which does not have `thinkingLevel` yet).
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.calls import (
    ChatCall,
    EmbedCall,
    EmbedPurpose,
    ImagePart,
    Knobs,
    Message,
    Role,
    TextPart,
    ToolCall,
    ToolChoice,
)
from infrastructure.providers.dialects.gemini_turns import UNSIGNED, with_thought, without_thought
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import google_client as google
from tests.contract import recordings as rec

ADAPTER = ADAPTERS["gemini"]
FORM = {"google_api_key": "AIza-dummy"}
HEADERS = ("x-goog-api-key", "authorization", "content-type")


def render(call: ChatCall, model: str = google.MODEL) -> Request:
    assert ADAPTER.chat
    return ADAPTER.chat.render(rec.target("gemini", model, FORM), call, stream=False)


def body_of(call: ChatCall, model: str = google.MODEL) -> Any:
    body = render(call, model).json
    rec.valid("gemini", "GenerateContentRequest", body)
    return body


@pytest.mark.parametrize("name", google.CHATS)
def test_a_chat_request_is_the_sdks(name: str) -> None:
    assert google.ours("gemini", name, FORM, HEADERS) == google.theirs("gemini", name, HEADERS)
    if name != "chat_thinking":
        rec.valid("gemini", "GenerateContentRequest", render(google.CHATS[name]).json)


def test_an_embedding_request_is_the_sdks() -> None:
    ours = rec.embedded("gemini", FORM, "gemini-embedding-001", google.EMBED, HEADERS)
    assert ours == google.theirs("gemini", "embedding", HEADERS)
    rec.valid("gemini", "BatchEmbedContentsRequest", ours.body)


def test_a_model_that_knows_no_task_is_told_none() -> None:
    ours = rec.embedded("gemini", FORM, "gemini-embedding-2", EmbedCall(("hello",)), HEADERS)
    assert ours == google.theirs("gemini", "embedding_2", HEADERS)


def test_a_query_is_embedded_as_one() -> None:
    sent = rec.embedded("gemini", FORM, "gemini-embedding-001", EmbedCall(("a",), purpose=EmbedPurpose.QUERY))
    assert sent.body["requests"][0]["taskType"] == "RETRIEVAL_QUERY"


def test_the_probe_is_the_sdks_list_of_one_model() -> None:
    theirs = google.theirs("gemini", "models", HEADERS)
    told = {name: value for name, value in theirs.headers.items() if name != "content-type"}
    assert rec.probed("gemini", FORM, HEADERS) == replace(theirs, headers=told)


@pytest.mark.parametrize("version", ["", "/", "/v1", "/v1beta"])
def test_an_address_has_no_version_of_its_own(version: str) -> None:
    form = rec.target("gemini", "x", {**FORM, "google_base_url": f"https://proxy.example{version}"}).form
    assert ADAPTER.base_url(form) == "https://proxy.example"


def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    assert render(rec.asking("x"), "../a?b#c").path == "v1/models/..%2Fa%3Fb%23c:generateContent"


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("gemini-2.5-pro", True),
        ("gemini-3.5-flash", True),
        ("gemma-4-31b-it", True),
        ("gemini-3.5-flash-lite", False),
        ("gemini-3.6-flash", False),
        ("gemini-4-argon", False),
        ("gemini-flash-latest", False),
    ],
)
def test_sampling_is_left_out_with_a_warning_where_it_is_ignored(model: str, takes: bool) -> None:
    knobs = Knobs(temperature=0.2, top_p=0.9, stop=("END",), seed=7, extra={"top_k": 40})
    request = render(replace(rec.asking("x"), knobs=knobs), model)
    assert request.json
    config = request.json["generationConfig"]
    assert [key in config for key in ("temperature", "topP", "topK")] == [takes] * 3
    assert len(request.warnings) == (0 if takes else 3)
    assert (config["stopSequences"], config["seed"]) == (["END"], 7)


def test_what_the_dialect_does_not_know_is_left_out_with_a_warning() -> None:
    request = render(replace(rec.asking("x"), knobs=Knobs(max_tokens=9, extra={"tomorrow": 1})))
    assert request.warnings == ("tomorrow was left out: gemini-3.5-flash does not take it",)


def test_a_budget_for_thinking_stands_beside_the_wish_to_see_it() -> None:
    knobs = Knobs(extra={"thinking_budget": 512, "include_thoughts": True})
    config = body_of(replace(rec.asking("x"), knobs=knobs), "gemini-2.5-pro")["generationConfig"]
    assert config == {"thinkingConfig": {"thinkingBudget": 512, "includeThoughts": True}}


@pytest.mark.parametrize(("choice", "mode"), [(ToolChoice.REQUIRED, "ANY"), (ToolChoice.NONE, "NONE")])
def test_a_tool_choice_has_the_vendors_name(choice: ToolChoice, mode: str) -> None:
    body = body_of(replace(rec.asking("x"), tools=(google.TOOL,), tool_choice=choice))
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": mode}}


def test_an_image_may_be_an_address() -> None:
    def part(url: str) -> Any:
        return body_of(rec.asking(ImagePart(url)))["contents"][0]["parts"][0]["fileData"]

    assert part("https://a.example/b.png?c=d") == {
        "fileUri": "https://a.example/b.png?c=d",
        "mimeType": "image/png",
    }
    assert part("https://a.example/b") == {"fileUri": "https://a.example/b"}


def test_results_of_one_turn_come_in_one_turn_by_id_and_name() -> None:
    calls = (ToolCall(with_thought("a", "c2ln"), "f", "{}"), ToolCall("b", "g", '{"x":1}'))
    turns = (
        rec.saying(Role.USER, "Go"),
        Message(Role.ASSISTANT, (TextPart("Calling."),), calls),
        Message(Role.TOOL, (TextPart('{"t":1}'),), tool_call_id=calls[0].id),
        Message(Role.TOOL, (TextPart("[2]"),), tool_call_id="b"),
        rec.saying(Role.USER, "", "And then?"),
    )
    _, model, user = body_of(ChatCall(turns, tools=(google.TOOL,)))["contents"]
    assert model["parts"] == [
        {"text": "Calling."},
        {"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "b", "name": "g", "args": {"x": 1}}},
    ]
    assert user["parts"] == [
        {"functionResponse": {"id": "a", "name": "f", "response": {"t": 1}}},
        {"functionResponse": {"id": "b", "name": "g", "response": {"result": "[2]"}}},
        {"text": "And then?"},
    ]


@pytest.mark.parametrize(("model", "signed"), [("gemini-3.5-flash", True), ("gemini-2.5-flash", False)])
def test_a_call_that_another_model_made_is_marked_where_a_thought_is_demanded(model: str, signed: bool) -> None:
    calls = (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))
    body = body_of(ChatCall((Message(Role.ASSISTANT, tool_calls=calls),)), model)
    marks = [part.get("thoughtSignature") for part in body["contents"][0]["parts"]]
    assert marks == [UNSIGNED if signed else None, None]


@pytest.mark.parametrize("signature", ["", "c2ln", "YQ==", "ab+/Zw=="])
def test_an_id_carries_the_thought_in_letters_that_every_vendor_takes(signature: str) -> None:
    packed = with_thought("call_1", signature)
    assert without_thought(packed) == ("call_1", signature)
    assert packed.replace("-", "").replace("_", "").isalnum()


def test_system_turns_leave_the_conversation() -> None:
    turns = (rec.saying(Role.SYSTEM, "One."), rec.saying(Role.USER, "a"), rec.saying(Role.SYSTEM, "Two."))
    body = body_of(ChatCall(turns))
    assert body["systemInstruction"]["parts"] == [{"text": "One.\n\nTwo."}]
    assert body["contents"] == [{"role": "user", "parts": [{"text": "a"}]}]


def test_what_cannot_be_said_is_refused() -> None:
    with pytest.raises(UnsupportedFeature):
        render(ChatCall((Message(Role.ASSISTANT, (rec.pixel(),)),)))
    with pytest.raises(InvalidRange):
        render(ChatCall((Message(Role.ASSISTANT, tool_calls=(ToolCall("a", "f", "["),)),)))
    with pytest.raises(InvalidRange):
        render(ChatCall((Message(Role.TOOL, (TextPart("1"),), tool_call_id="lost"),)))

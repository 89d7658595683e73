"""Our requests to Ollama equal those of its own client (sdk_requests.json: ollama for Python 0.6.3, recorded on
loopback) and satisfy its OpenAPI (request_schemas.json: ollama/ollama at fb307609).

Left out of the comparison: `tools: []`, which that client adds; an empty `content`, which it leaves out of an
assistant's tool calls and the OpenAPI demands; `truncate`, since a text that is too long is to be refused and not cut;
and `num_ctx` where the recording has none, because our form always states the context.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.calls import (
    ChatCall,
    EmbedCall,
    ImagePart,
    Knobs,
    Message,
    ResponseSchema,
    Role,
    ToolCall,
    ToolChoice,
)
from domain.model.catalogue import Feature, ModelRef, ModelType
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec

ADAPTER = ADAPTERS["ollama"]
FORM = {"base_url": "http://127.0.0.1:11434", "api_key": "<key>"}
HEADERS = ("authorization", "content-type", "accept")
TOOL = rec.weather("Weather by city")
SCHEMA = ResponseSchema("ans", {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]})
EVERY = Knobs(temperature=0.2, top_p=0.9, max_tokens=64, stop=("END",), seed=7, extra={"keep_alive": "5m"})
THINKING = Knobs(extra={"think": True})
CASES: list[tuple[str, str, ChatCall, bool]] = [
    ("chat", "llama3.2", replace(rec.asking("Hello", system="Be brief."), knobs=EVERY), False),
    ("chat stream + tool", "llama3.2", replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,)), True),
    ("chat tool result turn", "llama3.2", rec.after_tool("Weather?", "Tokyo", "sunny", TOOL, "c1"), False),
    ("chat vision", "llava", rec.asking("What is this?", rec.pixel()), False),
    ("chat think + json schema", "qwen3", replace(rec.asking("a?"), response_schema=SCHEMA, knobs=THINKING), False),
]


def render(call: ChatCall, model: str = "llama3.2", *, stream: bool = False) -> Any:
    assert ADAPTER.chat
    return ADAPTER.chat.render(rec.target("ollama", model, FORM), call, stream=stream).json


def theirs(name: str) -> rec.Sent:
    """The recording in the terms of the comparison."""
    found = rec.recorded(rec.calls("ollama")[name], headers=HEADERS)
    body = {key: value for key, value in found.body.items() if value != []}
    body["messages"] = [{"content": "", **message} for message in body["messages"]]
    body["options"] = {"num_ctx": 4096, **body.get("options", {})}
    return replace(found, body=body)


@pytest.mark.parametrize(("name", "model", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_clients(name: str, model: str, call: ChatCall, stream: bool) -> None:
    assert ADAPTER.chat
    goal = rec.target("ollama", model, FORM)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.chat.render(goal, call, stream=stream), HEADERS)
    assert ours == theirs(name)
    rec.valid("ollama", "ChatRequest", ours.body)


def test_an_embedding_request_is_the_clients() -> None:
    assert ADAPTER.embed
    goal = rec.target("ollama", "all-minilm", FORM, ModelType.EMBEDDING)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.embed.render(goal, EmbedCall(("a", "b"), dimensions=128)), HEADERS)
    recording = rec.recorded(rec.calls("ollama")["embed"], headers=HEADERS)
    assert ours == replace(recording, body={**recording.body, "truncate": False})
    rec.valid("ollama", "EmbedRequest", ours.body)


def test_a_local_server_gets_no_key() -> None:
    form = rec.target("ollama", "x", {"base_url": "http://127.0.0.1:11434"}).form
    assert ADAPTER.sign(form) is None


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "/api", "/api/"])
def test_an_address_may_carry_what_other_programs_want_there(ending: str) -> None:
    form = rec.target("ollama", "x", {"base_url": "http://127.0.0.1:11434" + ending}).form
    assert ADAPTER.base_url(form) == "http://127.0.0.1:11434"


@pytest.mark.parametrize(
    ("kind", "path", "schema"),
    [(ModelType.LLM, "api/chat", "ChatRequest"), (ModelType.EMBEDDING, "api/embed", "EmbedRequest")],
)
def test_the_probe_calls_the_very_model(kind: ModelType, path: str, schema: str) -> None:
    goal = rec.target("ollama", "mine", FORM, kind)
    request = ADAPTER.probe(goal, goal.form)
    assert request.json
    assert (request.path, request.json["model"]) == (path, "mine")
    rec.valid("ollama", schema, request.json)
    if kind is ModelType.LLM:
        assert (request.json["stream"], request.json["options"]["num_predict"]) == (False, 5)


def test_the_probe_of_a_model_that_hears_sends_it_silence() -> None:
    goal = rec.target("ollama", "mine", FORM, ModelType.SPEECH_TO_TEXT)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.probe(goal, goal.form))
    assert (ours.path, ours.body["model"], ours.body["file"]["bytes"]) == (
        "/v1/audio/transcriptions",
        "mine",
        32_044,
    )


def test_a_probe_without_a_model_is_refused() -> None:
    with pytest.raises(InvalidRange):
        ADAPTER.probe(None, FORM)


def test_the_form_describes_the_model() -> None:
    public = {"base_url": "http://x", "mode": "chat", "context_size": "8192", "max_tokens": "512"}
    public |= {"vision_support": "true", "function_call_support": "false"}
    row = ADAPTER.provider().hosted(ModelRef("ollama", "mine", ModelType.LLM), public)
    assert (row.context, row.max_output) == (8192, 512)
    assert row.features == {Feature.VISION, Feature.STRUCTURED_OUTPUT, Feature.STREAMING}


def test_the_context_of_the_form_is_asked_for() -> None:
    assert ADAPTER.chat
    goal = rec.target("ollama", "mine", {**FORM, "context_size": "8192"})
    request = ADAPTER.chat.render(goal, rec.asking("x"), stream=False)
    assert request.json
    assert request.json["options"] == {"num_ctx": 8192}


def test_no_tool_is_offered_when_none_may_be_called() -> None:
    assert "tools" not in render(replace(rec.asking("x"), tools=(TOOL,), tool_choice=ToolChoice.NONE))


def test_what_cannot_be_asked_for_is_refused() -> None:
    with pytest.raises(UnsupportedFeature):
        render(replace(rec.asking("x"), tools=(TOOL,), tool_choice=ToolChoice.REQUIRED))
    with pytest.raises(UnsupportedFeature):
        render(rec.asking(ImagePart("https://example.com/a.png")))
    with pytest.raises(UnsupportedFeature):
        render(ChatCall((Message(Role.SYSTEM, (rec.pixel(),)),)))
    with pytest.raises(InvalidRange):
        render(ChatCall((Message(Role.ASSISTANT, tool_calls=(ToolCall("a", "f", "{"),)),)))


def test_a_result_that_names_no_tool_is_matched_by_its_call() -> None:
    called = Message(Role.ASSISTANT, tool_calls=(ToolCall("a", "f", "{}"),))
    known = replace(rec.saying(Role.TOOL, "1"), tool_call_id="a")
    lost = replace(rec.saying(Role.TOOL, "2"), tool_call_id="z")
    _, first, second = render(ChatCall((called, known, lost)))["messages"]
    assert (first["tool_name"], second["tool_call_id"]) == ("f", "z")


def test_parameters_of_a_request_stand_beside_its_options() -> None:
    asked = replace(rec.asking("Hello"), knobs=Knobs(extra={"think": False, "keep_alive": "5m", "top_k": 5}))
    assert ADAPTER.chat
    request = ADAPTER.chat.render(rec.target("ollama", "qwen3", FORM), asked, stream=False)
    body: Any = request.json
    assert (body["think"], body["keep_alive"]) == (False, "5m")
    assert body["options"] == {"num_ctx": 4096, "top_k": 5}
    assert not request.warnings

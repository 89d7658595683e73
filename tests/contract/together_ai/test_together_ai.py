"""Our requests to Together AI equal those of its SDK (sdk_requests.json: together for Python 3.1.1) and satisfy its
OpenAPI (request_schemas.json); answers are those that the SDK accepted, errors those of its error page.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema, ToolCall
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec

ID = "together_ai"
ADAPTER = ADAPTERS[ID]
FORM = {"api_key": "dummy"}
HEADERS = ("authorization", "content-type", "accept")
LLAMA, EMBEDDER = "meta-llama/Llama-3.3-70B-Instruct-Turbo", "intfloat/multilingual-e5-large-instruct"
TOOL = rec.weather("Current weather of a city")
HELLO = rec.asking("Hello", system="Be brief.")
CASES: list[tuple[str, str, ChatCall, bool]] = [
    ("chat", LLAMA, replace(HELLO, knobs=Knobs(temperature=0.2, max_tokens=64)), False),
    ("chat_stream_tool", LLAMA, replace(rec.asking("Weather in Paris?"), tools=(TOOL,)), True),
    ("chat_vision", "Qwen/Qwen3-VL-8B-Instruct", rec.asking("What is this?", rec.pixel()), False),
]


def chat(call: ChatCall, model: str = LLAMA, *, stream: bool = False) -> rec.Sent:
    ours = rec.asked(ID, FORM, model, call, stream=stream, headers=HEADERS)
    rec.valid(ID, "ChatCompletionRequest", ours.body)
    return ours


@pytest.mark.parametrize(("name", "model", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_sdks(name: str, model: str, call: ChatCall, stream: bool) -> None:
    assert chat(call, model, stream=stream) == rec.recorded(rec.calls(ID)[name], headers=HEADERS)


def test_a_request_with_everything_satisfies_the_specification() -> None:
    schema = ResponseSchema("r", {"type": "object"})
    body = chat(replace(HELLO, response_schema=schema, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1))).body
    assert body["response_format"]["json_schema"] == {"name": "r", "strict": True, "schema": {"type": "object"}}
    assert body.keys() >= {"seed", "stop", "top_p", "presence_penalty", "frequency_penalty"}


def test_calls_are_numbered_in_the_turn_that_made_them() -> None:
    call = rec.after_tool("Weather?", "Paris", "18C", TOOL, "call_1")
    asked, called, answered = call.messages
    both = replace(called, tool_calls=(*called.tool_calls, replace(called.tool_calls[0], id="call_2")))
    turn = chat(replace(call, messages=(asked, both, answered, replace(answered, tool_call_id="call_2"))))
    assert [(c["index"], c["id"]) for c in turn.body["messages"][1]["tool_calls"]] == [(0, "call_1"), (1, "call_2")]


def test_an_embedding_is_the_sdks() -> None:
    assert ADAPTER.embed
    goal = rec.target(ID, EMBEDDER, FORM, ModelType.EMBEDDING)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.embed.render(goal, EmbedCall(("hello",))), HEADERS)
    rec.valid(ID, "EmbeddingsRequest", ours.body)
    recorded = rec.calls(ID)["embedding"]
    assert ours == rec.recorded(recorded, headers=HEADERS)
    answer = ADAPTER.embed.parse(recorded["reply_replayed"]["body"], 1)
    assert (answer.vectors, answer.usage.input) == (((0.1, 0.2),), None)


@pytest.mark.parametrize(("kind", "path"), [(ModelType.LLM, "chat/completions"), (ModelType.EMBEDDING, "embeddings")])
def test_the_probe_calls_the_very_model(kind: ModelType, path: str) -> None:
    goal = rec.target(ID, LLAMA, FORM, kind)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.probe(goal, goal.form), HEADERS)
    assert (ours.path, ours.body["model"]) == (f"/v1/{path}", LLAMA)
    assert ours.headers["authorization"] == "Bearer dummy"


def test_the_form_describes_the_model() -> None:
    public = {"context_size": "131072", "max_tokens_to_sample": "64", "function_calling_type": "tool_call"}
    public |= {"vision_support": "no_support", "structured_output_support": "supported"}
    row = ADAPTER.provider().hosted(ModelRef(ID, LLAMA, ModelType.LLM), public)
    assert (row.context, row.max_output) == (131072, 64)
    assert row.features == {Feature.TOOLS, Feature.STRUCTURED_OUTPUT, Feature.STREAMING}


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, rec.calls(ID)["chat"]["reply_replayed"]["body"])
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output) == (12, 3)


def test_a_stream_has_its_usage_in_the_last_choices_chunk() -> None:
    answer = rec.split_in_all_ways(ID, rec.calls(ID)["chat_stream_tool"]["reply_replayed"]["text"])
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert (answer.usage.input, answer.usage.output) == (30, 9)


def test_a_folded_stream_equals_the_whole_answer() -> None:
    """By the specification: every delta repeats its role, thoughts stand in `reasoning`, and a stop may be an eos."""
    counts = {"prompt_tokens": 30, "completion_tokens": 9, "total_tokens": 39}
    message = {"role": "assistant", "content": "Hi.", "reasoning": "Hm."}
    whole = rec.answered(ID, {"choices": [{"message": message, "finish_reason": "eos"}], "usage": counts})
    deltas: list[Any] = [{"reasoning": "Hm.", "content": ""}, {"content": "H"}, {"content": "i."}]
    pieces: list[Any] = [{"index": 0, "delta": {"role": "assistant", **d}, "finish_reason": None} for d in deltas]
    last = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "eos"}
    chunks = [{"choices": [piece], "usage": None} for piece in pieces]
    assert rec.split_in_all_ways(ID, rec.events(*chunks, {"choices": [last], "usage": counts})) == whole
    assert (whole.reasoning, whole.finish) == ("Hm.", FinishReason(Finish.STOP, "eos"))


def error(said: str, kind: str = "invalid_request_error", code: str | None = None) -> Any:
    return {"error": {"message": said, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, error("Invalid API key provided.", code="invalid_api_key"), CredentialRejected),
        (402, error("You have reached your monthly spending limit."), UpstreamPaymentRequired),
        (400, error("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097."), ContextTooLong),
        (422, error("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097."), ContextTooLong),
        (403, error("Input token count + max_tokens must be less than the limit"), ContextTooLong),
        (403, error("You have no access to this model."), CredentialRejected),
        (404, error("Unable to access model acme/x."), ModelNotFoundUpstream),
        (429, error("Too many requests.", "rate_limit"), UpstreamRateLimited),
        (400, error("messages is required"), BadRequestUpstream),
        (503, error("The engine is overloaded.", "server_error"), UpstreamUnavailable),
        (524, "<html>A timeout occurred</html>", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert type(failure) is meaning
    assert failure.status == status


def test_an_error_inside_a_stream_is_a_refusal() -> None:
    with pytest.raises(UpstreamUnavailable):
        rec.streamed(ID, rec.events(error("It broke.", "server_error")))

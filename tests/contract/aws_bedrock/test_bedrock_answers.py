"""What Amazon Bedrock answers: replies and streams that botocore 1.44.5 accepted (sdk_requests.json), and others that
satisfy its service models (*_model.json)."""

from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    StreamBroken,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ToolCall
from domain.model.catalogue import ModelType
from domain.model.events import Finish, FinishReason, Usage
from domain.ports import ListedModel
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Page
from tests.contract import amazon
from tests.contract import recordings as rec
from tests.contract.service_model import satisfies

ID = "aws_bedrock"
ADAPTER = ADAPTERS[ID]


def body(name: str) -> Any:
    return rec.calls(ID)[name]["reply_replayed"]["body"]


def stream(*events: dict[str, Any]) -> bytes:
    """Events as the service sends them, each of which satisfies its model."""
    for event in events:
        satisfies(ID, "runtime_model.json", "ConverseStreamOutput", event)
    return b"".join(amazon.message("event", name, payload) for event in events for name, payload in event.items())


def delta(index: int, **what: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": what}}


def start(index: int, call_id: str, name: str) -> dict[str, Any]:
    return {
        "contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": call_id, "name": name}}}
    }


def stop(index: int) -> dict[str, Any]:
    return {"contentBlockStop": {"contentBlockIndex": index}}


def closing(reason: str, counts: dict[str, int]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"messageStop": {"stopReason": reason}}, {"metadata": {"usage": counts, "metrics": {"latencyMs": 1}}}


COUNTS = {
    "inputTokens": 5,
    "outputTokens": 9,
    "totalTokens": 134,
    "cacheReadInputTokens": 20,
    "cacheWriteInputTokens": 100,
}
OPENING: dict[str, Any] = {"messageStart": {"role": "assistant"}}


def test_a_whole_answer_is_read() -> None:
    satisfies(ID, "runtime_model.json", "ConverseResponse", body("chat"))
    answer = rec.answered(ID, body("chat"))
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "end_turn"))
    assert (answer.usage.input, answer.usage.output) == (12, 3)


def test_a_recorded_stream_is_put_together_from_any_pieces() -> None:
    answer = rec.split_in_all_ways(ID, amazon.replayed(ID, "chat_stream_tool"))
    assert answer.text == "Let me check."
    assert answer.tool_calls == (ToolCall("tooluse_1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_use")
    assert (answer.usage.input, answer.usage.output) == (30, 9)


def test_a_folded_stream_equals_the_whole_answer() -> None:
    content = [
        {"reasoningContent": {"reasoningText": {"text": "Größe?", "signature": "c2ln"}}},
        {"text": "Zwei 😀"},
        {"toolUse": {"toolUseId": "a", "name": "f", "input": {"x": 1}}},
        {"toolUse": {"toolUseId": "b", "name": "g", "input": {}}},
    ]
    reply = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use",
        "usage": COUNTS,
        "metrics": {"latencyMs": 1},
    }
    satisfies(ID, "runtime_model.json", "ConverseResponse", reply)
    events = stream(
        OPENING,
        delta(0, reasoningContent={"text": "Grö"}),
        delta(0, reasoningContent={"text": "ße?"}),
        delta(0, reasoningContent={"signature": "c2ln"}),
        stop(0),
        delta(1, text="Zwei "),
        delta(1, text="😀"),
        stop(1),
        start(2, "a", "f"),
        delta(2, toolUse={"input": '{"x"'}),
        delta(2, toolUse={"input": ":1}"}),
        stop(2),
        start(3, "b", "g"),
        stop(3),
        *closing("tool_use", COUNTS),
    )
    answer = rec.split_in_all_ways(ID, events)
    assert answer == rec.answered(ID, reply)
    assert answer.usage == Usage(125, 9, 20, None, COUNTS)
    assert [call.arguments for call in answer.tool_calls] == ['{"x":1}', "{}"]


@pytest.mark.parametrize(
    ("raw", "unified"),
    [
        ("stop_sequence", Finish.STOP),
        ("max_tokens", Finish.LENGTH),
        ("model_context_window_exceeded", Finish.LENGTH),
        ("guardrail_intervened", Finish.CONTENT_FILTER),
        ("content_filtered", Finish.CONTENT_FILTER),
        ("tomorrow", Finish.STOP),
    ],
)
def test_reasons_to_end_have_our_name_beside_the_vendors(raw: str, unified: Finish) -> None:
    reply = {"output": {"message": {"role": "assistant", "content": []}}, "stopReason": raw}
    assert rec.answered(ID, reply).finish == FinishReason(unified, raw)


@pytest.mark.parametrize("raw", ["malformed_model_output", "malformed_tool_use"])
def test_an_answer_that_the_service_could_not_read_is_a_failure(raw: str) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.answered(ID, {"output": {"message": {"content": []}}, "stopReason": raw})
    with pytest.raises(BadRequestUpstream):
        rec.streamed(ID, stream(OPENING, *closing(raw, COUNTS)), ())


def test_a_stream_cut_before_its_last_event_is_broken() -> None:
    whole = stream(OPENING, delta(0, text="Hi"), stop(0))
    with pytest.raises(StreamBroken):
        rec.streamed(ID, whole, ())
    ended = rec.streamed(ID, whole + stream(closing("end_turn", COUNTS)[0]), ())
    assert (ended.text, ended.usage.input) == ("Hi", None)


def test_padding_and_events_of_tomorrow_do_not_hurt() -> None:
    odd = amazon.message("event", "tomorrow", {"p": "abc"}) + amazon.message(
        "event", "contentBlockDelta", {"delta": None, "p": "x"}
    )
    lost = amazon.message("event", "contentBlockDelta", {"delta": {"toolUse": {"input": "{}"}}})
    answer = rec.streamed(ID, odd + lost + stream(delta(0, text="Hi"), *closing("end_turn", COUNTS)), ())
    assert (answer.text, answer.tool_calls) == ("Hi", ())


@pytest.mark.parametrize("odd", [None, [], "hi", {}, {"output": {"message": {"content": "x"}}}], ids=str)
def test_an_answer_that_is_none_is_the_vendors_fault(odd: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.answered(ID, odd)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("error_403_UnrecognizedClientException", CredentialRejected),
        ("error_403_AccessDeniedException", CredentialRejected),
        ("error_429_ThrottlingException", UpstreamRateLimited),
        ("error_400_ValidationException", ContextTooLong),
        ("error_503_ServiceUnavailableException", UpstreamUnavailable),
        ("error_424_ModelErrorException", UpstreamUnavailable),
    ],
)
def test_a_recorded_refusal_is_read_by_its_meaning(name: str, meaning: type[UpstreamError]) -> None:
    _, status, kind = name.split("_")
    headers = {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    failure = rec.refused(ID, int(status), body(name), headers)
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (int(status), body(name)["message"])


@pytest.mark.parametrize(
    ("status", "kind", "said", "meaning"),
    [
        (403, "ExpiredTokenException", "The security token included in the request is expired", CredentialRejected),
        (
            403,
            "AccessDeniedException",
            "INVALID_PAYMENT_INSTRUMENT: A valid one must be given.",
            UpstreamPaymentRequired,
        ),
        (400, "IncompleteSignature", "x", CredentialRejected),
        (400, "ServiceQuotaExceededException", "x", UpstreamRateLimited),
        (400, "ValidationException", "The provided model identifier is invalid.", BadRequestUpstream),
        (400, "ValidationException", "400 Bad Request: Too many input tokens. Max input tokens: 8192", ContextTooLong),
        (400, "ValidationException", "This request has been blocked by our content filters.", ContentRefused),
        (
            404,
            "ResourceNotFoundException",
            "This model version has reached the end of its life.",
            ModelNotFoundUpstream,
        ),
        (408, "ModelTimeoutException", "x", UpstreamUnavailable),
        (429, "ModelNotReadyException", "x", UpstreamUnavailable),
        (500, "InternalServerException", "x", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_type(status: int, kind: str, said: str, meaning: type[UpstreamError]) -> None:
    by_header = rec.refused(ID, status, {"message": said}, {"x-amzn-errortype": kind})
    by_body = rec.refused(ID, status, {"__type": f"com.amazon.coral.service#{kind}", "Message": said})
    for failure in (by_header, by_body):
        assert (type(failure), failure.status, failure.detail) == (meaning, status, said)


def test_a_refusal_of_no_shape_is_read_by_its_status() -> None:
    assert isinstance(rec.refused(ID, 502, "<html>bad gateway</html>"), UpstreamUnavailable)


def test_a_recorded_exception_ends_the_stream_by_its_meaning() -> None:
    with pytest.raises(UpstreamRateLimited) as caught:
        rec.streamed(ID, amazon.replayed(ID, "stream_exception"))
    assert caught.value.status == 429
    assert caught.value.detail == "Too many tokens, please wait before trying again."


@pytest.mark.parametrize(
    ("kind", "said", "meaning", "status"),
    [
        ("validationException", "Input is too long for requested model.", ContextTooLong, 400),
        ("validationException", "x", BadRequestUpstream, 400),
        ("modelStreamErrorException", "x", UpstreamUnavailable, 424),
        ("serviceUnavailableException", "x", UpstreamUnavailable, 503),
        ("internalServerException", "x", UpstreamUnavailable, 500),
        ("tomorrowsException", "x", UpstreamUnavailable, 500),
    ],
)
def test_an_exception_of_a_stream_has_the_status_of_its_type(
    kind: str, said: str, meaning: type[UpstreamError], status: int
) -> None:
    with pytest.raises(meaning) as caught:
        rec.streamed(ID, stream(OPENING) + amazon.message("exception", kind, {"message": said}), ())
    assert (caught.value.status, caught.value.detail) == (status, said)


MAY_NOT = (
    "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:ListFoundationModels because no policy allows"
)


@pytest.mark.parametrize(
    ("kind", "said", "proof"),
    [
        ("AccessDeniedException", MAY_NOT, True),
        ("AccessDeniedException", "You don't have access to the model with the specified model ID.", True),
        ("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.", False),
        ("UnrecognizedClientException", "The security token included in the request is invalid.", False),
        ("ThrottlingException", "Too many requests", False),
    ],
)
def test_a_key_that_may_not_do_this_one_thing_is_a_key(kind: str, said: str, proof: bool) -> None:
    failure = rec.refused(ID, 403, {"message": said}, {"x-amzn-ErrorType": kind})
    assert ADAPTER.proves(failure) is proof


@pytest.mark.parametrize(
    ("reply", "count", "vectors", "tokens"),
    [
        (body("embedding_titan"), 1, ((0.1, 0.2),), 1),
        (body("embedding_cohere"), 1, ((0.1, 0.2),), None),
        ({"embeddings": {"float": [[1, 2], [3, 4]]}}, 2, ((1.0, 2.0), (3.0, 4.0)), None),
        ({"embeddings": [{"embeddingType": "TEXT", "embedding": [1, 2]}]}, 1, ((1.0, 2.0),), None),
    ],
    ids=["titan", "cohere", "cohere by type", "nova"],
)
def test_vectors_of_every_maker_are_read(reply: Any, count: int, vectors: Any, tokens: int | None) -> None:
    answer = rec.vectors(ID, reply, count)
    assert answer.vectors == vectors
    assert (answer.usage.input, answer.usage.output) == (tokens, None if tokens is None else 0)


@pytest.mark.parametrize(
    "odd", [None, {}, {"embeddings": [[1]]}, {"embedding": [1]}, {"embeddings": [[1], None]}], ids=str
)
def test_vectors_that_do_not_fit_the_texts_are_refused(odd: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.vectors(ID, odd, 2)


def test_ranks_are_read_best_first() -> None:
    assert ADAPTER.rerank
    satisfies(ID, "agent_model.json", "RerankResponse", body("rerank"))
    assert [(r.index, r.score) for r in ADAPTER.rerank.parse(body("rerank"), 2).results] == [(1, 0.9), (0, 0.1)]


def page(reply: Any) -> Page:
    assert ADAPTER.models
    return ADAPTER.models.parse(reply)


def test_models_on_demand_are_listed_then_the_profiles() -> None:
    satisfies(ID, "control_model.json", "ListFoundationModelsResponse", body("models"))
    first = page(body("models"))
    assert first.models == (ListedModel("amazon.nova-lite-v1:0", ModelType.LLM),)
    assert ADAPTER.models
    request = ADAPTER.models.render(first.following)
    assert (request.path, dict(request.query)) == ("inference-profiles", {"maxResults": "1000"})
    assert dict(ADAPTER.models.render("t=/+").query) == {"maxResults": "1000", "nextToken": "t=/+"}
    assert ADAPTER.models.render().path == "foundation-models"


def test_a_list_is_read_for_what_can_be_called() -> None:
    def row(name: str, way: str, out: str) -> dict[str, Any]:
        return {"modelArn": "arn:x", "modelId": name, "inferenceTypesSupported": [way], "outputModalities": [out]}

    rows = [
        row("a.embed", "ON_DEMAND", "EMBEDDING"),
        row("b.rerank-v1", "ON_DEMAND", "TEXT"),
        row("c.image", "ON_DEMAND", "IMAGE"),
        row("d.chat", "INFERENCE_PROFILE", "TEXT"),
        row("e.chat", "PROVISIONED", "TEXT"),
    ]
    named = {m.name: m.type for m in page({"modelSummaries": rows}).models}
    assert named == {"a.embed": ModelType.EMBEDDING, "b.rerank-v1": ModelType.RERANK, "c.image": None}
    profiles = [{"inferenceProfileId": "us.x.chat"}, {"inferenceProfileId": "us.x.embed-v4:0"}, {}]
    found = page({"inferenceProfileSummaries": profiles, "nextToken": "t"})
    assert found == Page((ListedModel("us.x.chat"), ListedModel("us.x.embed-v4:0", ModelType.EMBEDDING)), "t")
    assert page({"inferenceProfileSummaries": []}).following is None


@pytest.mark.parametrize("odd", [None, [], {}, {"modelSummaries": None}], ids=str)
def test_an_answer_that_is_no_list_is_the_vendors_fault(odd: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        page(odd)

"""Replicate: answers and a stream as tests of its SDK and of others recorded them (recorded_runs.json), and as the
example of predictions.get in the OpenAPI has them; further streams are those that tests of its SDK for JavaScript read
(sdk_streams.json), or in the form of the vendor's guide (replicate.com/docs/reference/streaming). Vectors are inferred
from Dify's plugin (langgenius/dify-official-plugins at 7af2283), failed runs from pollinations/pollinations#10801, and
404 and 402 from the form of the recorded 401.
"""

from typing import Any

import pytest

from domain import errors
from domain.errors import UpstreamError
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish, Usage
from domain.ports import ListedModel
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Page
from tests.contract import recordings as rec

ID = "replicate"
RUNS = rec.load(ID, "recorded_runs.json")
HELLO = {
    "id": "gm3qorzdhgbfurvjtvhg6dckhu",
    "model": "replicate/hello-world",
    "version": "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa",
    "input": {"text": "Alice"},
    "logs": "",
    "output": "hello Alice",
    "error": None,
    "status": "succeeded",
    "created_at": "2023-09-08T16:19:34.765994Z",
    "data_removed": False,
    "metrics": {"predict_time": 0.012683},
    "urls": {"web": "https://replicate.com/p/x", "get": "https://api.replicate.com/v1/x", "cancel": "https://x"},
}
STREAM = """\
event: logs
id: 1690212292:0
data: loading

event: output
id: 1690212293:0
data: Once

event: output
id: 1690212293:1
data:  upon

event: output
id: 1690212293:2
data:
data:

event: output
id: 1690212293:3
data: }
data: {"a": 1}

event: done
id: 1690212294:0
data: {}

"""


def test_an_answer_comes_in_pieces_or_as_one() -> None:
    answer = rec.answered(ID, RUNS["example"])
    assert (answer.text, answer.finish.unified) == (" Sure! Here's a poem about", Finish.STOP)
    assert answer.usage == Usage(raw={"predict_time": 43.376231})
    rec.valid(ID, "schemas_prediction_response", HELLO)
    assert rec.answered(ID, HELLO).text == "hello Alice"


def test_tokens_are_counted_where_the_model_does() -> None:
    usage = rec.answered(ID, {**HELLO, "metrics": {"input_token_count": 4, "output_token_count": 9}}).usage
    assert (usage.input, usage.output) == (4, 9)


def test_a_recorded_stream_is_put_together_from_any_pieces() -> None:
    answer = rec.split_in_all_ways(ID, RUNS["stream"])
    assert answer.text.startswith(
        "Sure, here's a joke about OpenTelemetry:\n\nWhy did the OpenTelemetry agent go to therapy?"
    )
    assert answer.text.endswith("your face! Is there anything else I can assist you with?")
    assert (answer.finish.unified, answer.usage) == (Finish.STOP, Usage())


SAID = {
    "consumes a server sent event stream": "hello world",
    "consumes multiple events": "hello worldhello dave",
    "ignores unexpected characters": "hello world",
    "supports multiple lines of output in a single event": "hello,\nthis is a new line,\nand this is a new line too",
}
BROKEN: dict[str, type[UpstreamError]] = {
    "supports ending without a done": errors.StreamBroken,
    "an error event in the stream raises an exception": errors.UpstreamUnavailable,
}


def test_streams_of_the_sdks_own_tests_are_read_as_it_reads_them() -> None:
    """Except that one without its last event is broken for us."""
    streams = rec.load(ID, "sdk_streams.json")["streams"]
    assert streams.keys() == SAID.keys() | BROKEN.keys()
    assert {name: rec.split_in_all_ways(ID, streams[name]).text for name in SAID} == SAID
    for name, meaning in BROKEN.items():
        with pytest.raises(meaning):
            rec.streamed(ID, streams[name])


def test_a_stream_is_read_as_it_was_written() -> None:
    answer = rec.split_in_all_ways(ID, STREAM)
    assert answer.text == 'Once upon\n}\n{"a": 1}'
    assert (answer.finish.unified, answer.usage) == (Finish.STOP, Usage())


def test_thoughts_that_a_model_writes_into_its_answer_stay_there() -> None:
    answer = rec.answered(ID, {**HELLO, "output": ["<think>", "Hm.", "</think>", "Yes."]})
    assert (answer.text, answer.reasoning) == ("<think>Hm.</think>Yes.", "")


@pytest.mark.parametrize(
    ("end", "meaning"),
    [
        ('event: error\ndata: {"detail": "The prompt is too long"}\n\n', errors.ContextTooLong),
        ("event: error\ndata: out of memory\n\n", errors.UpstreamUnavailable),
        ('event: done\ndata: {"reason": "canceled"}\n\n', errors.UpstreamUnavailable),
        ('event: done\ndata: {"reason": "error"}\n\n', errors.UpstreamUnavailable),
        ("", errors.StreamBroken),
    ],
    ids=["error", "text", "canceled", "lost", "cut"],
)
def test_a_stream_that_does_not_end_well_is_no_answer(end: str, meaning: type[UpstreamError]) -> None:
    with pytest.raises(meaning):
        rec.streamed(ID, "event: output\ndata: Hi\n\n" + end)


@pytest.mark.parametrize(
    ("output", "count"),
    [([{"embedding": [1, 2]}], 1), ([[1, 2], [3, 4]], 2), ([1, 2], 1), ({"embedding": [1, 2]}, 1)],
    ids=str,
)
def test_vectors_are_read_in_the_order_of_the_texts(output: Any, count: int) -> None:
    assert rec.vectors(ID, {**HELLO, "output": output}, count).vectors == ((1.0, 2.0), (3.0, 4.0))[:count]


@pytest.mark.parametrize("output", [None, [], [[1]], [[1], [float("nan")]], "text", [["a"], ["b"]]], ids=str)
def test_vectors_that_do_not_fit_the_texts_are_none(output: Any) -> None:
    with pytest.raises(errors.BadRequestUpstream):
        rec.vectors(ID, {**HELLO, "output": output}, 2)


@pytest.mark.parametrize("output", [None, {"file": "x"}, [1, 2]], ids=str)
def test_an_output_that_is_no_text_is_no_answer(output: Any) -> None:
    with pytest.raises(errors.BadRequestUpstream):
        rec.answered(ID, {**HELLO, "output": output})


def problem(status: int, detail: str) -> Any:
    return {"title": "Problem", "detail": detail, "status": status}


LATER = "Request was throttled. Your rate limit resets in ~30s."
HIDDEN = "The specified version does not exist (or perhaps you don't have permission to use it?)"


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, RUNS["unauthenticated"], errors.CredentialRejected),
        (402, problem(402, "You have insufficient credit."), errors.UpstreamPaymentRequired),
        (404, problem(404, "The requested resource could not be found."), errors.ModelNotFoundUpstream),
        (422, problem(422, HIDDEN), errors.ModelNotFoundUpstream),
        (422, problem(422, "- input: prompt is required"), errors.BadRequestUpstream),
        (429, problem(429, LATER), errors.UpstreamRateLimited),
        (503, "", errors.UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status) == (meaning, status)
    assert failure.detail == (body["detail"] if body else "")


def test_a_rate_limit_tells_its_wait_in_a_header_or_in_words() -> None:
    assert rec.refused(ID, 429, problem(429, LATER)).retry_after == 30
    assert rec.refused(ID, 429, problem(429, LATER), {"Retry-After": "7"}).retry_after == 7


@pytest.mark.parametrize(
    ("run", "meaning", "detail"),
    [
        ({"status": "failed", "error": "CUDA out of memory"}, errors.UpstreamUnavailable, "CUDA out of memory"),
        ({"status": "failed", "error": "The prompt is too long"}, errors.ContextTooLong, "The prompt is too long"),
        ({"status": "failed", "error": "flagged as sensitive (E005)"}, errors.ContentRefused, ""),
        ({"status": "canceled", "error": None}, errors.UpstreamUnavailable, "the run ended as canceled"),
        ({"status": "aborted", "error": None}, errors.UpstreamUnavailable, "the run ended as aborted"),
    ],
)
def test_a_run_that_failed_is_a_refusal_inside_a_success(run: Any, meaning: type[UpstreamError], detail: str) -> None:
    assert ADAPTERS[ID].failed(run)
    failure = rec.refused(ID, 201, run)
    assert (type(failure), failure.status) == (meaning, 200)
    assert detail in failure.detail


def test_a_run_that_succeeded_is_none() -> None:
    assert not ADAPTERS[ID].failed(RUNS["example"])
    assert not ADAPTERS[ID].failed(RUNS["started"])


def test_models_come_from_two_collections_one_after_the_other() -> None:
    dialect = ADAPTERS[ID].models
    assert dialect
    rows = [{"owner": "meta", "name": "llama"}, {"owner": "x"}, None]
    first = dialect.parse({"name": "Language models", "slug": "language-models", "models": rows})
    assert first == Page((ListedModel("meta/llama", ModelType.LLM),), "embedding-models")
    assert dialect.render(first.following).path == "collections/embedding-models"
    last = dialect.parse({"slug": "embedding-models", "models": [{"owner": "a", "name": "b"}]})
    assert last == Page((ListedModel("a/b", ModelType.EMBEDDING),))


@pytest.mark.parametrize("body", [None, {}, {"slug": "other", "models": []}, {"slug": "language-models"}], ids=str)
def test_what_is_no_collection_is_the_vendors_fault(body: Any) -> None:
    dialect = ADAPTERS[ID].models
    assert dialect
    with pytest.raises(errors.BadRequestUpstream):
        dialect.parse(body)


def test_the_form_describes_the_model() -> None:
    row = ADAPTERS[ID].provider().hosted(ModelRef(ID, "a/b", ModelType.LLM), {"context_size": "8192"})
    assert (row.context, row.features) == (8192, frozenset({Feature.STREAMING}))

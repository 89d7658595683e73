"""Models of Google Cloud's partners. Requests are those of mistralai for Python 3.7.0 (MistralGCP; its `stream: false`
and `tool_choice: "auto"` are defaults and left out of the comparison) and of openai for Python 3.57.0, the client that
the vendor's guide has at endpoints/openapi, both recorded on loopback: sdk_requests.mistral.json and
sdk_requests.openapi.json. Answers and streams are those that the clients accepted (`reply_replayed`).
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, StreamBroken, UpstreamUnavailable
from domain.model.calls import ChatCall, Knobs, ToolCall
from domain.model.events import Finish, FinishReason
from tests.contract import google_client as google
from tests.contract import recordings as rec
from tests.contract.google_cloud.account import FORM, ID, let_in

HEADERS = ("authorization", "content-type")
TOOL = rec.weather("Weather by city")
MISTRAL, OTHERS = "sdk_requests.mistral.json", "sdk_requests.openapi.json"
CHAT = replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(temperature=0.2, max_tokens=64, seed=7))
CALLING = replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,))
CASES: list[tuple[str, str, str, ChatCall]] = [
    (MISTRAL, "mistral-medium-3", "chat", CHAT),
    (MISTRAL, "codestral-2@001", "chat_version", rec.asking("Hello")),
    (MISTRAL, "mistral-medium-3", "chat_stream_tool", CALLING),
    (OTHERS, "meta/llama-4-maverick-17b-128e-instruct-maas", "chat", CHAT),
    (OTHERS, "meta/llama-4-maverick-17b-128e-instruct-maas", "chat_stream_tool", CALLING),
]


@pytest.fixture(autouse=True)
def token() -> None:
    let_in()


def replayed(file: str, name: str) -> Any:
    reply = rec.calls(ID, file)[name]["reply_replayed"]
    return reply.get("body", reply.get("text"))


@pytest.mark.parametrize(("file", "model", "name", "call"), CASES)
def test_a_request_is_the_sdks(file: str, model: str, name: str, call: ChatCall) -> None:
    stream = "stream" in name
    ours = rec.asked(ID, FORM, model, call, stream=stream, headers=HEADERS)
    spare = {"tool_choice"} if stream else {"stream"}
    assert ours == rec.recorded(rec.calls(ID, file)[name], without=spare, headers=HEADERS)


def test_each_may_have_a_location_of_its_own() -> None:
    def place(form: Any, model: str) -> str:
        let_in({**FORM, **form})
        return rec.asked(ID, {**FORM, **form}, model, CHAT).path.split("/")[5]

    assert place({"vertex_mistral_location": "europe-west4"}, "codestral-2") == "europe-west4"
    assert place({"vertex_mistral_location": "europe-west4"}, "meta/llama-x-maas") == "us-central1"
    assert place({"vertex_global_models": "zai-org/glm-5.2-maas"}, "zai-org/glm-5.2-maas") == "global"


@pytest.mark.parametrize("file", [MISTRAL, OTHERS])
def test_an_answer_is_read(file: str) -> None:
    answer = rec.answered(ID, replayed(file, "chat"))
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output) == (9, 20)


@pytest.mark.parametrize(("file", "call_id"), [(MISTRAL, "a1b2c3d4e"), (OTHERS, "call_1")])
def test_a_recorded_stream_is_put_together_from_any_pieces(file: str, call_id: str) -> None:
    answer = rec.split_in_all_ways(ID, replayed(file, "chat_stream_tool"))
    assert answer.tool_calls == (ToolCall(call_id, "get_weather", '{"city":"Tokyo"}'),)
    assert (answer.finish.unified, answer.usage.input, answer.usage.output) == (Finish.TOOL_CALLS, 9, 20)


def test_a_stream_that_breaks_off_or_fails_is_told() -> None:
    piece = 'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": null}]}\n\n'
    with pytest.raises(StreamBroken):
        rec.streamed(ID, piece)
    failed = google.events(google.refusal(503, "UNAVAILABLE", "Overloaded."))
    for text in (failed, piece + failed):
        with pytest.raises(UpstreamUnavailable):
            rec.streamed(ID, text)
    with pytest.raises(BadRequestUpstream):
        rec.streamed(ID, "data: [DONE]\n\n")

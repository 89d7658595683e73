"""Models at Amazon Bedrock that are spoken to in OpenAI's dialect: requests are those of openai for Python 3.57.0,
which the user guide points to the runtime's openai/v1, recorded on loopback (sdk_requests.openai.json); answers
and streams are those that it accepted (`reply_replayed`).
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import StreamBroken, UpstreamRateLimited
from domain.model.calls import Knobs
from domain.model.catalogue import ModelType
from domain.model.events import ChatEvent, Finish, Finished, TextDelta
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import amazon
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.misbehaviour import Failure, stream
from tests.stubs.serve import serving

ID = "aws_bedrock"
FILE = "sdk_requests.openai.json"
KEYED = {"auth_method": "API_Key", "bedrock_api_key": "bedrock-api-key-dummy"}
MODELS = {"gpt": "global.openai.gpt-6-sol", "grok": "us.xai.grok-4.6"}
BRIEF = replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(max_tokens=64))
HEADERS = ("authorization", "content-type")
CONVERSED = ("openai.gpt-oss-120b-1:0", "us.anthropic.claude-opus-5-5", "global.amazon.nova-2-lite-v1:0")


def render(model: str, *, stream: bool) -> Request:
    dialect = ADAPTERS[ID].chat
    assert dialect
    call = rec.asking("Hello") if stream else BRIEF
    return dialect.render(rec.target(ID, model, KEYED), call, stream=stream)


@pytest.mark.parametrize("family", MODELS)
@pytest.mark.parametrize("streams", [False, True])
def test_a_request_is_the_sdks(family: str, streams: bool) -> None:
    name = f"{family}_stream" if streams else family
    request = render(MODELS[family], stream=streams)
    ours = rec.sent(ADAPTERS[ID], rec.target(ID, MODELS[family], KEYED).form, request, HEADERS)
    assert ours == rec.recorded(rec.calls(ID, FILE)[name], headers=HEADERS)
    assert request.accept == ("text/event-stream" if streams else "application/json")


def test_a_pair_of_keys_signs_it_too() -> None:
    request = render(MODELS["gpt"], stream=False)
    ours = rec.sent(ADAPTERS[ID], rec.target(ID, MODELS["gpt"], amazon.PAIR).form, request, HEADERS)
    assert ours.headers["authorization"].startswith("AWS4-HMAC-SHA256 ")


@pytest.mark.parametrize("model", CONVERSED)
def test_all_others_converse(model: str) -> None:
    assert render(model, stream=True).path.endswith("/converse-stream")


def replayed(name: str) -> Any:
    reply = rec.calls(ID, FILE)[name]["reply_replayed"]
    return reply.get("body", reply.get("text"))


@pytest.mark.parametrize("family", MODELS)
def test_an_answer_is_read(family: str) -> None:
    answer = rec.answered(ID, replayed(family))
    assert (answer.text, answer.finish.unified, answer.usage.input) == ("Hi.", Finish.STOP, 9)


async def streamed(answer: Failure) -> list[ChatEvent]:
    """Through the gateway, from a server that stands at the form's address."""
    async with serving(answer) as url, gateway(adapters=ADAPTERS) as subject:
        goal = rec.target(ID, MODELS["gpt"], {**KEYED, "bedrock_endpoint_url": url}, ModelType.LLM)
        async with subject.chat_stream(goal, rec.asking("Hello")) as events:
            return [event async for event in events]


async def test_a_stream_has_the_framing_of_its_dialect() -> None:
    said, finished = await streamed(stream(replayed("gpt_stream").encode()))
    assert said == TextDelta("Hi.")
    assert isinstance(finished, Finished)
    assert finished.usage.output == 20


async def test_a_stream_that_breaks_off_or_fails_is_told() -> None:
    piece = b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": null}]}\n\n'
    with pytest.raises(StreamBroken):
        await streamed(stream(piece))
    with pytest.raises(StreamBroken):
        await streamed(stream())
    slow = b'data: {"error": {"code": "rate_limit_exceeded", "message": "Too many tokens."}}\n\n'
    with pytest.raises(UpstreamRateLimited):
        await streamed(stream(slow))

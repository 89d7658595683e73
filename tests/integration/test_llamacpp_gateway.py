"""The gateway against a real model: llama.cpp on loopback, reached as any OpenAI-compatible server is."""

import json
import math
from collections.abc import AsyncIterator, Iterator, Mapping

import pytest

from domain.errors import ContextTooLong, CredentialRejected
from domain.model.calls import ChatCall, EmbedCall, Knobs, Message, ResponseSchema, Role, TextPart, Tool
from domain.model.catalogue import ModelRef, ModelType
from domain.model.events import ChatAnswer, Finish, TextDelta, ToolCallDelta, fold
from domain.ports import Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from tests.gateways import gateway
from tests.real_model import DIMENSIONS, KEY, model_server

ID = "openai_api_compatible"
WEATHER = Tool(
    "get_weather",
    "Weather of a city",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@pytest.fixture(scope="module")
def chat_url() -> Iterator[str]:
    with model_server() as url:
        yield url


@pytest.fixture(scope="module")
def embed_url() -> Iterator[str]:
    with model_server(embed=True) as url:
        yield url


@pytest.fixture
async def subject() -> AsyncIterator[HttpGateway]:
    async with gateway(adapters=ADAPTERS) as subject:
        yield subject


def target(url: str, kind: ModelType = ModelType.LLM, key: str = KEY, more: Mapping[str, str] | None = None) -> Target:
    values = {"endpoint_url": f"{url}/v1", "api_key": key, **(more or {})}
    return Target(ModelRef(ID, "tiny", kind), ADAPTERS[ID].provider().checked(values, kind))


def asking(text: str = "hi", tools: tuple[Tool, ...] = (), schema: ResponseSchema | None = None) -> ChatCall:
    message = Message(Role.USER, (TextPart(text),))
    return ChatCall((message,), tools=tools, response_schema=schema, knobs=Knobs(temperature=0, max_tokens=100))


async def streamed(subject: HttpGateway, target: Target, call: ChatCall) -> tuple[ChatAnswer, int]:
    """The folded answer, and of how many events it was made."""
    async with subject.chat_stream(target, call) as stream:
        events = [event async for event in stream]
    return fold(events), len([e for e in events if isinstance(e, TextDelta | ToolCallDelta)])


async def test_a_credential_is_proved(subject: HttpGateway, chat_url: str) -> None:
    proved = target(chat_url)
    await subject.probe(ID, proved.form, proved.model)


async def test_embeddings_are_proved(subject: HttpGateway, embed_url: str) -> None:
    proved = target(embed_url, ModelType.EMBEDDING)
    await subject.probe(ID, proved.form, proved.model)


async def test_a_wrong_key_is_rejected(subject: HttpGateway, chat_url: str) -> None:
    wrong = target(chat_url, key="sk-wrong")
    with pytest.raises(CredentialRejected):
        await subject.probe(ID, wrong.form, wrong.model)
    with pytest.raises(CredentialRejected):
        await subject.chat(wrong, asking())


async def test_a_whole_answer(subject: HttpGateway, chat_url: str) -> None:
    answer = await subject.chat(target(chat_url), asking())
    assert answer.text == "Hello from a tiny real model."
    assert answer.finish.unified is Finish.STOP
    assert answer.usage.output == 30


async def test_a_streamed_answer(subject: HttpGateway, chat_url: str) -> None:
    for _ in range(3):
        answer, events = await streamed(subject, target(chat_url), asking())
        assert answer.text == "Hello from a tiny real model."
        assert events > 10
        assert answer.usage.output == 30


async def test_a_streamed_tool_call(subject: HttpGateway, chat_url: str) -> None:
    answer, events = await streamed(subject, target(chat_url), asking("Weather in Tokyo?", tools=(WEATHER,)))
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Tokyo"})
    assert call.id
    assert events > 2
    assert answer.finish.unified is Finish.TOOL_CALLS


async def test_a_tool_result_is_answered(subject: HttpGateway, chat_url: str) -> None:
    first = await subject.chat(target(chat_url), asking("Weather in Tokyo?", tools=(WEATHER,)))
    turns = (
        Message(Role.USER, (TextPart("Weather in Tokyo?"),)),
        Message(Role.ASSISTANT, tool_calls=first.tool_calls),
        Message(Role.TOOL, (TextPart("sunny"),), tool_call_id=first.tool_calls[0].id, tool_name="get_weather"),
    )
    again = await subject.chat(target(chat_url), ChatCall(turns, tools=(WEATHER,), knobs=Knobs(temperature=0)))
    assert again.text == "It is sunny in Tokyo."


async def test_an_answer_to_a_schema(subject: HttpGateway, chat_url: str) -> None:
    schema = ResponseSchema("flag", {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]})
    answer = await subject.chat(target(chat_url), asking(schema=schema))
    assert isinstance(json.loads(answer.text)["ok"], bool)


async def test_a_prompt_beyond_the_context(subject: HttpGateway, chat_url: str) -> None:
    with pytest.raises(ContextTooLong) as caught:
        await subject.chat(target(chat_url), asking("too long " * 1000))
    assert caught.value.status == 400


async def test_real_vectors(subject: HttpGateway, embed_url: str) -> None:
    texts = ("the first text", "another one", "the first text")
    got = await subject.embed(target(embed_url, ModelType.EMBEDDING), EmbedCall(texts))
    assert [len(vector) for vector in got.vectors] == [DIMENSIONS] * 3
    assert math.dist(got.vectors[0], got.vectors[2]) < 1e-3 < math.dist(got.vectors[0], got.vectors[1])

"""A real llama.cpp under the name of OpenAI, as the platform's key may point to one, with what differs there."""

import math
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from domain.errors import ContextTooLong, CredentialRejected
from domain.model.calls import EmbedCall, Knobs
from domain.model.catalogue import ModelType
from domain.model.events import Finish, fold
from domain.ports import Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.real_model import DIMENSIONS, KEY, model_server


@pytest.fixture(scope="module")
def chatting() -> Iterator[str]:
    with model_server() as url:
        yield url


@pytest.fixture(scope="module")
def embedding() -> Iterator[str]:
    with model_server(embed=True) as url:
        yield url


@pytest.fixture
async def subject() -> AsyncIterator[HttpGateway]:
    async with gateway(adapters=ADAPTERS) as found:
        yield found


def openai(url: str, model: str, kind: ModelType = ModelType.LLM, key: str = KEY) -> Target:
    return rec.target("openai", model, {"openai_api_base": url, "openai_api_key": key}, kind)


@pytest.mark.parametrize("model", ["gpt-3.5-turbo", "gpt-6-luna"])
async def test_the_output_limit_holds_under_either_name(subject: HttpGateway, chatting: str, model: str) -> None:
    answer = await subject.chat(openai(chatting, model), replace(rec.asking("hi"), knobs=Knobs(max_tokens=5)))
    assert (answer.text, answer.finish.unified, answer.usage.output) == ("Hello", Finish.LENGTH, 5)


async def test_a_tool_is_called_in_a_stream_with_reasoning_off(subject: HttpGateway, chatting: str) -> None:
    call = replace(rec.asking("hi"), tools=(rec.weather("weather by city"),), knobs=Knobs(temperature=0))
    async with subject.chat_stream(openai(chatting, "gpt-6-luna"), call) as events:
        answer = fold([event async for event in events])
    assert [(c.name, c.arguments) for c in answer.tool_calls] == [("get_weather", '{"city": "Tokyo"}')]
    assert answer.finish.unified is Finish.TOOL_CALLS


async def test_the_list_of_models_proves_a_key(subject: HttpGateway, chatting: str) -> None:
    await subject.probe("openai", openai(chatting, "tiny").form, None)
    with pytest.raises(CredentialRejected):
        await subject.probe("openai", openai(chatting, "tiny", key="sk-wrong-0123456789").form, None)


async def test_vectors_are_the_same_in_base64_and_in_numbers(subject: HttpGateway, embedding: str) -> None:
    call = EmbedCall(("a", "bb", "ccc"))
    own = {"endpoint_url": f"{embedding}/v1", "api_key": KEY, "max_chunks": "2"}
    packed = await subject.embed(openai(embedding, "tiny", ModelType.EMBEDDING), call)
    plain = await subject.embed(rec.target("openai_api_compatible", "tiny", own, ModelType.EMBEDDING), call)
    assert [len(vector) for vector in packed.vectors] == [DIMENSIONS] * 3
    for one, other in zip(packed.vectors, plain.vectors, strict=True):
        assert all(math.isclose(a, b, abs_tol=1e-5) for a, b in zip(one, other, strict=True))
    assert packed.usage.input == plain.usage.input


async def test_what_is_too_long_is_named(subject: HttpGateway, chatting: str, embedding: str) -> None:
    with pytest.raises(ContextTooLong):
        await subject.chat(openai(chatting, "gpt-3.5-turbo"), rec.asking("word " * 1500))
    with pytest.raises(ContextTooLong):
        await subject.embed(openai(embedding, "tiny", ModelType.EMBEDDING), EmbedCall(("word " * 1500,)))

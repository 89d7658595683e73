"""The self-hosted vendors of OpenAI's paths against a real model: llama.cpp, a backend of some of them.

Hugging Face's endpoints can run it too, but their client asks for schemas in the words of another server.
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from domain.errors import ContextTooLong, CredentialRejected
from domain.model.calls import EmbedCall, Knobs, ResponseSchema
from domain.model.catalogue import ModelType
from domain.model.events import Finish, fold
from domain.ports import Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.real_model import DIMENSIONS, KEY, model_server

FORMS = {
    "nvidia_nim": {"endpoint_url": "{url}", "api_key": "{key}"},
    "xinference": {"server_url": "{url}", "api_key": "{key}"},
    "openllm": {"server_url": "{url}", "api_key": "{key}"},
    "localai": {"server_url": "{url}", "api_key": "{key}"},
    "lepton_ai": {"endpoint_url": "{url}", "api_key": "{key}"},
    "gpustack": {"endpoint_url": "{url}", "api_key": "{key}"},
    "hugging_face": {
        "huggingfacehub_api_type": "inference_endpoints",
        "huggingfacehub_endpoint_url": "{url}",
        "huggingfacehub_api_token": "{key}",
    },
}
SCHEMED = [provider for provider in FORMS if provider != "hugging_face"]
EMBEDDERS = [provider for provider in SCHEMED if ADAPTERS[provider].embed]
CLOSED = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"], "additionalProperties": False}


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


def at(provider: str, url: str, kind: ModelType = ModelType.LLM, key: str = KEY) -> Target:
    form = {name: value.format(url=url, key=key) for name, value in FORMS[provider].items()}
    return rec.target(provider, "tiny", form, kind)


@pytest.mark.parametrize("provider", FORMS)
async def test_a_credential_is_proved(subject: HttpGateway, chatting: str, provider: str) -> None:
    good, bad = at(provider, chatting), at(provider, chatting, key="sk-wrong-0123456789")
    await subject.probe(provider, good.form, good.model)
    with pytest.raises(CredentialRejected):
        await subject.probe(provider, bad.form, bad.model)


@pytest.mark.parametrize("provider", FORMS)
async def test_a_folded_stream_equals_the_whole_answer(subject: HttpGateway, chatting: str, provider: str) -> None:
    call = replace(rec.asking("hi"), knobs=Knobs(temperature=0, max_tokens=100))
    whole = await subject.chat(at(provider, chatting), call)
    async with subject.chat_stream(at(provider, chatting), call) as events:
        streamed = fold([event async for event in events])
    assert whole.text == streamed.text == "Hello from a tiny real model."
    assert whole.usage.output == streamed.usage.output == 30
    assert whole.finish == streamed.finish


@pytest.mark.parametrize("provider", FORMS)
async def test_a_tool_is_called_in_a_stream(subject: HttpGateway, chatting: str, provider: str) -> None:
    call = replace(rec.asking("Weather?"), tools=(rec.weather("Weather of a city"),), knobs=Knobs(temperature=0))
    async with subject.chat_stream(at(provider, chatting), call) as events:
        answer = fold([event async for event in events])
    assert [(c.name, c.arguments) for c in answer.tool_calls] == [("get_weather", '{"city": "Tokyo"}')]
    assert answer.finish.unified is Finish.TOOL_CALLS


@pytest.mark.parametrize("provider", SCHEMED)
async def test_an_answer_holds_to_a_schema(subject: HttpGateway, chatting: str, provider: str) -> None:
    call = replace(rec.asking("a?"), response_schema=ResponseSchema("r", CLOSED), knobs=Knobs(max_tokens=60))
    assert json.loads((await subject.chat(at(provider, chatting), call)).text) in ({"a": True}, {"a": False})


@pytest.mark.parametrize("provider", FORMS)
async def test_what_is_too_long_is_named(subject: HttpGateway, chatting: str, provider: str) -> None:
    with pytest.raises(ContextTooLong):
        await subject.chat(at(provider, chatting), rec.asking("word " * 1500))


@pytest.mark.parametrize("provider", EMBEDDERS)
async def test_more_texts_than_one_request_carries_are_embedded(
    subject: HttpGateway, embedding: str, provider: str
) -> None:
    goal = at(provider, embedding, ModelType.EMBEDDING)
    await subject.probe(provider, goal.form, goal.model)
    answer = await subject.embed(goal, EmbedCall(tuple(map(str, range(40)))))
    assert [len(vector) for vector in answer.vectors] == [DIMENSIONS] * 40

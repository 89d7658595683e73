"""The adapters of this step through the gateway, against the stub that is shaped like their vendors."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

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
from domain.model.calls import EmbedCall, Tool
from domain.model.catalogue import ModelRef, ModelType
from domain.model.events import fold
from domain.ports import Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from tests.gateways import gateway
from tests.stubs import plain, shapes
from tests.stubs.serve import serving
from tests.stubs.vendor import Vendor

FIELDS = {
    "openai": ("openai_api_base", "openai_api_key", ""),
    "openai_api_compatible": ("endpoint_url", "api_key", "/v1"),
    "anthropic": ("anthropic_api_url", "anthropic_api_key", ""),
}
EMBEDDERS = ("openai", "openai_api_compatible")
WEATHER = Tool("get_weather", "Weather", {"type": "object", "properties": {"city": {"type": "string"}}})


@dataclass(frozen=True, slots=True)
class Reached:
    gateway: HttpGateway
    vendor: Vendor
    url: str

    def target(
        self, provider: str, model: str = "stub", key: str = "sk-good", kind: ModelType = ModelType.LLM
    ) -> Target:
        address, secret, path = FIELDS[provider]
        values = {address: self.url + path, secret: key}
        return Target(ModelRef(provider, model, kind), ADAPTERS[provider].provider().checked(values, kind))


@pytest.fixture
async def at() -> AsyncIterator[Reached]:
    vendor = Vendor()
    async with serving(vendor) as url, gateway(adapters=ADAPTERS) as subject:
        yield Reached(subject, vendor, url)


@pytest.mark.parametrize("provider", FIELDS)
async def test_a_folded_stream_equals_the_whole_answer(at: Reached, provider: str) -> None:
    target = at.target(provider)
    whole = await at.gateway.chat(target, plain.asking())
    async with at.gateway.chat_stream(target, plain.asking()) as events:
        streamed = fold([event async for event in events])
    assert whole.text == "".join(shapes.words(8))
    assert (streamed.text, streamed.finish) == (whole.text, whole.finish)
    assert (streamed.usage.input, streamed.usage.output) == (whole.usage.input, 8)
    assert at.vendor.bill == {"sk-good": 2}


@pytest.mark.parametrize("provider", FIELDS)
async def test_a_probe_tells_a_good_key_from_a_bad_one(at: Reached, provider: str) -> None:
    for key in ("sk-good", "sk-bad"):
        target = at.target(provider, key=key)
        try:
            await at.gateway.probe(provider, target.form, target.model)
        except CredentialRejected:
            assert key == "sk-bad"
        else:
            assert key == "sk-good"


@pytest.mark.parametrize("provider", FIELDS)
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("fail-401", CredentialRejected),
        ("fail-402", UpstreamPaymentRequired),
        ("fail-404", ModelNotFoundUpstream),
        ("fail-429", UpstreamRateLimited),
        ("fail-503", UpstreamUnavailable),
        ("fail-context", ContextTooLong),
    ],
)
async def test_a_refusal_has_its_own_kind(at: Reached, provider: str, model: str, kind: type[UpstreamError]) -> None:
    with pytest.raises(kind) as caught:
        await at.gateway.chat(at.target(provider, model), plain.asking())
    assert caught.value.provider == provider


@pytest.mark.parametrize("provider", FIELDS)
@pytest.mark.parametrize("model", ["fail-401", "echo-key", "garbage", "error-in-stream", "truncated-stream"])
async def test_no_failure_shows_the_key(at: Reached, provider: str, model: str) -> None:
    target = at.target(provider, model, key="sk-canary-0123456789")
    with pytest.raises(UpstreamError) as caught:
        async with at.gateway.chat_stream(target, plain.asking()) as events:
            async for _ in events:
                pass
    assert "canary" not in repr(vars(caught.value))


async def test_a_streamed_tool_call_is_put_together(at: Reached) -> None:
    call = replace(plain.asking(), tools=(WEATHER,))
    async with at.gateway.chat_stream(at.target("openai"), call) as events:
        (tool_call,) = fold([event async for event in events]).tool_calls
    assert (tool_call.id, tool_call.name, tool_call.arguments) == ("call_1", "get_weather", '{"city": "Tokyo"}')


@pytest.mark.parametrize("provider", EMBEDDERS)
async def test_vectors_come_in_the_order_of_their_texts(at: Reached, provider: str) -> None:
    texts = tuple(f"text {number}" for number in range(5))
    got = await at.gateway.embed(at.target(provider, kind=ModelType.EMBEDDING), EmbedCall(texts))
    assert got.vectors == tuple(tuple(shapes.vector(text, 8)) for text in texts)
    assert got.usage.input == sum(map(len, texts))


@pytest.mark.parametrize("provider", EMBEDDERS)
@pytest.mark.parametrize("model", ["nan-vectors", "wrong-count"])
async def test_vectors_of_no_use_are_refused(at: Reached, provider: str, model: str) -> None:
    with pytest.raises(BadRequestUpstream):
        await at.gateway.embed(at.target(provider, model, kind=ModelType.EMBEDDING), EmbedCall(("a",)))

"""The adapters that rank, hear and speak through the gateway, against the stub that is shaped like their vendors."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from domain.errors import (
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.catalogue import ModelType
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, SpeakCall, TranscribeCall
from domain.ports import Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving
from tests.stubs.vendor import Vendor

RERANK, STT, TTS = ModelType.RERANK, ModelType.SPEECH_TO_TEXT, ModelType.TEXT_TO_SPEECH
FIELDS = {
    "openai": ("openai_api_base", "openai_api_key", ""),
    "openai_api_compatible": ("endpoint_url", "api_key", "/v1"),
    "xinference": ("server_url", "api_key", ""),
    "localai": ("server_url", "api_key", ""),
    "gpustack": ("endpoint_url", "api_key", ""),
}
HOSTED = ("xinference", "openai_api_compatible", "localai", "gpustack")
SERVED = [(provider, kind) for provider in FIELDS for kind in (RERANK, STT, TTS) if kind in ADAPTERS[provider].types]


@dataclass(frozen=True, slots=True)
class Reached:
    gateway: HttpGateway
    vendor: Vendor
    url: str

    def target(self, provider: str, kind: ModelType, model: str = "stub", key: str = "sk-good") -> Target:
        address, secret, path = FIELDS[provider]
        return rec.target(provider, model, {address: self.url + path, secret: key}, kind)


@pytest.fixture
async def at() -> AsyncIterator[Reached]:
    vendor = Vendor()
    async with serving(vendor) as url, gateway(adapters=ADAPTERS) as subject:
        yield Reached(subject, vendor, url)


async def rank(subject: HttpGateway, target: Target) -> str:
    answer = await subject.rerank(target, RerankCall("q", ("a", "b")))
    return str(len(answer.results))


async def hear(subject: HttpGateway, target: Target) -> str:
    recording = Recording("a.wav", "audio/wav", bytes(44))
    return (await subject.transcribe(target, TranscribeCall(recording, language="en"))).text


async def speak(subject: HttpGateway, target: Target) -> str:
    async with subject.speak(target, SpeakCall("one two")) as speech:
        return b"".join([piece async for piece in speech.pieces]).decode()


CALLS: dict[ModelType, Callable[[HttpGateway, Target], Awaitable[str]]] = {RERANK: rank, STT: hear, TTS: speak}
ANSWERS = {RERANK: "2", STT: "44 bytes of a.wav", TTS: "onetwo"}


@pytest.mark.parametrize(("provider", "kind"), SERVED)
async def test_the_answer_comes_back(at: Reached, provider: str, kind: ModelType) -> None:
    assert await CALLS[kind](at.gateway, at.target(provider, kind)) == ANSWERS[kind]
    assert at.vendor.bill == {"sk-good": 1}


@pytest.mark.parametrize(("provider", "kind"), SERVED)
@pytest.mark.parametrize(
    ("model", "meaning"),
    [
        ("fail-401", CredentialRejected),
        ("fail-402", UpstreamPaymentRequired),
        ("fail-404", ModelNotFoundUpstream),
        ("fail-429", UpstreamRateLimited),
        ("fail-503", UpstreamUnavailable),
    ],
)
async def test_a_refusal_has_its_own_kind(
    at: Reached, provider: str, kind: ModelType, model: str, meaning: type[UpstreamError]
) -> None:
    with pytest.raises(meaning) as caught:
        await CALLS[kind](at.gateway, at.target(provider, kind, model))
    assert caught.value.provider == provider


@pytest.mark.parametrize("kind", [RERANK, STT, TTS])
@pytest.mark.parametrize("provider", HOSTED)
async def test_a_probe_calls_the_very_model_and_tells_a_good_key_from_a_bad_one(
    at: Reached, provider: str, kind: ModelType
) -> None:
    good, bad = at.target(provider, kind), at.target(provider, kind, key="sk-bad")
    await at.gateway.probe(provider, good.form, good.model)
    assert at.vendor.seen[-1]["model"] == "stub"
    with pytest.raises(CredentialRejected):
        await at.gateway.probe(provider, bad.form, bad.model)


@pytest.mark.parametrize("provider", FIELDS)
async def test_the_models_are_listed(at: Reached, provider: str) -> None:
    listed = await at.gateway.listed(provider, at.target(provider, ModelType.LLM).form)
    assert [model.name for model in listed] == ["stub-chat", "stub-embed"]

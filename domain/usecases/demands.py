"""What each kind of call asks of the metering."""

from collections.abc import Mapping
from typing import Any

from domain.model.calls import ChatCall, EmbedCall, Knobs
from domain.model.catalogue import ModelType
from domain.model.planning import Demand
from domain.model.rerank import RerankCall
from domain.model.speech import SpeakCall, TranscribeCall


def of_chat(call: ChatCall) -> Demand:
    knobs = call.knobs
    return Demand(
        call.model,
        ModelType.LLM,
        call.features(),
        call.size(),
        knobs.max_tokens,
        parameters=parameters(knobs),
        extra=frozenset(knobs.extra),
    )


def of_embedding(call: EmbedCall) -> Demand:
    return Demand(call.model, ModelType.EMBEDDING, prompt_characters=sum(map(len, call.texts)))


def of_rerank(call: RerankCall) -> Demand:
    return Demand(call.model, ModelType.RERANK, prompt_characters=call.size())


def of_transcription(call: TranscribeCall) -> Demand:
    return Demand(call.model, ModelType.SPEECH_TO_TEXT, prompt_characters=call.size(), fits=call.check_for)


def of_speech(call: SpeakCall) -> Demand:
    return Demand(call.model, ModelType.TEXT_TO_SPEECH, prompt_characters=call.size(), fits=call.check_for)


def parameters(knobs: Knobs) -> Mapping[str, Any]:
    """What is tuned, by the names that parameter rules use."""
    tuned = {
        "temperature": knobs.temperature,
        "top_p": knobs.top_p,
        "max_tokens": knobs.max_tokens,
        "seed": knobs.seed,
        "presence_penalty": knobs.presence_penalty,
        "frequency_penalty": knobs.frequency_penalty,
    }
    return {**{name: value for name, value in tuned.items() if value is not None}, **knobs.extra}

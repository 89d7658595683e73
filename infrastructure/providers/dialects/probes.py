"""The cheapest real calls that prove a credential."""

import io
import wave
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypedDict

from domain.errors import InvalidRange, UpstreamError
from domain.model.calls import ChatCall, EmbedCall, Knobs, Message, Role, TextPart
from domain.model.catalogue import FormValues, ModelRef, ModelType
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, SpeakCall, TranscribeCall
from domain.ports import Target
from infrastructure.providers.spec import (
    ChatDialect,
    EmbedDialect,
    Proof,
    Request,
    RerankDialect,
    SpeakDialect,
    TranscribeDialect,
)

Probe = Callable[[Target | None, FormValues], Request]


def ping(tokens: int) -> ChatCall:
    """One word, and room for at most `tokens` in answer."""
    return ChatCall((Message(Role.USER, (TextPart("ping"),)),), knobs=Knobs(max_tokens=tokens))


def listing(
    path: str, query: Mapping[str, str] | None = None, base: Callable[[FormValues], str] | None = None
) -> Probe:
    """GET the list of models, which is free of charge."""
    request = Request(path, method="GET", query=query or {}, base=base)
    return lambda target, form: request  # noqa: ARG005 - the same for every form


def chatting(chat: ChatDialect, provider: str, field: str, tokens: int) -> Probe:
    """Chat with the model that the form names in `field`."""

    def probe(target: Target | None, form: FormValues) -> Request:  # noqa: ARG001 - one key reaches all models
        return chat.render(
            Target(ModelRef(provider, str(form[field]), ModelType.LLM), form), ping(tokens), stream=False
        )

    return probe


def greeting(chat: ChatDialect, provider: str, model: str) -> Probe:
    """A word to one model that every key reaches, where a list of models is not known to need a key."""
    ref = ModelRef(provider, model, ModelType.LLM)
    return lambda target, form: chat.render(Target(ref, form), ping(5), stream=False)  # noqa: ARG005 - never needed


def embedding(embed: EmbedDialect, provider: str, model: str) -> Probe:
    """One word for a model that every key reaches, where nothing is free of charge."""
    ref = ModelRef(provider, model, ModelType.EMBEDDING)
    return lambda target, form: embed.render(Target(ref, form), EmbedCall(("ping",)))  # noqa: ARG005 - never needed


def hearing(transcribe: TranscribeDialect, provider: str, model: str) -> Probe:
    """A second of silence for one model that every key reaches, where nothing is free of charge."""
    ref = ModelRef(provider, model, ModelType.SPEECH_TO_TEXT)
    return lambda target, form: transcribe.render(Target(ref, form), TranscribeCall(silence()))  # noqa: ARG005 - never needed


def calling(
    chat: ChatDialect | None = None,
    embed: EmbedDialect | None = None,
    rerank: RerankDialect | None = None,
    transcribe: TranscribeDialect | None = None,
    speak: SpeakDialect | None = None,
) -> Probe:
    """Call the very model: where each has a credential of its own, a list of models proves nothing."""

    def probe(target: Target | None, form: FormValues) -> Request:  # noqa: ARG001 - the target holds the form
        match target:
            case Target(ModelRef(type=ModelType.LLM)) if chat:
                return chat.render(target, ping(5), stream=False)
            case Target(ModelRef(type=ModelType.EMBEDDING)) if embed:
                return embed.render(target, EmbedCall(("ping",)))
            case Target(ModelRef(type=ModelType.RERANK)) if rerank:
                return rerank.render(target, RerankCall("ping", ("pong",)))
            case Target(ModelRef(type=ModelType.SPEECH_TO_TEXT)) if transcribe:
                return transcribe.render(target, TranscribeCall(silence()))
            case Target(ModelRef(type=ModelType.TEXT_TO_SPEECH)) if speak:
                return speak.render(target, SpeakCall("ping"))
        raise InvalidRange("model", "must be of a type that this provider serves")

    return probe


class Called(TypedDict):
    """What `called` fills in of an adapter."""

    chat: ChatDialect | None
    embed: EmbedDialect | None
    rerank: RerankDialect | None
    transcribe: TranscribeDialect | None
    speak: SpeakDialect | None
    probe: Probe


def called(
    chat: ChatDialect | None = None,
    embed: EmbedDialect | None = None,
    rerank: RerankDialect | None = None,
    transcribe: TranscribeDialect | None = None,
    speak: SpeakDialect | None = None,
) -> Called:
    """These dialects, and the probe that calls the very model by one of them."""
    return Called(
        chat=chat,
        embed=embed,
        rerank=rerank,
        transcribe=transcribe,
        speak=speak,
        probe=calling(chat, embed, rerank, transcribe, speak),
    )


@cache
def silence() -> Recording:
    """One second of it as a WAV file of 16 kHz: some servers refuse less than a tenth, and none needs words."""
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(16_000)
        audio.writeframes(bytes(32_000))
    return Recording("silence.wav", "audio/wav", file.getvalue())


def refusing(kind: type[UpstreamError], *, words: str = "", status: int | None = None) -> Proof:
    """Refusals of a kind that only a good key gets: those that say `words`, or come with `status`."""

    def proves(failure: UpstreamError) -> bool:
        told = words.lower() in failure.detail.lower() and status in (None, failure.status)
        return isinstance(failure, kind) and told

    return proves

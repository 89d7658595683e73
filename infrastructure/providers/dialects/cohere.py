"""Cohere's API in its version 2: chat, embeddings, transcription, and its list of models."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose, Message, ToolChoice
from domain.model.events import ChatAnswer, Embeddings, Usage
from domain.model.speech import TranscribeCall
from domain.ports import Target
from infrastructure.providers.dialects import cohere_answers, openai, openai_audio
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai_embed import in_order
from infrastructure.providers.spec import Decoder, Page, Request
from infrastructure.providers.wire.digging import dig, text

_NAMES = {"top_p": "p", "stop": "stop_sequences"}
_CHOICES = {ToolChoice.REQUIRED: "REQUIRED", ToolChoice.NONE: "NONE"}


@dataclass(frozen=True)
class Chat(openai.Chat):
    """POST v2/chat. Turns and tools are OpenAI's, but what is said beside tool calls is their plan.

    `thinking` and `token_budget` among a call's own parameters are the two fields of the vendor's `thinking`.
    """

    include_usage: bool = False
    path: str = "v2/chat"

    def written(self, model: str, call: ChatCall, *, stream: bool) -> Request:
        if call.tools and call.response_schema:
            raise UnsupportedFeature("an answer by a schema beside tools", model)
        request = super().written(model, call, stream=stream)
        return replace(request, json=_thoughtful(request.json or {}))

    def turn(self, message: Message, model: str) -> dict[str, Any]:
        turn = super().turn(message, model)
        if message.tool_calls:
            plan = turn.pop("content")
            turn |= {"tool_plan": plan} if plan else {}
        return turn

    def knobs(self, call: ChatCall) -> Mapping[str, Any]:
        return {_NAMES.get(name, name): value for name, value in super().knobs(call).items()}

    def features(self, call: ChatCall) -> Mapping[str, Any]:
        features: dict[str, Any] = {}
        if call.tools:
            features["tools"] = [openai.rendered_tool(tool) for tool in call.tools]
            if call.tool_choice in _CHOICES:
                features["tool_choice"] = _CHOICES[call.tool_choice]
        if call.response_schema:
            features["response_format"] = {"type": "json_object", "json_schema": call.response_schema.schema}
        return features

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        return cohere_answers.answer(body)

    def decoder(self) -> Decoder:
        return cohere_answers.EventDecoder(self.refusals)


@dataclass(frozen=True)
class Embed:
    """POST v2/embed. A text that is too long is an error: by default the vendor would cut it silently."""

    texts: int = 96
    path: str = "v2/embed"

    def render(self, target: Target, call: EmbedCall) -> Request:
        kind = "search_query" if call.purpose is EmbedPurpose.QUERY else "search_document"
        body: dict[str, Any] = {"model": target.model.name, "texts": list(call.texts), "input_type": kind}
        body |= {"embedding_types": ["float"], "truncate": "NONE"}
        if call.dimensions is not None:
            body["output_dimension"] = call.dimensions
        return Request(self.path, body)

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        read = cohere_answers.usage(dig(body, "meta"))
        vectors = in_order(dig(body, "embeddings", "float"), count)
        return Embeddings(vectors, Usage(read.input, None if read.input is None else 0, raw=read.raw))

    def batch(self, target: Target) -> int:  # noqa: ARG002 - a seam: some vendors' forms or models say it
        return self.texts


@dataclass(frozen=True)
class Transcribe(openai_audio.Transcribe):
    """POST v2/audio/transcriptions, where the language must be told."""

    response_format: str | None = None
    refused: frozenset[str] = frozenset({"prompt"})
    path: str = "v2/audio/transcriptions"

    def written(self, model: str, call: TranscribeCall) -> Request:
        if call.language is None:
            raise InvalidRange("language", "must be given: this provider does not find it out")
        return super().written(model, call)


@dataclass(frozen=True)
class TokenPages(Models):
    """GET v1/models, a thousand at a time, each page by the token of the one before."""

    path: str = "v1/models"
    models: str = "models"
    name: str = "name"
    abilities: tuple[tuple[str, ...], ...] = (("endpoints",),)

    def render(self, following: str | None = None) -> Request:
        after = {"page_token": following} if following else {}
        return Request(self.path, method="GET", query={"page_size": "1000", **after})

    def parse(self, body: Any) -> Page:
        return Page(tuple(self.listed(body)), text(dig(body, "next_page_token")) or None)


def _thoughtful(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the two parameters of thinking in one object; a budget alone means that the model is to think."""
    kind, budget = body.get("thinking"), body.get("token_budget")
    if kind is None and budget is None:
        return body
    rest = {name: value for name, value in body.items() if name not in ("thinking", "token_budget")}
    bounded = {} if budget is None else {"token_budget": budget}
    return {**rest, "thinking": {"type": kind or "enabled", **bounded}}

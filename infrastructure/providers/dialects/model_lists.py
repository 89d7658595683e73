"""Vendors' own lists of their models, and what these tell of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.model.catalogue import ModelType
from domain.ports import ListedModel
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.spec import Page, Request
from infrastructure.providers.wire.digging import count, dig, rows, table, text

_WORDS: Mapping[ModelType, Sequence[str]] = {
    ModelType.LLM: ("chat", "chat-completion", "completion", "completion-chat", "code", "language", "llm", "text"),
    ModelType.EMBEDDING: ("embed", "embedding", "embeddings", "text-embedding"),
    ModelType.RERANK: ("rerank", "reranker", "reranking"),
    ModelType.SPEECH_TO_TEXT: (
        "audio-transcription",
        "audio2text",
        "speech-to-text",
        "speech2text",
        "stt",
        "transcription",
    ),
    ModelType.TEXT_TO_SPEECH: ("audio-speech", "speech", "text-to-speech", "text2audio", "tts"),
}
_MOST = 10_000
_TYPES = {word: kind for kind, words in _WORDS.items() for word in words}
_Places = tuple[tuple[str, ...], ...]
_ABILITIES: _Places = (("type",), ("model_type",), ("capabilities",))
_CONTEXTS = (
    ("context_length",),
    ("context_window",),
    ("context_size",),
    ("max_context_length",),
    ("max_model_len",),
    ("max_input_tokens",),
    ("max_input_length",),
    ("meta", "n_ctx"),
)


@dataclass(frozen=True)
class Models:
    """GET models, all on one page, under `models` or bare; `name` is the name's place.

    `type` is what all models are; else `abilities` are the places of the words that tell the type of each.
    """

    path: str = "models"
    query: Mapping[str, str] = field(default_factory=dict)
    models: str = "data"
    name: str = "id"
    type: ModelType | None = None
    abilities: _Places = _ABILITIES

    def render(self, following: str | None = None) -> Request:  # noqa: ARG002 - it has one page
        return Request(self.path, method="GET", query=self.query)

    def parse(self, body: Any) -> Page:
        return Page(tuple(self.listed(body)))

    def listed(self, body: Any) -> Iterator[ListedModel]:
        """The models of a page; BadRequestUpstream when there is no list, or one that is too long to be true."""
        found = body if isinstance(body, list) else dig(body, self.models)
        if not isinstance(found, list):
            raise not_understood("the answer has no list of models")
        if len(found) > _MOST:
            raise not_understood(f"the list has more than {_MOST} models")
        for row in found:
            if name := text(dig(row, self.name)).strip():
                yield ListedModel(name, self.type_of(row), context(row))

    def type_of(self, row: Any) -> ModelType | None:
        """What a model is by its row."""
        return self.type or kind(row, self.abilities)


@dataclass(frozen=True)
class PagedModels(Models):
    """Anthropic's list, a thousand at a time, each page after the last id of the one before."""

    path: str = "v1/models"
    type: ModelType | None = ModelType.LLM

    def render(self, following: str | None = None) -> Request:
        after = {"after_id": following} if following else {}
        return Request(self.path, method="GET", query={"limit": "1000", **after})

    def parse(self, body: Any) -> Page:
        last = text(dig(body, "last_id")) if dig(body, "has_more") is True else ""
        return Page(tuple(self.listed(body)), last or None)


def kind(row: object, abilities: _Places) -> ModelType | None:
    """The type of a model by what its vendor says of it; None when that is nothing that we know.

    A model of several is taken for the first in ModelType's order: what can chat is listed to chat.
    """
    told = {_TYPES.get(word.lower().replace("_", "-")) for place in abilities for word in _words(dig(row, *place))}
    return next((known for known in ModelType if known in told), None)


def context(row: object) -> int | None:
    """Tokens that the model can read at once, where one of the usual places says so."""
    sizes = (count(dig(row, *place)) for place in _CONTEXTS)
    return next((size for size in sizes if size is not None and size > 0), None)


def _words(value: object) -> Iterator[str]:
    """A word, a list of them, or those that an object says yes to."""
    yield text(value)
    yield from (text(word) for word in rows(value))
    yield from (word for word, yes in table(value).items() if yes is True)

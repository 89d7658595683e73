"""Gemini's list of models, which tells what each can do by the methods that it answers to."""

from dataclasses import dataclass
from typing import Any

from domain.model.catalogue import ModelType
from domain.ports import ListedModel
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.spec import Page, Request
from infrastructure.providers.wire.digging import count, dig, rows, text

_METHODS = {"generateContent": ModelType.LLM, "embedContent": ModelType.EMBEDDING}
_OTHER = {"-image": None, "-live": None, "-tts": ModelType.TEXT_TO_SPEECH, "-transcribe": ModelType.SPEECH_TO_TEXT}


@dataclass(frozen=True)
class TokenPages:
    """GET v1/models page by page, each under the token that the one before ends with."""

    path: str = "v1/models"

    def render(self, following: str | None = None) -> Request:
        after = {"pageToken": following} if following else {}
        return Request(self.path, method="GET", query={"pageSize": "1000", **after})

    def parse(self, body: Any) -> Page:
        if not isinstance(dig(body, "models"), list):
            raise not_understood("the answer has no list of models")
        found = tuple(_listed(row) for row in rows(dig(body, "models")) if text(dig(row, "name")))
        return Page(found, text(dig(body, "nextPageToken")) or None)


def _listed(row: Any) -> ListedModel:
    """Speech and images go by the method of chat, so that only the name tells these models apart."""
    name = text(dig(row, "name")).removeprefix("models/")
    kinds = [_METHODS[m] for m in rows(dig(row, "supportedGenerationMethods")) if m in _METHODS]
    kind = next((other for word, other in _OTHER.items() if word in name), kinds[0]) if kinds else None
    return ListedModel(name, kind, count(dig(row, "inputTokenLimit")))

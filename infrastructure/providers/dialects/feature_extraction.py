"""Hugging Face's task of that name: texts to vectors, which may come for each token."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domain.model.calls import EmbedCall
from domain.model.events import Embeddings, Usage
from domain.ports import Target
from infrastructure.providers.dialects.openai_embed import averaged
from infrastructure.providers.spec import Request


@dataclass(frozen=True)
class FeatureExtraction:
    """POST to the `path` of a model. A text that is too long is an error, and tokens are not counted.

    `texts` are as many as the servers behind it take by default.
    """

    path: Callable[[Target], str]
    texts: int = 32

    def render(self, target: Target, call: EmbedCall) -> Request:
        body: dict[str, Any] = {"inputs": list(call.texts), "truncate": False}
        if call.dimensions is not None:
            body["dimensions"] = call.dimensions
        return Request(self.path(target), body)

    def parse(self, body: Any, count: int) -> Embeddings:
        return Embeddings(averaged(body, count), Usage())

    def batch(self, target: Target) -> int:  # noqa: ARG002 - a seam: some vendors' forms or models say it
        return self.texts

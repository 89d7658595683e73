"""The native API of Hugging Face's server for embeddings and rerankers (text-embeddings-inference 1.9)."""

from dataclasses import dataclass
from typing import Any

from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.catalogue import FormValues, ModelType
from domain.model.events import Embeddings, Usage
from domain.model.rerank import RerankCall, Reranking
from domain.ports import ListedModel, Target
from infrastructure.providers.dialects.openai_embed import in_order
from infrastructure.providers.dialects.rerank import ranked
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import Page, Request
from infrastructure.providers.wire.digging import count, dig, table, text

_TYPES = {"embedding": ModelType.EMBEDDING, "reranker": ModelType.RERANK}


def batch(form: FormValues) -> int:
    """The most texts of one request, which each server sets for itself."""
    return int(entered(form, "max_client_batch_size", "32"))


@dataclass(frozen=True)
class Embed:
    """POST embed. A text that is too long is an error: by default the server would cut it silently.

    The form may name the prompts of the model that go before queries and documents.
    """

    path: str = "embed"

    def render(self, target: Target, call: EmbedCall) -> Request:
        body: dict[str, Any] = {"inputs": list(call.texts), "truncate": False}
        field = "query_prompt_name" if call.purpose is EmbedPurpose.QUERY else "document_prompt_name"
        if prompt := entered(target.form, field):
            body["prompt_name"] = prompt
        if call.dimensions is not None:
            body["dimensions"] = call.dimensions
        return Request(self.path, body)

    def parse(self, body: Any, count: int) -> Embeddings:
        return Embeddings(in_order(body, count), Usage())

    def batch(self, target: Target) -> int:
        return batch(target.form)


@dataclass(frozen=True)
class Rerank:
    """POST rerank, whose answer is a bare list of scores from 0 to 1."""

    path: str = "rerank"

    def render(self, target: Target, call: RerankCall) -> Request:  # noqa: ARG002 - a server has one model
        body = {"query": call.query, "texts": list(call.documents)}
        return Request(self.path, {**body, "raw_scores": False, "return_text": False, "truncate": False})

    def parse(self, body: Any, count: int) -> Reranking:
        return Reranking(ranked(body, "score", count), Usage())


@dataclass(frozen=True)
class Served:
    """GET info: the one model of a server, as a list."""

    path: str = "info"

    def render(self, following: str | None = None) -> Request:  # noqa: ARG002 - it has one page
        return Request(self.path, method="GET")

    def parse(self, body: Any) -> Page:
        name = text(dig(body, "served_model_name")) or text(dig(body, "model_id"))
        if not name:
            raise not_understood("the answer names no model")
        kind = next((kind for word, kind in _TYPES.items() if word in table(dig(body, "model_type"))), None)
        return Page((ListedModel(name, kind, count(dig(body, "max_input_length"))),))

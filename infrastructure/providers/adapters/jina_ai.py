"""Jina AI: OpenAI's embeddings, each family of models with its own tasks, and the reranking that others took over."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from domain.ports import ListedModel, Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import embedding
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.forms import address, at, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_ID, _HOME = "jina_ai", "https://api.jina.ai/v1"
_TASKS = (
    (re.compile(r"jina-embeddings-v[345]"), "retrieval.query", "retrieval.passage"),
    (re.compile(r"jina-code-embeddings"), "nl2code.query", "nl2code.passage"),
    (re.compile(r"jina-clip-v2"), "retrieval.query", None),
)
_REFUSALS = refusals("jina_ai")


@dataclass(frozen=True)
class _Embed(Embed):
    def suited(self, target: Target, call: EmbedCall) -> Self:
        """With the task by the texts' purpose: its default is another one, and models without tasks refuse it."""
        tasks = next((found for found in _TASKS if found[0].match(target.model.name)), (None, None, None))
        task = tasks[1] if call.purpose is EmbedPurpose.QUERY else tasks[2]
        return replace(self, extras={**self.extras, "task": task}) if task else self


@dataclass(frozen=True)
class _Models(Models):
    def listed(self, body: Any) -> Iterator[ListedModel]:
        """Under the names that calls take. The list does not tell rerankers, so their names do."""
        for model in super().listed(body):
            name = model.name.removeprefix("jina-ai/")
            kind = ModelType.RERANK if "reranker" in name else ModelType.EMBEDDING if "embed" in name else None
            yield replace(model, name=name, type=kind)


_EMBED = _Embed(encoding=None, extras={"embedding_type": "float"})

ADAPTER = Adapter(
    id=_ID,
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"), address("base_url", Text("Base URL", "ベース URL", "基础 URL"), default=_HOME)),
    base_url=at("base_url", _HOME),
    sign=bearer("api_key"),
    # Not the list of models: it is not known to need a key.
    probe=embedding(_EMBED, _ID, "jina-embeddings-v3"),
    error=_REFUSALS,
    embed=_EMBED,
    rerank=Rerank(),
    models=_Models(),
)

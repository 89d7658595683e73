"""NVIDIA's API catalogue: OpenAI's paths, embeddings by their purpose, and answers that may come later."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from domain.errors import ModelNotFoundUpstream
from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from domain.model.rerank import RerankCall
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import chatting, refusing
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.forms import fixed, secret, trial_model
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.signing.polled import polled
from infrastructure.providers.spec import Adapter, Request

_ID = "nvidia_api_catalog"
_CHAT = Chat()
_TRIED = "meta/llama-3.1-8b-instruct"


@dataclass(frozen=True)
class Retrieval(Embed):
    """Vectors of passages and of queries differ; a text that is too long is refused rather than cut."""

    encoding: str | None = "float"
    texts: int = 50

    def written(self, model: str, call: EmbedCall) -> Request:
        request = super().written(model, call)
        kind = "query" if call.purpose is EmbedPurpose.QUERY else "passage"
        return replace(request, json={**(request.json or {}), "input_type": kind, "truncate": "NONE"})


@dataclass(frozen=True)
class Ranking(Rerank):
    """Each model at an address of its own, apart from all else; scores are logits, and what is too long is cut."""

    def written(self, model: str, call: RerankCall) -> Request:
        passages = [{"text": document} for document in call.documents]
        body = {"model": model, "query": {"text": call.query}, "passages": passages, "truncate": "END"}
        return Request(_ranking_path(model), body, base="https://ai.api.nvidia.com/v1/retrieval")


def _ranking_path(model: str) -> str:
    """Dots in names are underscores there; the eldest, which have no maker in theirs, share one address."""
    return f"{quote(model.replace('.', '_'))}/reranking" if "/" in model else "nvidia/reranking"


ADAPTER = Adapter(
    id=_ID,
    label=Text("NVIDIA API Catalog"),
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("api_key"),
        trial_model(_TRIED),
    ),
    base_url=fixed("https://integrate.api.nvidia.com/v1"),
    sign=polled(bearer("api_key"), _ID, "https://api.nvcf.nvidia.com/v2/nvcf/pexec/status", "nvcf-reqid"),
    # Not the list of models: it is public.
    probe=chatting(_CHAT, _ID, "validate_model", 5),
    error=refusals(_ID),
    key_page="https://build.nvidia.com/settings/api-keys",
    chat=_CHAT,
    embed=Retrieval(),
    rerank=Ranking(results="rankings", score="logit"),
    models=Models(),
    # Told only to a key that is known: its account has no access to this one model.
    proves=refusing(ModelNotFoundUpstream, status=404, words="for account"),
)

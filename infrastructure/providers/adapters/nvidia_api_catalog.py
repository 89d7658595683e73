"""NVIDIA's API catalogue: OpenAI's paths, embeddings by their purpose, and answers that may come later."""

from domain.errors import ModelNotFoundUpstream
from domain.model.catalogue import ProviderKind
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.probes import chatting, refusing
from infrastructure.providers.dialects.retriever import PASSAGES, RankingByModel, Retrieval
from infrastructure.providers.forms import fixed, secret, trial_model
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.signing.polled import polled
from infrastructure.providers.spec import Adapter

_ID = "nvidia_api_catalog"
_CHAT = Chat()

ADAPTER = Adapter(
    id=_ID,
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"), trial_model("meta/llama-3.1-8b-instruct")),
    base_url=fixed("https://integrate.api.nvidia.com/v1"),
    sign=polled(bearer("api_key"), _ID, "https://api.nvcf.nvidia.com/v2/nvcf/pexec/status", "nvcf-reqid"),
    # Not the list of models: it is public.
    probe=chatting(_CHAT, _ID, "validate_model", 5),
    error=refusals(_ID),
    chat=_CHAT,
    embed=Retrieval(),
    rerank=RankingByModel(base="https://ai.api.nvidia.com/v1/retrieval"),
    models=Models(),
    documents=lambda _: PASSAGES,
    # Told only to a key that is known: its account has no access to this one model.
    proves=refusing(ModelNotFoundUpstream, status=404, words="for account"),
)

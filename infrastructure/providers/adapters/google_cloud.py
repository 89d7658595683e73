"""Google Cloud's Vertex AI, now Gemini Enterprise Agent Platform, with the key of a service account."""

import re
from dataclasses import replace

from domain.errors import ModelNotFoundUpstream, UpstreamError
from domain.model.catalogue import FormValues, ModelRef, ModelType, ProviderKind
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.dialects import vertex
from infrastructure.providers.dialects.anthropic import Messages
from infrastructure.providers.dialects.gemini_embed import content
from infrastructure.providers.dialects.gemini_speech import SpeakContent, TranscribeContent
from infrastructure.providers.dialects.google_errors import GOOGLE
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.probes import refusing
from infrastructure.providers.dialects.vertex import placed
from infrastructure.providers.dialects.vertex_chat import Publisher, PublisherChat
from infrastructure.providers.dialects.vertex_embed import PublisherEmbed
from infrastructure.providers.dialects.vertex_rank import RankRecords
from infrastructure.providers.forms import fixed, secret, text
from infrastructure.providers.signing.service_account import service_account
from infrastructure.providers.spec import Adapter, ErrorReply, Request

_ID = "google_cloud"
_KEY = "vertex_service_account_key"
_COUNTED = ModelRef(_ID, "gemini-3.5-flash", ModelType.LLM)
_CLAUDE = Publisher(
    "anthropic",
    re.compile("claude-"),
    "vertex_anthropic_location",
    Messages(refusals=GOOGLE),
    without=frozenset({"model"}),
    added={"anthropic_version": "vertex-2023-10-16"},  # the one that still takes sampling
)
_MISTRAL = Publisher(
    "mistralai",
    re.compile("(mis|codes|minis|devs|magis)tral-"),
    "vertex_mistral_location",
    Chat(seed="random_seed", include_usage=False, refusals=GOOGLE, call_ids=re.compile("[a-zA-Z0-9]{9}")),
)
_RECORDS = 200
_TOKEN = re.compile(r"ya29\.[\w.-]+")


def probe(target: Target | None, form: FormValues) -> Request:  # noqa: ARG001 - one key reaches all models
    """Counts the tokens of a word, which is free: the token proves the key, the count project, location and role."""
    return replace(placed(Target(_COUNTED, form), "countTokens"), json={"contents": [content("Hello")]})


def error(provider: str, reply: ErrorReply) -> UpstreamError:
    """An access token is no part of the form, so that nobody else would blot it out."""
    failure = GOOGLE(provider, reply)
    failure.detail = _TOKEN.sub("••••", failure.detail)
    return failure


ADAPTER = Adapter(
    id=_ID,
    kind=ProviderKind.PROPRIETARY,
    form=(
        text(vertex.PROJECT, Text("Project ID", "プロジェクト ID", "项目 ID"), required=True),
        text(vertex.LOCATION, Text("Location", "ロケーション", "位置"), default=vertex.EVERYWHERE),
        secret(_KEY, Text("Service account key", "サービス アカウント キー", "服务账号密钥")),
        text(_CLAUDE.location, Text("Location of Claude", "Claude のロケーション", "Claude 模型的位置")),
        text(_MISTRAL.location, Text("Location of Mistral", "Mistral のロケーション", "Mistral 模型的位置")),
        text(vertex.GLOBAL_MODELS, Text("Global-only models", "global 専用モデル", "仅限 global 的模型")),
    ),
    # Requests go to the host of their model's location. All are the vendor's own, so that a key may follow there.
    base_url=fixed(vertex.HOME),
    sign=service_account(_ID, _KEY),
    probe=probe,
    error=error,
    chat=PublisherChat((_CLAUDE, _MISTRAL)),
    embed=PublisherEmbed(),
    rerank=RankRecords(),
    transcribe=TranscribeContent(placed),
    speak=SpeakContent(place=placed),
    # Whoever is told that a model is not at this location was let in.
    proves=refusing(ModelNotFoundUpstream, status=404),
    documents=lambda _: _RECORDS,
)

"""Hugging Face: models behind its router, and a tenant's own inference endpoints, which speak OpenAI's chat too.

Completion by itself, the management of endpoints, and what hosts other than its own make of speech are not spoken.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from domain.errors import InvalidRange, UpstreamError
from domain.model.calls import ChatCall
from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects import pipelines, tei
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.forms import abilities, address, at, choice, entered, secret, text
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, ErrorReply

_TYPE, _HOSTED, _OWN = "huggingfacehub_api_type", "hosted_inference_api", "inference_endpoints"
_URL = "huggingfacehub_endpoint_url"
_SERVER, _TGI, _OPENAI = "endpoint_server", "text_generation_inference", "openai_compatible"
_NAME = re.compile(r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)?")
_OURS, _TEI = refusals("hugging_face"), refusals("text_embedding_inference")
_REFUSALS = Refusals({**_TEI.words, **_OURS.words}, phrases=(*_OURS.phrases, *_TEI.phrases))


@dataclass(frozen=True)
class _Chat(Chat):
    """The vendor's own server takes a schema in words of its own; others, and those behind the router, in OpenAI's."""

    own: bool = False

    def suited(self, target: Target, call: ChatCall) -> Self:  # noqa: ARG002 - the form alone decides
        return replace(self, own=entered(target.form, _TYPE) == _OWN and entered(target.form, _SERVER, _TGI) == _TGI)

    def features(self, call: ChatCall) -> Mapping[str, Any]:
        features = super().features(call)
        if not (self.own and call.response_schema):
            return features
        return {**features, "response_format": {"type": "json_object", "value": call.response_schema.schema}}


def _task(target: Target) -> str:
    """The root of an endpoint, which has one task; behind the router each of its own models has an address."""
    if entered(target.form, _TYPE) == _OWN:
        return ""
    if not _NAME.fullmatch(target.model.name):
        raise InvalidRange("model", "must be a name such as owner/model")
    return f"hf-inference/models/{target.model.name}"


def error(provider: str, reply: ErrorReply) -> UpstreamError:
    """What a body does not say, a header may."""
    said = reply.headers.get("x-error-message")
    return _REFUSALS(provider, ErrorReply(reply.status, reply.headers, reply.body or said or ""))


ADAPTER = Adapter(
    id="hugging_face",
    kind=ProviderKind.HOSTED,
    form=(
        choice(_TYPE, Text("API type", "API の種類", "API 类型"), _HOSTED, _OWN),
        secret("huggingfacehub_api_token", Text("API token", "API トークン", "API 令牌")),
        text("bill_to", Text("Organization to bill", "請求先の組織", "计费组织"), when={_TYPE: _HOSTED}),
        address(_URL, Text("Endpoint URL", "エンドポイント URL", "端点 URL"), when={_TYPE: _OWN}),
        choice(_SERVER, Text("Server", "サーバー", "服务器"), _TGI, _OPENAI, only=ModelType.LLM, when={_TYPE: _OWN}),
        *abilities(),
    ),
    base_url=at(_URL, "https://router.huggingface.co", drop=("/v1",)),
    sign=bearer("huggingfacehub_api_token", also={"X-HF-Bill-To": "bill_to"}),
    **called(
        _Chat(path="v1/chat/completions", refusals=_REFUSALS),
        pipelines.FeatureExtraction(_task),
        pipelines.Rerank(_task),
        pipelines.Recognition(_task, pipelines.MEDIA_TYPES),
        pipelines.Synthesis(_task),
    ),
    error=error,
    models=Models("v1/models", type=ModelType.LLM),
    documents=tei.batch,
)

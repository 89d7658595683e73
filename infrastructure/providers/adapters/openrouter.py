"""OpenRouter: OpenAI's dialect, before the models of many makers at many hosts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from domain.errors import (
    ContentRefused,
    UpstreamError,
)
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import FormValues, ProviderKind
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.forms import address, at, choice, entered, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, ErrorReply
from infrastructure.providers.wire.digging import dig, table

_HOME = "https://openrouter.ai/api/v1"
_PRIVACY = "data_collection"


class _Refusals(Refusals):
    def __call__(self, provider: str, reply: ErrorReply) -> UpstreamError:
        """A 403 about the key is bare; one about the content says what was found in it."""
        failure = super().__call__(provider, reply)
        found = table(dig(reply.body, "error", "metadata")).keys() & {"patterns", "reasons", "flagged_input"}
        return ContentRefused(provider, failure.status, failure.detail) if found else failure


_REFUSALS = _Refusals(refusals("openrouter").words)


class _Chat(Chat):
    def suited(self, target: Target, call: ChatCall) -> Self:  # noqa: ARG002 - the form alone decides
        return replace(self, extras=_routing(target.form))


class _Embed(Embed):
    def suited(self, target: Target, call: EmbedCall) -> Self:  # noqa: ARG002 - the form alone decides
        return replace(self, extras=_routing(target.form))


def _routing(form: FormValues) -> Mapping[str, Any]:
    """Whether hosts that keep what they are sent may be chosen; they may when nothing is said."""
    return {"provider": {_PRIVACY: "deny"}} if entered(form, _PRIVACY) == "deny" else {}


ADAPTER = Adapter(
    id="openrouter",
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("api_key"),
        address("endpoint_url", Text("API base URL", "API ベース URL", "API 地址"), default=_HOME),
        choice(_PRIVACY, Text("Data collection by hosts", "ホストによるデータ収集", "托管方收集数据"), "allow", "deny"),
    ),
    base_url=at("endpoint_url", _HOME, end="/v1"),
    sign=bearer("api_key"),
    # Not the list of models: it is public.
    probe=listing("key"),
    error=_REFUSALS,
    chat=_Chat(refusals=_REFUSALS),
    embed=_Embed(encoding="float"),
    models=Models(query={"output_modalities": "all"}, abilities=(("architecture", "output_modalities"),)),
)

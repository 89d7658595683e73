"""OpenRouter: OpenAI's dialect, before the models of many makers at many hosts."""

from domain.errors import (
    ContentRefused,
    UpstreamError,
)
from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from domain.model.speech import SpeechFormat
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects import routed
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.forms import address, at, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, ErrorReply
from infrastructure.providers.wire.digging import dig, table

_HOME = "https://openrouter.ai/api/v1"


class _Refusals(Refusals):
    def __call__(self, provider: str, reply: ErrorReply) -> UpstreamError:
        """A 403 about the key is bare; one about the content says what was found in it."""
        failure = super().__call__(provider, reply)
        found = table(dig(reply.body, "error", "metadata")).keys() & {"patterns", "reasons", "flagged_input"}
        return ContentRefused(provider, failure.status, failure.detail) if found else failure


_REFUSALS = _Refusals(refusals("openrouter").words)


ADAPTER = Adapter(
    id="openrouter",
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("api_key"),
        address("endpoint_url", Text("API base URL", "API ベース URL", "API 地址"), default=_HOME),
        routed.privacy(),
    ),
    base_url=at("endpoint_url", _HOME, end="/v1"),
    sign=bearer("api_key"),
    # Not the list of models: it is public.
    probe=listing("key"),
    error=_REFUSALS,
    chat=routed.Chat(refusals=_REFUSALS),
    embed=routed.Embed(encoding="float"),
    rerank=routed.Rerank(returns=None),
    transcribe=routed.Transcribe(),
    # Voices are their makers': a model without a row has one of its host's, or must be asked with one.
    speak=routed.Speak("", frozenset({SpeechFormat.MP3, SpeechFormat.PCM})),
    models=Models(query={"output_modalities": "all"}, abilities=(("architecture", "output_modalities"),)),
)

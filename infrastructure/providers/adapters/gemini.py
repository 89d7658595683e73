"""Gemini, with a key of Google AI Studio."""

from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.gemini import GenerateContent
from infrastructure.providers.dialects.gemini_embed import BatchEmbed
from infrastructure.providers.dialects.gemini_models import TokenPages
from infrastructure.providers.dialects.gemini_speech import SpeakContent, TranscribeContent
from infrastructure.providers.dialects.google_errors import GOOGLE
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.forms import address, at, secret
from infrastructure.providers.signing.header import key_header
from infrastructure.providers.spec import Adapter

_HOME = "https://generativelanguage.googleapis.com"

ADAPTER = Adapter(
    id="gemini",
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("google_api_key"),
        address("google_base_url", Text("Base URL", "ベース URL", "基础 URL"), default=_HOME),
    ),
    base_url=at("google_base_url", _HOME, drop=("/v1beta", "/v1")),
    sign=key_header("x-goog-api-key", "google_api_key"),
    probe=listing("v1/models", {"pageSize": "1"}),
    error=GOOGLE,
    chat=GenerateContent(),
    embed=BatchEmbed(),
    transcribe=TranscribeContent(),
    speak=SpeakContent(),
    models=TokenPages(),
)

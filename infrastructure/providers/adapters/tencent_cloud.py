"""Tencent Cloud's flash recognition of recordings. Its chat models are Hunyuan's, which is another vendor here."""

from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.flash_recognition import FlashRecognition
from infrastructure.providers.dialects.probes import hearing
from infrastructure.providers.forms import fixed, secret, text
from infrastructure.providers.signing.signed_query import signed_query
from infrastructure.providers.spec import Adapter

_REFUSALS = refusals("tencent_cloud")
_LANGUAGES = "zh yue en ja ko vi ms id fil th pt tr ar es hi fr de"
_ANY = "tencent"
_TRANSCRIBE = FlashRecognition(
    account="app_id",
    engines={language: f"16k_{language}" for language in _LANGUAGES.split()},
    any_engine=_ANY,
    usual="16k_zh",
)

ADAPTER = Adapter(
    id="tencent_cloud",
    kind=ProviderKind.PROPRIETARY,
    form=(
        text("app_id", Text("App ID", "アプリ ID", "APPID"), required=True),
        secret("secret_id", Text("Secret ID", "シークレット ID", "SecretId")),
        secret("secret_key", Text("Secret key", "シークレットキー", "SecretKey")),
    ),
    base_url=fixed("https://asr.cloud.tencent.com"),
    sign=signed_query("secret_id", "secret_key"),
    probe=hearing(_TRANSCRIBE, "tencent_cloud", _ANY),
    error=_REFUSALS,
    failed=_REFUSALS.failed,
    transcribe=_TRANSCRIBE,
)

"""Azure OpenAI: each model a deployment under its tenant's own name; the form says what it was made from."""

import re
from urllib.parse import quote

import httpx2

from domain.model.catalogue import Feature, FormValues, ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.azure import (
    REFUSALS,
    V1,
    DeployedChat,
    DeployedEmbed,
    DeployedSpeak,
    DeployedTranscribe,
    resource,
    used_up,
)
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.forms import abilities, address, choice, context, entered, secret, secret_in, text
from infrastructure.providers.signing.client_credentials import Grant, client_credentials
from infrastructure.providers.signing.header import key_header
from infrastructure.providers.spec import Adapter

_ID = "azure_openai"
_ENTRA = "entra_id_service_principal"
_PRINCIPAL = {"auth_method": _ENTRA}
_DATED = ("2025-04-01-preview", "2025-03-01-preview", "2025-01-01-preview", "2024-12-01-preview", "2024-10-21")
_SIGN_IN = {"com": "login.microsoftonline.com", "us": "login.microsoftonline.us", "cn": "login.chinacloudapi.cn"}

# What chat/completions serves of each line of models, whose names are OpenAI's, or gpt-35.
_LINES = {
    r"(gpt-(?!6-astra|6\.1-sol)|o1(?!-mini|-preview)|o[34]).*": Feature.TOOLS,
    r"(gpt-(4o|4-turbo|4\.|[5-9])|o1(?!-mini|-preview)|o3(?!-mini)|o4).*": Feature.VISION,
    r"(gpt-(4o|4\.1|[5-9])|o1(?!-mini|-preview)|o[34]).*": Feature.STRUCTURED_OUTPUT,
    r"(gpt-[5-9](?!.*-chat)|o[134]).*": Feature.REASONING,
}


def grant(form: FormValues) -> Grant:
    """A service principal's, in the cloud that the resource is in."""
    known = re.search(r"\.azure\.(us|cn)$", httpx2.URL(resource(form)).host)
    cloud = known[1] if known else "com"
    url = f"https://{_SIGN_IN[cloud]}/{quote(entered(form, 'azure_tenant_id'), safe='')}/oauth2/v2.0/token"
    scope = f"https://cognitiveservices.azure.{cloud}/.default"
    return Grant(url, entered(form, "azure_client_id"), secret_in(form, "azure_client_secret"), scope)


_KEY, _TOKEN = key_header("api-key", "openai_api_key"), client_credentials(_ID, grant)


def sign(form: FormValues) -> httpx2.Auth | None:
    return _TOKEN(form) if entered(form, "auth_method") == _ENTRA else _KEY(form)


ADAPTER = Adapter(
    id=_ID,
    kind=ProviderKind.HOSTED,
    form=(
        address("openai_api_base", Text("API base URL", "API ベース URL", "API 基础 URL")),
        choice("auth_method", Text("Authentication method", "認証方式", "认证方式"), "api_key", _ENTRA),
        secret("openai_api_key", when={"auth_method": "api_key"}),
        text("azure_client_id", Text("Client ID", "クライアント ID", "客户端 ID"), required=True, when=_PRINCIPAL),
        text("azure_tenant_id", Text("Tenant ID", "テナント ID", "租户 ID"), required=True, when=_PRINCIPAL),
        secret("azure_client_secret", Text("Client secret", "クライアントシークレット", "客户端密钥"), when=_PRINCIPAL),
        choice("openai_api_version", Text("API version", "API バージョン", "API 版本"), V1, *_DATED),
        text(
            "base_model_name",
            Text("Base model", "ベースモデル", "基础模型"),
            only=ModelType.LLM,
            grants=_LINES,
        ),
        context(),
        *abilities(),
    ),
    base_url=resource,
    sign=sign,
    **called(DeployedChat(refusals=REFUSALS), DeployedEmbed(), transcribe=DeployedTranscribe(), speak=DeployedSpeak()),
    error=REFUSALS,
    proves=used_up,
)

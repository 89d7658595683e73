"""Amazon Bedrock: the Converse API for most makers' chat models, their own bodies for embeddings."""

import re

from domain.errors import CredentialRejected, UnsupportedFeature, UpstreamError
from domain.model.catalogue import FormValues, ProviderKind
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers import aws
from infrastructure.providers.dialects.agent_rerank import AgentRerank
from infrastructure.providers.dialects.converse import Converse
from infrastructure.providers.dialects.foundation_models import FoundationModels
from infrastructure.providers.dialects.invoke_embed import InvokeEmbed
from infrastructure.providers.dialects.probes import chatting, listing, refusing
from infrastructure.providers.dialects.runtime_chat import ProfiledChat, RuntimeChat
from infrastructure.providers.forms import address, choice, entered, secret, text
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request

_ID = "aws_bedrock"
_KEY_PAIR, _API_KEY = "Access_Secret_Key", "API_Key"
_CONTROL = aws.host("bedrock")
_COMPLETED = re.compile(r"(^|\.)(openai\.gpt-[5-9]|xai\.)")
_CHAT = RuntimeChat(Converse(aws.REFUSALS.of), ProfiledChat(refusals=aws.REFUSALS), _COMPLETED)
_TRIED = chatting(_CHAT, _ID, "model_for_validation", 5)
_LISTED = listing("foundation-models", {"byOutputModality": "TEXT"}, base=_CONTROL)
_MAY_NOT = refusing(CredentialRejected, words="not authorized to perform")
_HAS_NO_ACCESS = refusing(CredentialRejected, words="don't have access to the model")
_PAIR_ONLY, _KEY_ONLY = {"auth_method": _KEY_PAIR}, {"auth_method": _API_KEY}
_PAIR, _BEARER = aws.signing(_ID, "bedrock"), bearer("bedrock_api_key")


def _keyed(form: FormValues) -> bool:
    return entered(form, "auth_method", _KEY_PAIR) == _API_KEY


def _probe(target: Target | None, form: FormValues) -> Request:
    """A word with the model that the form names, or else the list of models, which is free of charge."""
    return (_TRIED if entered(form, "model_for_validation") else _LISTED)(target, form)


def _proves(failure: UpstreamError) -> bool:
    """A key that may not list models, or not use this one, is a key."""
    return _MAY_NOT(failure) or _HAS_NO_ACCESS(failure)


def _arn(target: Target) -> str:
    """The ARN of a model in the form's region. The agent runtime takes no API keys."""
    if _keyed(target.form):
        raise UnsupportedFeature("reranking with an API key", str(target.model))
    region, name = aws.region(target.form), target.model.name
    partition = "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return name if name.startswith("arn:") else f"arn:{partition}:bedrock:{region}::foundation-model/{name}"


ADAPTER = Adapter(
    id=_ID,
    kind=ProviderKind.PROPRIETARY,
    form=(
        choice("auth_method", Text("Authentication", "認証方法", "认证方式"), _KEY_PAIR, _API_KEY),
        *aws.key_fields(when=_PAIR_ONLY),
        *aws.role_fields(when=_PAIR_ONLY),
        secret("bedrock_api_key", when=_KEY_ONLY),
        aws.region_field(),
        address("bedrock_endpoint_url", Text("Endpoint URL", "エンドポイント URL", "端点 URL"), default=""),
        text(
            "model_for_validation", Text("Model to check the key with", "キーの確認に使うモデル", "用于验证密钥的模型")
        ),
    ),
    base_url=lambda form: entered(form, "bedrock_endpoint_url") or aws.host("bedrock-runtime")(form),
    sign=lambda form: _BEARER(form) if _keyed(form) else _PAIR(form),
    probe=_probe,
    error=aws.REFUSALS,
    chat=_CHAT,
    embed=InvokeEmbed(),
    rerank=AgentRerank(aws.host("bedrock-agent-runtime"), _arn),
    models=FoundationModels(_CONTROL),
    proves=_proves,
)

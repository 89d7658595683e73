"""Baidu's Qianfan, home of Wenxin (ERNIE): OpenAI's dialect, which its second version speaks; the first is shut."""

from domain import errors
from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import PENALTIES, Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import greeting, refusing
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.forms import choice, fixed, secret, text
from infrastructure.providers.signing.bce import exchanged
from infrastructure.providers.signing.header import bearer, chosen
from infrastructure.providers.spec import Adapter

_REFUSALS = refusals("wenxin")


class _Embed(Embed):
    def batch(self, target: Target) -> int:
        return 1 if target.model.name == "tao-8k" else self.texts


# `max_tokens` would bound the answer without the thoughts before it.
_CHAT = Chat(
    max_tokens="max_completion_tokens",
    variants={"ernie-x1|deepseek": {"refused": PENALTIES}},
    refusals=_REFUSALS,
)
_KEY, _PAIR = ({"auth_method": method} for method in ("api_key", "access_key"))
_TOKENS = "https://iam.bj.baidubce.com/v1/BCE-BEARER/token"

ADAPTER = Adapter(
    id="wenxin",
    kind=ProviderKind.PROPRIETARY,
    form=(
        choice("auth_method", Text("Authentication", "認証方式", "鉴权方式"), "api_key", "access_key"),
        secret("api_key", when=_KEY),
        text("appid", Text("App ID", "アプリ ID", "应用 ID"), when=_KEY),
        secret("access_key", Text("Access key", "アクセスキー", "Access Key"), when=_PAIR),
        secret("secret_key", Text("Secret key", "シークレットキー", "Secret Key"), when=_PAIR),
    ),
    base_url=fixed("https://qianfan.baidubce.com/v2"),
    sign=chosen(
        "auth_method",
        {
            "api_key": bearer("api_key", also={"appid": "appid"}),
            "access_key": exchanged("wenxin", _TOKENS, "access_key", "secret_key"),
        },
    ),
    probe=greeting(_CHAT, "wenxin", "ernie-4.5-turbo-32k"),
    error=_REFUSALS,
    chat=_CHAT,
    embed=_Embed(encoding=None, texts=16),
    rerank=Rerank(returns=None),
    models=Models(),
    documents=lambda form: 64,  # noqa: ARG005 - the same for every form
    # The key is good, but its account may not use this one model.
    proves=refusing(errors.ModelNotFoundUpstream, status=401),
)

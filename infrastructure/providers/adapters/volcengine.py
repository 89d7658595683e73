"""VolcanoEngine Ark, home of Doubao: OpenAI's dialect. A model goes by its name or by that of an endpoint (ep-…)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain import errors
from domain.model.calls import EmbedCall
from domain.model.catalogue import ProviderKind
from domain.model.events import Embeddings
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.openai import PENALTIES, Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import chatting, refusing
from infrastructure.providers.forms import at, base, choice, secret, text
from infrastructure.providers.signing.header import bearer, chosen
from infrastructure.providers.signing.lent import lent
from infrastructure.providers.spec import Adapter, Request
from infrastructure.providers.wire.digging import dig, table

_HOME = "https://ark.cn-beijing.volces.com/api/v3"
_REFUSALS = refusals("volcengine")
_SEES = re.compile(r"doubao-embedding-vision")


class _Embed(Embed):
    """Models that see as well are asked elsewhere, for one vector of all that a request holds."""

    def batch(self, target: Target) -> int:
        return 1 if _SEES.match(target.model.name) else self.texts

    def render(self, target: Target, call: EmbedCall) -> Request:
        request = super().render(target, call)
        if not _SEES.match(target.model.name):
            return request
        parts = [{"type": "text", "text": text} for text in call.texts]
        return replace(request, path="embeddings/multimodal", json={**(request.json or {}), "input": parts})

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        alone = table(dig(body, "data"))
        return super().parse({**body, "data": [alone]} if alone else body, count)


_CHAT = Chat(
    refused=frozenset({"seed"}),
    # From Seed 1.8 on, models take no penalties.
    variants={r"doubao-seed-(1-8|[2-9]|\D)": {"refused": PENALTIES | {"seed"}}},
    refusals=_REFUSALS,
)
_SIGN = chosen(
    "auth_method",
    {
        "api_key": bearer("volc_api_key"),
        "aksk": lent(
            "volcengine",
            "https://open.volcengineapi.com/",
            "ark",
            ("volc_access_key_id", "volc_secret_access_key"),
            "volc_region",
        ),
    },
)
_KEY, _PAIR = ({"auth_method": method} for method in ("api_key", "aksk"))
_TRIED = Text("Model or endpoint to validate with", "検証に使うモデルまたはエンドポイント", "用于验证的模型或接入点")

ADAPTER = Adapter(
    id="volcengine",
    kind=ProviderKind.PROPRIETARY,
    form=(
        choice("auth_method", Text("Authentication", "認証方式", "鉴权方式"), "api_key", "aksk"),
        secret("volc_api_key", when=_KEY),
        secret("volc_access_key_id", Text("Access key", "アクセスキー", "Access Key"), when=_PAIR),
        secret("volc_secret_access_key", Text("Secret key", "シークレットキー", "Secret Key"), when=_PAIR),
        text("volc_region", Text("Region", "リージョン", "地域"), default="cn-beijing", when=_PAIR),
        base("api_endpoint_host", _HOME),
        text("endpoint_id", _TRIED, default="doubao-seed-2-0-lite-260428"),
    ),
    base_url=at("api_endpoint_host", _HOME),
    sign=_SIGN,
    probe=chatting(_CHAT, "volcengine", "endpoint_id", 5),
    error=_REFUSALS,
    chat=_CHAT,
    embed=_Embed(encoding="float", texts=256),
    # The key is good, but its account has yet to switch this one model on.
    proves=refusing(errors.ModelNotFoundUpstream, status=404, words="has not activated the model"),
)

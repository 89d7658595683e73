"""iFLYTEK Spark over HTTP: OpenAI's dialect with a number for success. Each version has a password of its own, and the
embeddings, a service apart, an application with a pair of keys.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain import errors
from domain.model.calls import ChatCall
from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.probes import chatting, refusing
from infrastructure.providers.dialects.spark_embed import SparkEmbed
from infrastructure.providers.forms import fixed, secret, text, trial_model
from infrastructure.providers.signing.header import bearer, by_host
from infrastructure.providers.signing.signed_url import signed_url
from infrastructure.providers.spec import Adapter, ErrorReply
from infrastructure.providers.wire.digging import dig

_REFUSALS = refusals("spark")
_EMBEDDINGS = "emb-cn-huabei-1.xf-yun.com"
_THINKING = "v2/chat/completions"
# The knobs that the vendor's pages do not name.
_UNNAMED = frozenset({"seed", "stop"})
_APP, _KEY, _SECRET = "spark_app_id", "spark_api_key", "spark_api_secret"


class _Chat(Chat):
    def features(self, call: ChatCall) -> Mapping[str, Any]:
        """Without the switch, calls come as one object instead of a list."""
        return {**super().features(call), **({"tool_calls_switch": True} if call.tools else {})}


def _outcome(body: Any) -> Any:
    """What tells of success: embeddings put it into an envelope's header."""
    return body if dig(body, "header", "code") is None else dig(body, "header")


def _error(provider: str, reply: ErrorReply) -> errors.UpstreamError:
    return _REFUSALS(provider, replace(reply, body=_outcome(reply.body)))


_CHAT = _Chat(
    path="v1/chat/completions",
    include_usage=False,
    refused=_UNNAMED,
    # The models that think have a path of their own, and the newest fix how they sample.
    variants={
        "spark-x2": {
            "path": _THINKING,
            "max_tokens": "max_completion_tokens",
            "refused": _UNNAMED | {"temperature", "top_p"},
        },
        "spark-x|x1": {"path": _THINKING},
    },
    mark_suffices=True,
    refusals=_REFUSALS,
)

ADAPTER = Adapter(
    id="spark",
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("api_password", Text("API password", "API パスワード", "APIPassword")),
        trial_model("lite"),
        text(_APP, Text("App ID, for embeddings", "アプリ ID（埋め込み用）", "APPID（用于嵌入）")),
        secret(_KEY, Text("API key, for embeddings", "API キー（埋め込み用）", "APIKey（用于嵌入）"), required=False),
        secret(
            _SECRET,
            Text("API secret, for embeddings", "API シークレット（埋め込み用）", "APISecret（用于嵌入）"),
            required=False,
        ),
    ),
    base_url=fixed("https://spark-api-open.xf-yun.com"),
    sign=by_host(_EMBEDDINGS, signed_url(_KEY, _SECRET), bearer("api_password")),
    probe=chatting(_CHAT, "spark", "validate_model", 5),
    error=_error,
    failed=lambda body: _REFUSALS.failed(_outcome(body)),
    chat=_CHAT,
    embed=SparkEmbed(base=f"https://{_EMBEDDINGS}", app=_APP, needs=(_KEY, _SECRET)),
    # Told only to a password that is known: it is another version's.
    proves=refusing(errors.ModelNotFoundUpstream, words="NoAuth"),
)

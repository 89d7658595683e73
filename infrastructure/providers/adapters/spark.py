"""iFLYTEK Spark over HTTP: OpenAI's dialect with a number for success. Each version has a password of its own."""

from collections.abc import Mapping
from typing import Any

from domain import errors
from domain.model.calls import ChatCall
from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.probes import chatting, refusing
from infrastructure.providers.forms import fixed, secret, trial_model
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_REFUSALS = refusals("spark")


class _Chat(Chat):
    def features(self, call: ChatCall) -> Mapping[str, Any]:
        """Without the switch, calls come as one object instead of a list."""
        return {**super().features(call), **({"tool_calls_switch": True} if call.tools else {})}


_CHAT = _Chat(
    path="v1/chat/completions",
    include_usage=False,
    refused=frozenset({"seed", "stop"}),
    # The models that think have a path of their own.
    variants={"spark-x": {"path": "v2/chat/completions"}},
    mark_suffices=True,
    refusals=_REFUSALS,
)

ADAPTER = Adapter(
    id="spark",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_password", Text("API password", "API パスワード", "APIPassword")), trial_model("lite")),
    base_url=fixed("https://spark-api-open.xf-yun.com"),
    sign=bearer("api_password"),
    probe=chatting(_CHAT, "spark", "validate_model", 5),
    error=_REFUSALS,
    failed=_REFUSALS.failed,
    chat=_CHAT,
    # Told only to a password that is known: it is another version's.
    proves=refusing(errors.ModelNotFoundUpstream, words="NoAuth"),
)

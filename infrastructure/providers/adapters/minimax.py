"""MiniMax: OpenAI's chat with its thoughts apart, and embeddings of its own. Keys belong to one of its sites."""

from collections.abc import Mapping
from typing import Any

from domain import errors
from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.catalogue import FormValues, ModelType, ProviderKind
from domain.model.events import Embeddings, Usage
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import vector
from infrastructure.providers.dialects.probes import greeting
from infrastructure.providers.dialects.refusals import Refusals, by_code
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.forms import at, base, entered, secret, text, whole
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request
from infrastructure.providers.wire.digging import count, dig, rows

_HOME = "https://api.minimaxi.com"
_REFUSALS = Refusals(
    by_code(
        (errors.CredentialRejected, 401, "1004 2049"),
        (errors.UpstreamRateLimited, 429, "1002 1039"),
        (errors.UpstreamPaymentRequired, 402, "1008 1028 1030 2056"),
        (errors.ContentRefused, 400, "1026 1027"),
        (errors.BadRequestUpstream, 400, "2013"),
        (errors.ModelNotFoundUpstream, 403, "2061"),
        (errors.UpstreamUnavailable, 500, "1000 1001 1024 1033"),
    ),
    code=("base_resp", "status_code"),
    message=("base_resp", "status_msg"),
)


class _Embed:
    """The vendor embeds what is searched and what searches it differently; an older account needs its group's id."""

    def render(self, target: Target, call: EmbedCall) -> Request:
        if call.dimensions is not None:
            raise errors.UnsupportedFeature("vectors of another length", target.model.name)
        kind = "query" if call.purpose is EmbedPurpose.QUERY else "db"
        group = entered(target.form, "minimax_group_id")
        body = {"model": target.model.name, "texts": list(call.texts), "type": kind}
        return Request("embeddings", body, query={"GroupId": group} if group else {})

    def parse(self, body: Mapping[str, Any], count_of: int) -> Embeddings:
        vectors = tuple(map(vector, rows(dig(body, "vectors"))))
        if len(vectors) != count_of:
            raise not_understood(f"{len(vectors)} vectors came for {count_of} texts")
        tokens = count(dig(body, "total_tokens"))
        return Embeddings(vectors, Usage(tokens, None if tokens is None else 0))

    def batch(self, form: FormValues) -> int:
        return int(entered(form, "batch_size", "1"))


_CHAT = Chat(
    max_tokens="max_completion_tokens",
    # What it silently ignores.
    refused=frozenset({"seed", "presence_penalty", "frequency_penalty"}),
    extras={"reasoning_split": True},
    chooses=False,
    refusals=_REFUSALS,
)

ADAPTER = Adapter(
    id="minimax",
    label=Text("MiniMax"),
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("minimax_api_key"),
        text("minimax_group_id", Text("Group ID", "グループ ID", "Group ID")),
        base("endpoint_url", _HOME),
        whole("batch_size", Text("Texts per request", "一回のテキスト数", "每次请求文本数"), 1),
    ),
    base_url=at("endpoint_url", _HOME, end="/v1"),
    sign=bearer("minimax_api_key"),
    probe=greeting(_CHAT, "minimax", "MiniMax-M2.5"),
    error=_REFUSALS,
    failed=_REFUSALS.failed,
    key_page="https://platform.minimaxi.com/user-center/basic-information/interface-key",
    chat=_CHAT,
    embed=_Embed(),
    models=Models(type=ModelType.LLM),
)

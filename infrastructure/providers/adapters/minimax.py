"""MiniMax: OpenAI's chat with its thoughts apart; embeddings and speech of its own. Keys belong to one of its sites."""

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.bare_embed import BareEmbed
from infrastructure.providers.dialects.hex_speech import HexSpeak
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import PENALTIES, Chat
from infrastructure.providers.dialects.probes import greeting
from infrastructure.providers.forms import at, base, secret, text, texts_per_request
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_HOME = "https://api.minimaxi.com"
_REFUSALS = refusals("minimax")
_GROUP = {"GroupId": "minimax_group_id"}

_CHAT = Chat(
    max_tokens="max_completion_tokens",
    # What it silently ignores, and what its specification does not name.
    refused=PENALTIES | {"seed", "stop"},
    extras={"reasoning_split": True},
    chooses=False,
    refusals=_REFUSALS,
)

ADAPTER = Adapter(
    id="minimax",
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("minimax_api_key"),
        text("minimax_group_id", Text("Group ID", "グループ ID", "Group ID")),
        base("endpoint_url", _HOME),
        texts_per_request("batch_size", 1),
    ),
    base_url=at("endpoint_url", _HOME, end="/v1"),
    sign=bearer("minimax_api_key"),
    probe=greeting(_CHAT, "minimax", "MiniMax-M2.5"),
    error=_REFUSALS,
    failed=_REFUSALS.failed,
    chat=_CHAT,
    embed=BareEmbed(query=_GROUP, batch_field="batch_size"),
    speak=HexSpeak(voice="male-qn-qingse", query=_GROUP, refusals=_REFUSALS),
    models=Models(type=ModelType.LLM),
)

"""Tongyi, Alibaba Cloud's Model Studio (DashScope): OpenAI's dialect for Qwen and its guests, its own
for speech, reranking and models that embed pictures as well.
"""

import re
from dataclasses import replace

from domain.errors import UnsupportedFeature
from domain.model.calls import ChatCall
from domain.model.catalogue import FormValues, ProviderKind
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.dashscope_embed import DashScopeEmbed
from infrastructure.providers.dialects.dashscope_recognition import DashScopeTranscribe
from infrastructure.providers.dialects.dashscope_rerank import DashScopeRerank
from infrastructure.providers.dialects.dashscope_speech import DashScopeSpeak
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.forms import at, base, either, international, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request

_COMPATIBLE = "compatible-mode/v1"
_MODELS = f"{_COMPATIBLE}/models"
_STREAMS_ONLY = re.compile(r"qwq|qvq|qwen.*(thinking|omni)")
_HYBRID = re.compile(r"qwen3-[\d.]+b(-a\d+b)?")
_SEES = r"multimodal-embedding|qwen.*-vl-embedding|tongyi-embedding-vision"
# By how their names begin; the voices of version 3.5 are all a tenant's own.
_SYNTHESIZERS = {
    "cosyvoice-v2": "longxiaochun_v2",
    "cosyvoice-v3-": "longanyang",
    "cosyvoice": "",
    "qwen-audio": "longanhuan_v3.6",
}
# How many a request carries, by the first pattern that fits; some models that see take one, or make one vector of all.
_TEXTS = {
    r"text-embedding-v[12]$": 25,
    r"multimodal-embedding|tongyi-embedding|qwen2\.5-vl": 1,
    r"qwen": 20,
}
_REFUSALS = refusals("tongyi")


class _Chat(Chat):
    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        """Some models only stream, and the open ones that may think do it only in a stream."""
        name = target.model.name
        if not stream and _STREAMS_ONLY.match(name):
            raise UnsupportedFeature("an answer that is not streamed", name)
        silent = {"enable_thinking": False} if not stream and _HYBRID.fullmatch(name) else {}
        return replace(self, extras=silent).written(name, call, stream=stream)


def _base_url(form: FormValues) -> str:
    """The workspace's own address, or that of the region which the key is bound to."""
    home = either("https://dashscope.aliyuncs.com", "https://dashscope-intl.aliyuncs.com")(form)
    return at("base_url", home, drop=(f"/{_COMPATIBLE}", "/api/v1"))(form)


ADAPTER = Adapter(
    id="tongyi",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("dashscope_api_key"), international(), base("base_url", "")),
    base_url=_base_url,
    sign=bearer("dashscope_api_key"),
    probe=listing(_MODELS),
    error=_REFUSALS,
    # A call of a tool cannot be required.
    chat=_Chat(
        path=f"{_COMPATIBLE}/chat/completions",
        chooses=False,
        refused=frozenset({"frequency_penalty"}),
        refusals=_REFUSALS,
    ),
    embed=DashScopeEmbed(path=f"{_COMPATIBLE}/embeddings", encoding="float", texts=10, sees=_SEES, most=_TEXTS),
    rerank=DashScopeRerank(),
    transcribe=DashScopeTranscribe(),
    speak=DashScopeSpeak(synthesizers=_SYNTHESIZERS, refusals=_REFUSALS),
    models=Models(_MODELS),
)

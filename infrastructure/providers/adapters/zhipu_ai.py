"""Zhipu AI, maker of GLM: OpenAI's dialect. Keys of its site abroad (api.z.ai) need that address."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from domain.model.calls import ChatCall, Message
from domain.model.catalogue import ProviderKind
from domain.model.events import ChatAnswer, ChatEvent, TextDelta
from domain.model.speech import SpeechFormat
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.openai import PENALTIES, Chat
from infrastructure.providers.dialects.openai_audio import Speak, Transcribe
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.openai_stream import ChunkDecoder
from infrastructure.providers.dialects.probes import chatting
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.forms import at, base, secret, trial_model
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Frame

_HOME = "https://open.bigmodel.cn/api/paas/v4"
_UNNAMED = PENALTIES | {"seed"}
_REFUSALS = refusals("zhipu_ai")


class _Decoder(ChunkDecoder):
    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        for event in super().feed(frame):
            yield TextDelta(_unboxed(event.text)) if isinstance(event, TextDelta) else event


class _Chat(Chat):
    def turn(self, message: Message, model: str) -> dict[str, Any]:
        turn = super().turn(message, model)
        return turn | {"content": list(map(_part, turn["content"]))} if isinstance(turn["content"], list) else turn

    def knobs(self, call: ChatCall) -> Mapping[str, Any]:
        """A temperature of zero is out of its range and has a switch instead."""
        greedy = {"temperature": 0.01, "do_sample": False} if call.knobs.temperature == 0 else {}
        return {**super().knobs(call), **greedy}

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        answer = super().parse(body)
        return replace(answer, text=_unboxed(answer.text))


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """An inline image is base64 alone."""
    url = part.get("image_url", {}).get("url", "")
    return {**part, "image_url": {"url": url.partition(",")[2]}} if url.startswith("data:") else part


def _unboxed(said: str) -> str:
    """Less the marks around the answers of GLM-4.5V, each of which is one token."""
    return said.replace("<|begin_of_box|>", "").replace("<|end_of_box|>", "")


_CHAT = _Chat(
    include_usage=False,
    chooses=False,
    refused=_UNNAMED,
    # GLM-4V breaks off when it is told where to stop.
    variants={"glm-4v": {"refused": _UNNAMED | {"stop"}}},
    refusals=_REFUSALS,
    decodes=_Decoder,
)

ADAPTER = Adapter(
    id="zhipu_ai",
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("api_key"),
        base("base_url", _HOME),
        # This one costs nothing.
        trial_model("glm-4.7-flash"),
    ),
    base_url=at("base_url", _HOME),
    sign=bearer("api_key"),
    probe=chatting(_CHAT, "zhipu_ai", "validate_model", 5),
    error=_REFUSALS,
    chat=_CHAT,
    embed=Embed(encoding=None, texts=64),
    rerank=Rerank(),
    documents=lambda _: 128,
    # A form of the file, the model and what came before.
    transcribe=Transcribe(response_format=None, refused=frozenset({"language"})),
    speak=Speak(voice="tongtong", formats=frozenset({SpeechFormat.WAV, SpeechFormat.PCM})),
)

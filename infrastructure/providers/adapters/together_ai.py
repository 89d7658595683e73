"""Together AI: OpenAI's dialect for models of any maker. Of its modes, only chat is spoken."""

from dataclasses import dataclass
from typing import Any

from domain.model.calls import Message
from domain.model.catalogue import Feature, ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import calling
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import choice, fixed, secret, switch, whole
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_LLM = ModelType.LLM
_TOOLS = Text("Function calls", "関数呼び出し", "函数调用")
_SCHEMA = Text("Structured output", "構造化出力", "结构化输出")


@dataclass(frozen=True)
class TogetherChat(Chat):
    def turn(self, message: Message, model: str) -> dict[str, Any]:
        """The specification wants tool calls numbered."""
        turn = super().turn(message, model)
        for index, call in enumerate(turn.get("tool_calls", ())):
            call["index"] = index
        return turn


_CHAT, _EMBED = TogetherChat(include_usage=False), Embed(encoding=None)

ADAPTER = Adapter(
    id="together_ai",
    label=Text("together.ai"),
    kind=ProviderKind.HOSTED,
    form=(
        secret("api_key"),
        choice("mode", Text("Mode", "モード", "模式"), "chat", only=_LLM),
        whole("context_size", Text("Context size", "コンテキスト長", "上下文长度"), 4096, sets="context"),
        whole(
            "max_tokens_to_sample", Text("Max tokens", "最大トークン数", "最大令牌数"), 4096, _LLM, sets="max_output"
        ),
        switch("function_calling_type", _TOOLS, Feature.TOOLS, "no_call", "tool_call"),
        switch("vision_support", Text("Vision", "画像入力", "图像输入"), Feature.VISION, "no_support", "support"),
        switch("structured_output_support", _SCHEMA, Feature.STRUCTURED_OUTPUT, "not_supported", "supported"),
    ),
    base_url=fixed("https://api.together.ai/v1"),
    sign=bearer("api_key"),
    probe=calling(_CHAT, _EMBED),
    error=USUAL,
    key_page="https://api.together.ai/settings/api-keys",
    chat=_CHAT,
    embed=_EMBED,
    models=Models(),
)

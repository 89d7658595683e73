"""Ollama, on a tenant's own machine or at ollama.com, by its native API, and OpenAI's where it hears. Of its modes,
only chat is spoken.
"""

from domain.model.catalogue import Feature, ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.ollama import Chat, Embed
from infrastructure.providers.dialects.openai_audio import Transcribe
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import address, at, choice, context, max_output, secret, switch
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_LLM = ModelType.LLM

ADAPTER = Adapter(
    id="ollama",
    kind=ProviderKind.HOSTED,
    form=(
        address("base_url", Text("Base URL", "ベース URL", "基础 URL")),
        secret("api_key", required=False),
        # Every model can be held to a schema in this mode; what else it can do, the tenant has to say.
        choice("mode", Text("Mode", "モード", "模式"), "chat", only=_LLM, grants={"chat": Feature.STRUCTURED_OUTPUT}),
        context(4096, ()),
        max_output(4096, name="max_tokens"),
        switch("vision_support", Text("Vision", "画像入力", "图像输入"), Feature.VISION, "false", "true"),
        switch(
            "function_call_support", Text("Function calls", "関数呼び出し", "函数调用"), Feature.TOOLS, "false", "true"
        ),
    ),
    base_url=at("base_url", drop=("/v1", "/api")),
    sign=bearer("api_key"),
    **called(Chat(), Embed(), transcribe=Transcribe(path="v1/audio/transcriptions")),
    error=USUAL,
    models=Models("api/tags", models="models", name="name"),
)

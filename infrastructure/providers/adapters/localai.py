"""LocalAI, over OpenAI's paths. Of its completion types, only chat is spoken."""

from domain.model.catalogue import ModelType, ProviderKind
from infrastructure.providers.dialects import openai_hosted as hosted
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import abilities, at, completion_type, context, secret, server, voices
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

ADAPTER = Adapter(
    id="localai",
    kind=ProviderKind.HOSTED,
    form=(
        server(),
        secret("api_key", required=False),
        completion_type("chat_completion"),
        context(None, ModelType.LLM),
        *abilities(),
        voices(None),
    ),
    base_url=at("server_url", end="/v1"),
    sign=bearer("api_key"),
    # Its OpenAPI knows no switch for documents in the answer, and a model's own settings may name its voice.
    **called(
        hosted.Chat(),
        hosted.Embed(texts=32),
        hosted.Rerank(returns=None),
        hosted.Transcribe(),
        hosted.Speak(""),
    ),
    error=USUAL,
    models=Models(),
)

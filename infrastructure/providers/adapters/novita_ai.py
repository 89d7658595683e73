"""novita.ai: OpenAI's dialect for many makers' open models; speech, and the shape of refusals, are its own."""

from domain.errors import ModelNotFoundUpstream
from domain.model.catalogue import ProviderKind
from domain.model.speech import SpeechFormat
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.bare_speech import BareSpeak, BareTranscribe
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import greeting, refusing
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.forms import fixed, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_SPEECH = "https://api.novita.ai/v3"
_REFUSALS = refusals("novita_ai")
_CHAT = Chat(refusals=_REFUSALS)
_SPOKEN = frozenset({SpeechFormat.WAV, SpeechFormat.PCM})

ADAPTER = Adapter(
    id="novita_ai",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"),),
    base_url=fixed("https://api.novita.ai/openai/v1"),
    sign=bearer("api_key"),
    # Not the list of models, which is public, nor the balance, which not every role of a team may see.
    probe=greeting(_CHAT, "novita_ai", "meta-llama/llama-3.1-8b-instruct"),
    error=_REFUSALS,
    chat=_CHAT,
    embed=Embed(encoding="float", texts=32),
    rerank=Rerank(returns=None),
    transcribe=BareTranscribe(path="glm-asr", base=_SPEECH),
    speak=BareSpeak("tongtong", _SPOKEN, path="glm-tts", base=_SPEECH),
    models=Models(),
    # A good key that may not use the model of the probe.
    proves=refusing(ModelNotFoundUpstream, status=403),
)

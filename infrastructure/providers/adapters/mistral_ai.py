"""Mistral AI: OpenAI's dialect with a few names of its own, reasoning as parts of the content, and speech as events."""

import re

from domain.model.catalogue import ProviderKind
from domain.model.speech import SpeechFormat
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_audio import Transcribe
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.speech_events import EventSpeak
from infrastructure.providers.forms import fixed, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_CALL_IDS = re.compile(r"[a-zA-Z0-9]{9}")
_REFUSALS = refusals("mistral_ai")
# Its bare samples are 32-bit floats, which are no PCM to us.
_SPOKEN = frozenset({SpeechFormat.MP3, SpeechFormat.WAV, SpeechFormat.OPUS, SpeechFormat.FLAC})

ADAPTER = Adapter(
    id="mistral_ai",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"),),
    base_url=fixed("https://api.mistral.ai/v1"),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=_REFUSALS,
    chat=Chat(seed="random_seed", include_usage=False, refusals=_REFUSALS, call_ids=_CALL_IDS),
    # One request holds about 16,000 tokens.
    embed=Embed(encoding=None, dimensions="output_dimension", texts=16),
    transcribe=Transcribe(response_format=None, refused=frozenset({"prompt"})),
    # The preset voice that every model has: the vendor gives none to a request without one.
    speak=EventSpeak("en_paul_neutral", _SPOKEN, refused=frozenset({"speed"}), refusals=_REFUSALS),
    models=Models(),
)

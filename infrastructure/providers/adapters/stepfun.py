"""StepFun: OpenAI's dialect, which counts tokens in every piece of a stream, at a Chinese and an international site."""

from domain.model.catalogue import ProviderKind
from domain.model.speech import SpeechFormat
from infrastructure.providers.dialects.event_recognition import EventRecognition
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_audio import Speak, Transcribe
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import either, international, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

ADAPTER = Adapter(
    id="stepfun",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"), international()),
    base_url=either("https://api.stepfun.com/v1", "https://api.stepfun.ai/v1"),
    sign=bearer("api_key"),
    # The balance, which costs nothing and only the owner of a key may see.
    probe=listing("accounts"),
    error=USUAL,
    # What its reference does not name.
    chat=Chat(include_usage=False, refused=frozenset({"seed", "presence_penalty"})),
    transcribe=EventRecognition(others={"step-asr": Transcribe(refused=frozenset({"language", "prompt"}))}),
    speak=Speak(voice="cixingnansheng", formats=frozenset(SpeechFormat) - {SpeechFormat.AAC}),
    models=Models(),
)

"""Speech through the gateway, from a server that stands in a vendor's place."""

from dataclasses import replace

from domain.model.catalogue import ModelType
from domain.model.speech import SpeakCall
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS
from tests.gateways import gateway
from tests.stubs.misbehaviour import Failure
from tests.stubs.serve import serving


async def listened(provider: str, answer: Failure, call: SpeakCall, into: list[bytes]) -> str:
    """The media type of what was heard, which is put `into` a list as it comes."""
    goal = rec.target(provider, "m", FORMS[provider], ModelType.TEXT_TO_SPEECH)
    async with serving(answer) as url:
        adapters = {provider: replace(ADAPTERS[provider], base_url=lambda _: url)}
        async with gateway(adapters=adapters) as subject, subject.speak(goal, call) as speech:
            async for audio in speech.pieces:
                into.append(audio)
    return speech.media_type

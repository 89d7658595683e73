"""Speech to text, and text to speech, whole and streamed."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Self

import strawberry

from api.graphql.context import Context, Info
from api.graphql.fields import Input, mutation, subscription
from api.graphql.inference import Receipt, Usage, receipt_fields
from api.graphql.model_names import ModelInput
from api.graphql.problems import Unanswered, ending_in_problem
from api.graphql.scalars import Base64
from api.graphql.texts import CONTENT
from api.graphql.uploads import Upload, recording
from domain.model.access import Scope
from domain.model.catalogue import ModelType
from domain.model.speech import SpeakCall, SpeechFormat, SpokenAudio, TranscribeCall, Transcript
from domain.usecases.inference import Answered, SpeechBegun


@strawberry.input(description="An audio file to write down.")
class TranscribeInput:
    file: Upload = strawberry.field(
        description="The file, within the model's own limits on size and format. Its name's ending tells the format."
    )
    model: ModelInput | None = strawberry.field(
        default=None, description="The model; left out, the default speech-to-text model."
    )
    language: str | None = strawberry.field(default=None, description="What is spoken, as an ISO 639 code such as en.")
    prompt: str | None = strawberry.field(
        metadata=CONTENT,
        default=None,
        description="What came before, or how names are spelt, where the model reads that.",
    )

    async def call(self) -> TranscribeCall:
        model = self.model.ref(ModelType.SPEECH_TO_TEXT) if self.model else None
        return TranscribeCall(await recording(self.file), model, self.language, self.prompt)


@strawberry.type(description="What was said.")
class TranscribePayload(Receipt):
    text: str = strawberry.field(description="The words.")
    language: str | None = strawberry.field(description="What was spoken, where the vendor tells it.")
    seconds: float | None = strawberry.field(description="How long the audio is, where the vendor tells it.")
    usage: Usage = strawberry.field(description="What it used, where the vendor counts tokens.")
    warnings: list[str] = strawberry.field(description="What was asked for and left out because the vendor lacks it.")

    @classmethod
    def of(cls, answered: Answered[Transcript]) -> Self:
        answer = answered.answer
        return cls(
            **receipt_fields(answered.receipt),
            text=answer.text,
            language=answer.language,
            seconds=answer.seconds,
            usage=Usage.of(answer.usage),
            warnings=list(answer.warnings),
        )


@strawberry.input(description="A text to say.")
class SpeakInput:
    text: str = strawberry.field(metadata=CONTENT, description="The text, within the model's own limit.")
    model: ModelInput | None = strawberry.field(
        default=None, description="The model; left out, the default text-to-speech model."
    )
    voice: str | None = strawberry.field(
        default=None,
        description="One of the model's voices, or your own at a vendor that lets you make some; left out, its first.",
    )
    format: SpeechFormat | None = strawberry.field(
        default=None, description="The form of the audio; left out, MP3, or WAV where not every model writes MP3."
    )
    speed: float | None = strawberry.field(default=None, description="From 0.25 to 4; 1 is the voice's own.")

    def call(self) -> SpeakCall:
        model = self.model.ref(ModelType.TEXT_TO_SPEECH) if self.model else None
        return SpeakCall(self.text, model, self.voice, self.format, self.speed)


@strawberry.type(description="The text, said.")
class SpeakPayload(Receipt):
    media_type: str = strawberry.field(description="The audio's media type.")
    audio: Base64 = strawberry.field(description="The audio, a whole file.")
    characters: int = strawberry.field(description="How many characters were said.")
    warnings: list[str] = strawberry.field(description="What was asked for and left out because the vendor lacks it.")

    @classmethod
    def of(cls, answered: Answered[SpokenAudio]) -> Self:
        answer = answered.answer
        return cls(
            **receipt_fields(answered.receipt),
            media_type=answer.media_type,
            audio=Base64(answer.data),
            characters=answer.usage.characters or 0,
            warnings=list(answer.warnings),
        )


@strawberry.type(description="The call was admitted; its audio follows.")
class SpeechStarted(Receipt):
    media_type: str = strawberry.field(description="The audio's media type.")
    warnings: list[str] = strawberry.field(description="What was asked for and left out because the vendor lacks it.")


@strawberry.type(description="A piece of the audio.")
class AudioDelta:
    audio: Base64 = strawberry.field(description="To append.")


@strawberry.type(description="All is said. A stream without it was cut.")
class SpeechFinished:
    bytes: int = strawberry.field(description="The size of the audio.")


TranscribeResult = Annotated[
    TranscribePayload | Unanswered,
    strawberry.union("TranscribeResult", description="The words, or why there are none."),
]
SpeakResult = Annotated[
    SpeakPayload | Unanswered,
    strawberry.union("SpeakResult", description="The audio, or why there is none."),
]
SpeakStreamItem = Annotated[
    SpeechStarted | AudioDelta | SpeechFinished | Unanswered,
    strawberry.union(
        "SpeakStreamItem", description="A piece of the audio. A problem, if there is one, is the last item."
    ),
]


@strawberry.type
class SpeechMutations:
    @mutation("Write down what is said in an audio file.", needs=Scope.MODELS_INVOKE)
    async def transcribe(self, info: Info, given: Input[TranscribeInput]) -> TranscribeResult:
        call = await given.call()
        return TranscribePayload.of(await info.context.usecases.inference.transcribe(info.context.actor, call))

    @mutation("Say a text and wait for the whole audio.", needs=Scope.MODELS_INVOKE)
    async def speak(self, info: Info, given: Input[SpeakInput]) -> SpeakResult:
        return SpeakPayload.of(await info.context.usecases.inference.speak(info.context.actor, given.call()))


@strawberry.type
class SpeechSubscriptions:
    @subscription("Say a text and get the audio as it is spoken.", needs=Scope.MODELS_INVOKE)
    async def speak_stream(self, info: Info, given: Input[SpeakInput]) -> AsyncIterator[SpeakStreamItem]:
        async for item in ending_in_problem(_items(info.context, given)):
            yield item


async def _items(context: Context, said: SpeakInput) -> AsyncIterator[Any]:
    size = 0
    async with context.usecases.inference.speak_stream(context.actor, said.call()) as stream:
        async for event in stream:
            if isinstance(event, SpeechBegun):
                receipt = receipt_fields(event.receipt)
                yield SpeechStarted(**receipt, media_type=event.media_type, warnings=list(event.warnings))
            else:
                size += len(event)
                yield AudioDelta(audio=Base64(event))
    yield SpeechFinished(bytes=size)

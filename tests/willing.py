"""A gateway that has an answer for every call, so that whatever reaches a vendor succeeds."""

from domain.errors import DomainError
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import ModelType
from domain.model.events import Embeddings, Finish, Finished, FinishReason, TextDelta, Usage
from domain.model.rerank import Ranked, RerankCall, Reranking
from domain.model.speech import SpeakCall, TranscribeCall, Transcript
from domain.ports import ListedModel, Target
from tests.fakes import Asked, FakeGateway, FakeList, FakeSpeech, Reply

LISTED = (ListedModel("from-the-list", ModelType.LLM), ListedModel("of-no-type"))
"""What every vendor lists."""


class WillingGateway(FakeGateway):
    """Answers kindly once its script, which can only refuse, is over."""

    def __init__(self, *refusals: DomainError) -> None:
        super().__init__(*refusals)

    def _answer(self, target: Target, call: Asked) -> Reply:
        if self.script:
            return super()._answer(target, call)
        self.targets.append(target)
        self.asked.append(call)
        return kind_answer(call)

    def _next(self) -> Reply:
        return super()._next() if self.script else FakeList(LISTED)


def kind_answer(call: Asked) -> Reply:
    match call:
        case ChatCall():
            return (TextDelta("Hello."), Finished(FinishReason(Finish.STOP, "stop"), Usage(input=3, output=2)))
        case EmbedCall():
            return Embeddings(((0.5, 0.25, 1.0),) * len(call.texts), Usage(input=3))
        case RerankCall():
            return Reranking(tuple(Ranked(at, 0.5) for at in range(len(call.documents))), Usage(input=3))
        case TranscribeCall():
            return Transcript("Hello.", Usage(input=3))
        case SpeakCall():
            return FakeSpeech((b"RI", b"FF"))

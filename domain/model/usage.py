"""The one row that every call leaves, and what it cost."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from domain.model.catalogue import Model, ModelRef, ModelType, Price
from domain.model.events import Usage
from domain.model.ids import CallId, ClientId, CredentialId, TenantId
from domain.model.quota import Outcome

NANOS = 10**9


class Job(StrEnum):
    """What a call was for."""

    CHAT = "chat"
    NAMING = "naming"
    SUGGESTION = "suggestion"
    EMBEDDING = "embedding"
    RERANK = "rerank"
    TRANSCRIPTION = "transcription"
    SPEECH = "speech"


@dataclass(frozen=True, slots=True)
class Cost:
    """Money in thousand-millionths of `currency` (ISO 4217), so that sums are exact."""

    nanos: int
    currency: str


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What a call used. `credential_id` None means the platform's key. Latency is from hold to last byte.

    `cost` is None where the model has no price or the vendor did not count.
    """

    tenant_id: TenantId
    id: CallId
    at: datetime
    client_id: ClientId
    credential_id: CredentialId | None
    model: ModelRef
    outcome: Outcome
    input_tokens: int | None
    output_tokens: int | None
    latency_ms: int
    job: Job = Job.CHAT
    audio_ms: int | None = None
    characters: int | None = None
    cost: Cost | None = None


def cost(row: Model | None, usage: Usage) -> Cost | None:
    """What the usage costs at the row's list price; None when a price or a count that it needs is unknown.

    Tokens are priced for chats, embeddings and reranking, seconds for speech to text, characters for text to speech;
    where a vendor counts speech in tokens, those are.
    """
    if row is None or row.price is None:
        return None
    counted = _counted(row.ref.type, usage)
    if counted is None:
        return None
    money = _share(row.price, row.price.input, counted[0]) + _share(row.price, row.price.output, counted[1])
    return Cost(int((money * NANOS).to_integral_value(ROUND_HALF_EVEN)), row.price.currency)


def _counted(kind: ModelType, usage: Usage) -> tuple[Decimal, Decimal] | None:
    if kind is ModelType.SPEECH_TO_TEXT and usage.audio_ms is not None:
        return Decimal(usage.audio_ms) / 1_000, Decimal(0)
    if kind is ModelType.TEXT_TO_SPEECH and usage.characters is not None:
        return Decimal(usage.characters), Decimal(0)
    if usage.input is None or (usage.output is None and kind is ModelType.LLM):
        return None
    return Decimal(max(usage.input, 0)), Decimal(max(usage.output or 0, 0))


def _share(price: Price, rate: Decimal | None, units: Decimal) -> Decimal:
    return units * (rate or Decimal(0)) / price.per

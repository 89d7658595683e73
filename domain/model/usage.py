"""The one row that every call leaves, and what it cost."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.model.catalogue import Model, ModelRef, ModelType, Price, PriceUnit
from domain.model.events import Usage
from domain.model.ids import CallId, ClientId, CredentialId, TenantId
from domain.model.quota import Outcome
from domain.model.selection import KeySource

NANOS = 10**9
MOST_NANOS = 2**63 - 1
"""The dearest call that can be written down: some nine thousand million of any currency."""
_READ_ONLY = frozenset({ModelType.EMBEDDING, ModelType.RERANK})


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

    @property
    def amount(self) -> Decimal:
        """In whole units of the currency."""
        return Decimal(self.nanos) / NANOS


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

    @property
    def place(self) -> tuple[datetime, CallId]:
        """Where it stands among its tenant's records, which are read newest first."""
        return self.at, self.id

    @property
    def paid_by(self) -> KeySource:
        return KeySource.PLATFORM if self.credential_id is None else KeySource.OWN


def cost(row: Model | None, usage: Usage) -> Cost | None:
    """What the usage costs at the row's list price, exact and then rounded half to even.

    Chats cost what they read and what they write, embeddings and reranking what they read, in tokens. Speech costs
    seconds heard or characters spoken, reranking searches at some vendors. None when a rate or a count that it takes is
    unknown, and for a count below zero or beyond belief.
    """
    if row is None or row.price is None:
        return None
    shares = [_share(row.price, rate, units) for rate, units in _priced(row, row.price, usage)]
    known = [share for share in shares if share is not None]
    nanos = round(sum(known) * NANOS)
    return Cost(nanos, row.price.currency) if len(known) == len(shares) and nanos <= MOST_NANOS else None


def _priced(row: Model, price: Price, usage: Usage) -> list[tuple[Decimal | None, Fraction | int | None]]:
    """The rates that a call of this model is priced at, each with how many units it used."""
    match row.priced_by:
        case PriceUnit.SEARCHES:
            return [(price.input, usage.searches)]
        case PriceUnit.SECONDS:
            return [(price.input, None if usage.audio_ms is None else Fraction(usage.audio_ms, 1_000))]
        case PriceUnit.CHARACTERS:
            return [(price.input, usage.characters)]
    read = (price.input, usage.input)
    return [read] if row.ref.type in _READ_ONLY else [read, (price.output, usage.output)]


def _share(price: Price, rate: Decimal | None, units: Fraction | int | None) -> Fraction | None:
    if rate is None or units is None or rate < 0 or units < 0 or price.per < 1:
        return None
    return Fraction(rate) * units / price.per

"""What a call would do: which model, which keys in turn, what each would hold of which pots. Nothing is spent here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.errors import (
    CredentialRejected,
    DomainError,
    InvalidRange,
    ModelNotFoundUpstream,
    NotFound,
    QuotaExhausted,
    UnsupportedFeature,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from domain.model.cap import CapSubject
from domain.model.catalogue import Feature, Model, ModelRef, ModelType
from domain.model.defaults import resolved
from domain.model.ids import ClientId
from domain.model.parameters import check_parameters
from domain.model.quota import Line, Outcome, Pot, Unit, bound
from domain.model.selection import OwnKey, Platform, PlatformKey, Source, Standing, model_of, sources


def _anything(_: Model | None) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Demand:
    """What a call asks for: a model or the default of a type, features, parameters, and how large it can get.

    `parameters` go by their names in the model's rules; those of `extra` must have one where the catalogue has the
    model. `fits` raises what else the model's row rules out.
    """

    model: ModelRef | None
    type: ModelType
    features: frozenset[Feature] = frozenset()
    prompt_characters: int = 0
    max_output: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    extra: frozenset[str] = frozenset()
    fits: Callable[[Model | None], None] = _anything


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key that may serve the call, and what is to be held for it: the pot that pays, if any, and each cap."""

    source: Source
    pots: tuple[Pot, ...]
    lines: tuple[Line, ...]
    max_output: int | None

    @property
    def windows(self) -> tuple[Pot, ...]:
        """Those of the pots that are windows of caps."""
        return tuple(pot for pot in self.pots if pot.cap_id is not None)


@dataclass(frozen=True, slots=True)
class Plan:
    """The model to call, and the keys to try, first choice first; there is at least one."""

    model: ModelRef
    row: Model | None
    candidates: tuple[Candidate, ...]

    def behind(self, candidate: Candidate) -> tuple[Candidate, ...]:
        """The tenant's own keys that could take over from a candidate whose key fails; the platform's never does."""
        later = self.candidates[self.candidates.index(candidate) + 1 :]
        return tuple(c for c in later if isinstance(c.source, OwnKey))

    def after(self, failed: Candidate, failure: DomainError) -> "Plan | None":
        """What is left to try; None when another key would not help, or the vendor may have run the call."""
        left = self.behind(failed) if _another_may_serve(failure) else ()
        return replace(self, candidates=left) if left else None


def plan(
    demand: Demand, client_id: ClientId, standing: Standing, platform: Platform, *, now: datetime, spin: float
) -> Plan:
    """Every rule that can refuse a call, but for balances; `spin` as in `sources`.

    NoDefaultModel, NotFound("model"), ModelDisabled, UnsupportedFeature, InvalidForm for parameters, InvalidRange,
    CredentialRemoved, NotPermitted, NoCredential.
    """
    ref = resolved(demand.model, demand.type, standing, platform)
    row = model_of(ref, standing, platform.catalogue)
    found = sources(ref, standing, platform, now=now, spin=spin)
    _check(demand, ref, row)
    candidates, refusals = [], []
    for source in found:
        try:
            candidates.append(_candidate(source, demand, ref, row, client_id, standing, platform, now))
        except InvalidRange as refusal:
            refusals.append(refusal)
    if not candidates:
        raise refusals[0]
    return Plan(ref, row, tuple(candidates))


def affordable(planned: Plan) -> Candidate:
    """The first candidate whose pots have room by their balances in the plan; QuotaExhausted of the first one if none.

    The ledger decides the same, one candidate after the other, when the call is made.
    """
    refusals = [shortage(candidate) for candidate in planned.candidates]
    for candidate, refusal in zip(planned.candidates, refusals, strict=True):
        if refusal is None:
            return candidate
    raise next(refusal for refusal in refusals if refusal)


def shortage(candidate: Candidate) -> QuotaExhausted | None:
    """Of its pots the first, by id as the ledger goes, whose balance in the plan has no room; None if all have it."""
    for line, pot in sorted(zip(candidate.lines, candidate.pots, strict=True), key=lambda pair: pair[1].id):
        if pot.free is not None and pot.free < line.amount:
            return QuotaExhausted(pot.kind, pot.unit, pot.free, line.amount, pot.closes_at)
    return None


def outcome_of(failure: DomainError) -> Outcome:
    """Refused only when the vendor itself answered with an error status: anything less certain may have run."""
    if not isinstance(failure, UpstreamError) or not failure.sent:
        return Outcome.UNSENT
    return Outcome.REFUSED if (failure.status or 0) >= 400 else Outcome.BROKEN


_KEYS_FAULT = (
    CredentialRejected,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
    UpstreamTimeout,
    ModelNotFoundUpstream,
)


def _another_may_serve(failure: DomainError) -> bool:
    return isinstance(failure, _KEYS_FAULT) and outcome_of(failure) in (Outcome.REFUSED, Outcome.UNSENT)


def _check(demand: Demand, ref: ModelRef, row: Model | None) -> None:
    if ref.type is not demand.type:
        raise NotFound("model")
    missing = demand.features - row.features if row is not None else frozenset()
    if missing:
        raise UnsupportedFeature(min(missing).value.replace("_", " "), str(ref))
    closed = () if row is None or row.custom else demand.extra  # of the tenant's own models no rules are known
    check_parameters(row.parameters if row else (), demand.parameters, closed=closed)
    demand.fits(row)


def _candidate(
    source: Source,
    demand: Demand,
    ref: ModelRef,
    row: Model | None,
    client_id: ClientId,
    standing: Standing,
    platform: Platform,
    now: datetime,
) -> Candidate:
    paying = (source.pot,) if isinstance(source, PlatformKey) else ()
    pots = paying + _windows(source, client_id, standing, now)
    weight = platform.weight(source.pot, ref) if isinstance(source, PlatformKey) else 1
    limit = demand.max_output
    if any(pot.unit is Unit.TOKENS for pot in pots):
        limit = _output_limit(demand, row)
    lines = tuple(Line(pot.id, bound(pot.unit, demand.prompt_characters, limit, weight)) for pot in pots)
    return Candidate(source, pots, lines, limit)


def _windows(source: Source, client_id: ClientId, standing: Standing, now: datetime) -> tuple[Pot, ...]:
    """The current window of every cap on the calling application, or on the key that would serve it."""
    subjects: set[tuple[CapSubject, UUID]] = {(CapSubject.APPLICATION, client_id)}
    if isinstance(source, OwnKey):
        subjects.add((CapSubject.CREDENTIAL, source.credential.id))
    opened = {pot.id: pot for pot in standing.pots}
    windows = (cap.window(now) for cap in standing.caps if (cap.subject, cap.subject_id) in subjects)
    return tuple(opened.get(window.id, window) for window in windows)


def _output_limit(demand: Demand, row: Model | None) -> int | None:
    if demand.type is not ModelType.LLM:
        return demand.max_output
    limit = demand.max_output or (row.max_output if row else None)
    if limit is None:
        raise InvalidRange("maxTokens", "must be given: this quota counts tokens and the model states no limit")
    return limit

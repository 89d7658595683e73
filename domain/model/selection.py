"""Which model answers, and on whose key: pure decisions over what a tenant has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.errors import NoCredential, NoDefaultModel, NotPermitted
from domain.model.catalogue import Catalogue, Model, ModelRef, ModelType
from domain.model.credential import Credential
from domain.model.quota import Pot, Trial


class KeySource(StrEnum):
    OWN = "own"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the decisions about one tenant's calls need, read in one go.

    Credentials are oldest first. `preferred` holds only what the tenant chose; `uses` counts its recent calls by model.
    """

    credentials: tuple[Credential, ...] = ()
    pots: tuple[Pot, ...] = ()
    preferred: Mapping[str, KeySource] = field(default_factory=dict)
    chosen: Mapping[ModelType, ModelRef] = field(default_factory=dict)
    uses: Mapping[ModelRef, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Platform:
    """What the operator offers: the catalogue, and the trials on its own keys, by provider."""

    catalogue: Catalogue
    trials: Mapping[str, Trial]


@dataclass(frozen=True, slots=True)
class OwnKey:
    credential: Credential


@dataclass(frozen=True, slots=True)
class PlatformKey:
    provider: str
    pot: Pot


Source = OwnKey | PlatformKey


class Status(StrEnum):
    ACTIVE = "active"
    NO_CREDENTIAL = "no_credential"
    NOT_PERMITTED = "not_permitted"
    QUOTA_EXHAUSTED = "quota_exhausted"


@dataclass(frozen=True, slots=True)
class DefaultModel:
    """The default of one type: `model` is None when there is none, and `reason` then says why."""

    type: ModelType
    model: ModelRef | None
    automatic: bool
    reason: str | None = None


def sources(ref: ModelRef, standing: Standing, platform: Platform) -> tuple[Source, ...]:
    """The keys that may serve `ref`, first choice first.

    A tenant's own key goes first unless it prefers the platform's; the other one then takes over when that is used up.
    NotPermitted when only a trial without this model is left, NoCredential when there is nothing at all.
    """
    own: list[Source] = [OwnKey(c) for c in standing.credentials if _reaches(c, ref)]
    pots = [p for p in standing.pots if p.provider == ref.provider]
    trial = platform.trials.get(ref.provider)
    permitted = trial is not None and trial.includes(ref, platform.catalogue)
    platforms: list[Source] = [PlatformKey(ref.provider, p) for p in pots if permitted]
    if not own and not platforms:
        raise NotPermitted(str(ref)) if pots else NoCredential(ref.provider)
    platform_first = preferred(ref.provider, standing) is KeySource.PLATFORM
    return tuple(platforms + own if platform_first else own + platforms)


def preferred(provider: str, standing: Standing) -> KeySource:
    """Whose key goes first at a provider: the tenant's own as soon as it has one, unless it chose otherwise."""
    if not any(c.provider == provider for c in standing.credentials):
        return KeySource.PLATFORM
    return standing.preferred.get(provider, KeySource.OWN)


def status(ref: ModelRef, standing: Standing, platform: Platform) -> Status:
    """Whether `ref` can be called now, and if not, why not."""
    try:
        found = sources(ref, standing, platform)
    except NotPermitted:
        return Status.NOT_PERMITTED
    except NoCredential:
        return Status.NO_CREDENTIAL
    return Status.ACTIVE if any(_has_room(s) for s in found) else Status.QUOTA_EXHAUSTED


def model_of(ref: ModelRef, standing: Standing, catalogue: Catalogue) -> Model | None:
    """The row of `ref`: the catalogue's, or that of the tenant's own hosted model; None if unknown."""
    row = catalogue.model(ref)
    if row is not None:
        return row
    hosted = (c for c in standing.credentials if c.model == ref)
    return next((catalogue.provider(ref.provider).hosted(ref, c.public) for c in hosted), None)


def models(standing: Standing, catalogue: Catalogue) -> Iterator[Model]:
    """Every model a tenant can name: the catalogue's, and those of its hosted credentials, each once."""
    yield from (m for p in catalogue.providers for m in p.models)
    hosted = {c.model: c for c in reversed(standing.credentials) if c.model is not None}
    yield from (catalogue.provider(r.provider).hosted(r, hosted[r].public) for r in sorted(hosted))


def default_model(wanted: ModelType, standing: Standing, platform: Platform) -> DefaultModel:
    """The tenant's choice, else the usable model it uses most, else the best ranked; nothing is stored.

    A choice that cannot be used is kept and says why, instead of being replaced behind the tenant's back.
    """
    chosen = standing.chosen.get(wanted)
    if chosen is not None:
        state = status(chosen, standing, platform)
        reason = None if state is Status.ACTIVE else f"{chosen} is chosen but unusable: {state.value.replace('_', ' ')}"
        return DefaultModel(wanted, chosen, automatic=False, reason=reason)
    usable = [
        m
        for m in models(standing, platform.catalogue)
        if m.ref.type is wanted and status(m.ref, standing, platform) is Status.ACTIVE
    ]
    if not usable:
        return DefaultModel(wanted, None, automatic=True, reason="no model of this type is usable")
    best = min(usable, key=lambda m: (-standing.uses.get(m.ref, 0), m.retires is not None, -m.rank, m.ref))
    return DefaultModel(wanted, best.ref, automatic=True)


def resolved(asked: ModelRef | None, wanted: ModelType, standing: Standing, platform: Platform) -> ModelRef:
    """The model to call: the one asked for, else the default; NoDefaultModel says why there is none."""
    if asked is not None:
        return asked
    default = default_model(wanted, standing, platform)
    if default.model is None or default.reason:
        raise NoDefaultModel(wanted.value, default.reason or "none is chosen")
    return default.model


def _reaches(credential: Credential, ref: ModelRef) -> bool:
    return credential.provider == ref.provider and credential.model in (None, ref)


def _has_room(source: Source) -> bool:
    return isinstance(source, OwnKey) or source.pot.free is None or source.pot.free > 0

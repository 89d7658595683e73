"""What a tenant has and may use: which keys serve a model, in which order, and which model is the default of a type."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from domain.errors import CredentialRemoved, DomainError, ModelDisabled, NoCredential, NotPermitted
from domain.model.access import EVERYWHERE, Reach
from domain.model.cap import Cap
from domain.model.catalogue import Catalogue, Model, ModelRef, ModelType
from domain.model.credential import Cooling, Credential
from domain.model.custom_model import CustomModel
from domain.model.ids import CredentialId
from domain.model.quota import POOL, Pot, PotKind, Terms, Trial, Unit


class KeySource(StrEnum):
    OWN = "own"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the decisions about one tenant's calls need, read in one go.

    Credentials are oldest first, pots in spending order. `preferred` holds only what the tenant chose; `uses` counts
    its recent calls by model; `reach` is that of the application which asks.
    """

    credentials: tuple[Credential, ...] = ()
    pots: tuple[Pot, ...] = ()
    preferred: Mapping[str, KeySource] = field(default_factory=dict)
    chosen: Mapping[ModelType, ModelRef] = field(default_factory=dict)
    uses: Mapping[ModelRef, int] = field(default_factory=dict)
    custom: Mapping[ModelRef, CustomModel] = field(default_factory=dict)
    disabled: frozenset[ModelRef] = frozenset()
    caps: tuple[Cap, ...] = ()
    coolings: Mapping[CredentialId, Cooling] = field(default_factory=dict)
    reach: Reach = EVERYWHERE

    def within(self, reach: Reach) -> "Standing":
        """As it is for an application of that reach: a default that it may not use is none."""
        if reach == EVERYWHERE:
            return self
        return replace(self, reach=reach, chosen={t: m for t, m in self.chosen.items() if reach.includes(m)})


@dataclass(frozen=True, slots=True)
class Platform:
    """What the operator offers: the catalogue, trials by provider (or POOL), and where the platform has a key."""

    catalogue: Catalogue
    trials: Mapping[str, Trial]
    keys: frozenset[str] = frozenset()

    def pays(self, pot: Pot, ref: ModelRef) -> bool:
        """Whether this pot can pay for calls of that model. What only a tenant knows is never on the platform's key."""
        if pot.kind is PotKind.CAP or pot.provider not in (None, ref.provider):
            return False
        has_key = ref.provider in self.keys or ref.provider in self.trials
        terms = self.terms(pot)
        known = self.catalogue.model(ref) is not None
        return has_key and known and terms is not None and terms.includes(ref, self.catalogue)

    def terms(self, pot: Pot) -> Terms | None:
        """The pot's own, or those of its trial; None when that trial is offered no more."""
        if pot.kind is not PotKind.TRIAL:
            return pot.terms
        trial = self.trials.get(pot.provider or POOL)
        return trial.terms if trial else None

    def weight(self, pot: Pot, ref: ModelRef) -> int:
        """What one call of that model costs of a pot that counts credits."""
        terms = self.terms(pot)
        return terms.weight(ref, self.catalogue) if terms else 1


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
    CREDENTIAL_REMOVED = "credential_removed"
    NOT_PERMITTED = "not_permitted"
    QUOTA_EXHAUSTED = "quota_exhausted"
    DISABLED = "disabled"


_STATUSES: Mapping[type[DomainError], Status] = {
    NoCredential: Status.NO_CREDENTIAL,
    CredentialRemoved: Status.CREDENTIAL_REMOVED,
    NotPermitted: Status.NOT_PERMITTED,
    ModelDisabled: Status.DISABLED,
}


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a model can be called now, and what to do about it if not; `reason` is for people."""

    status: Status
    reason: str | None = None


def sources(
    ref: ModelRef, standing: Standing, platform: Platform, *, now: datetime | None = None, spin: float = 0.0
) -> tuple[Source, ...]:
    """The keys that may serve `ref`, first choice first; `spin`, from 0 up to 1, decides among those that share a load.

    A tenant's own keys go first unless it prefers the platform's; the others then take over when those are used up.
    ModelDisabled, or CredentialRemoved for a model of the tenant's own that has none, or NotPermitted when only quotas
    without this model are left, or beyond the reach of who asks, or NoCredential when there is nothing at all.
    """
    if not standing.reach.includes(ref):
        raise NotPermitted(str(ref), "application")
    if ref in standing.disabled:
        raise ModelDisabled(str(ref))
    own: list[Source] = [OwnKey(c) for c in _shared(serving(ref, standing), standing.coolings, now, spin)]
    platforms: list[Source] = [PlatformKey(ref.provider, p) for p in standing.pots if platform.pays(p, ref)]
    if not own and not platforms:
        raise _unserved(ref, standing)
    platform_first = preferred(ref.provider, standing) is KeySource.PLATFORM
    return tuple(platforms + own if platform_first else own + platforms)


def serving(ref: ModelRef, standing: Standing) -> list[Credential]:
    """The tenant's active credentials that reach `ref`, oldest first."""
    return [c for c in standing.credentials if c.active and c.reaches(ref)]


def preferred(provider: str, standing: Standing) -> KeySource:
    """Whose key goes first at a provider: the tenant's own as soon as it has one, unless it chose otherwise."""
    if not any(c.provider == provider for c in standing.credentials):
        return KeySource.PLATFORM
    return standing.preferred.get(provider, KeySource.OWN)


def availability(ref: ModelRef, standing: Standing, platform: Platform) -> Availability:
    """Whether `ref` can be called now, and if not, why not."""
    try:
        found = sources(ref, standing, platform)
    except DomainError as refusal:
        return Availability(_STATUSES[type(refusal)], refusal.message)
    if any(_has_room(s, ref, platform) for s in found):
        return Availability(Status.ACTIVE)
    spent = ", ".join(sorted({s.pot.kind.value for s in found if isinstance(s, PlatformKey)}))
    return Availability(Status.QUOTA_EXHAUSTED, f"The {spent} quota is used up. Add a key of your own to go on.")


def model_of(ref: ModelRef, standing: Standing, catalogue: Catalogue) -> Model | None:
    """The row of `ref`: the catalogue's, or that of the tenant's own; None if unknown."""
    row = catalogue.model(ref)
    if row is not None:
        return row
    described = next((c for c in _by_activity(standing.credentials) if c.model == ref), None)
    if described is not None:
        return catalogue.provider(ref.provider).hosted(ref, described.public)
    own = standing.custom.get(ref)
    return own.row if own else None


def models(standing: Standing, catalogue: Catalogue) -> Iterator[Model]:
    """Every model a tenant can name: the catalogue's, and its own, each once."""
    yield from (m for p in catalogue.providers for m in p.models)
    yield from own_models(standing, catalogue)


def own_models(standing: Standing, catalogue: Catalogue) -> Iterator[Model]:
    """The models that only this tenant knows: hosted ones, added and imported ones; none of a vendor that is gone."""
    every = {c.model for c in standing.credentials if c.model is not None} | standing.custom.keys()
    own = (ref for ref in sorted(every) if catalogue.offers(ref.provider) and catalogue.model(ref) is None)
    rows = (model_of(ref, standing, catalogue) for ref in own)
    yield from (row for row in rows if row is not None)


def _unserved(ref: ModelRef, standing: Standing) -> DomainError:
    reaching = [c for c in standing.credentials if c.reaches(ref)]
    if not reaching and ref in standing.custom:
        return CredentialRemoved(str(ref))
    if any(p.provider in (None, ref.provider) for p in standing.pots if p.kind is not PotKind.CAP) and not reaching:
        return NotPermitted(str(ref))
    return NoCredential(ref.provider, inactive=len(reaching))


def _shared(
    found: Iterable[Credential], coolings: Mapping[CredentialId, Cooling], now: datetime | None, spin: float
) -> list[Credential]:
    """Rested ones before cooling ones; of the rested, the first by its share of the weights, the others behind it."""
    moment = now or datetime.max.replace(tzinfo=UTC)
    cooling = {c.credential_id: c.until for c in coolings.values() if c.until > moment}
    every = list(found)
    rested = sorted((c for c in every if c.id not in cooling), key=lambda c: -c.weight)
    resting = sorted((c for c in every if c.id in cooling), key=lambda c: cooling[c.id])
    turn = spin * sum(c.weight for c in rested)
    for at, credential in enumerate(rested):
        turn -= credential.weight
        if turn < 0:
            rested.insert(0, rested.pop(at))
            break
    return rested + resting


def _has_room(source: Source, ref: ModelRef, platform: Platform) -> bool:
    if isinstance(source, OwnKey) or source.pot.free is None:
        return True
    least = platform.weight(source.pot, ref) if source.pot.unit is Unit.CREDITS else 1
    return source.pot.free >= least


def _by_activity(credentials: Iterable[Credential]) -> list[Credential]:
    return sorted(credentials, key=lambda c: not c.active)

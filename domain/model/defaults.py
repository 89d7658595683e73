"""The default model of each type: the tenant's choice, or what its use and the models' ranks suggest."""

from dataclasses import dataclass

from domain.errors import NoDefaultModel
from domain.model.catalogue import Catalogue, Model, ModelRef, ModelType
from domain.model.quota import PotKind
from domain.model.selection import Platform, Standing, Status, availability, own_models


@dataclass(frozen=True, slots=True)
class DefaultModel:
    """The default of one type: `model` is None when there is none, and `reason` then says why."""

    type: ModelType
    model: ModelRef | None
    automatic: bool
    reason: str | None = None


def default_model(wanted: ModelType, standing: Standing, platform: Platform) -> DefaultModel:
    """The tenant's choice, else the usable model it uses most, else the best ranked; nothing is stored.

    A choice that cannot be used is kept and says why, instead of being replaced behind the tenant's back.
    """
    chosen = standing.chosen.get(wanted)
    if chosen is not None:
        found = availability(chosen, standing, platform)
        reason = None if found.status is Status.ACTIVE else f"{chosen} is chosen but unusable: {_lower(found.status)}"
        return DefaultModel(wanted, chosen, automatic=False, reason=reason)
    ranked = _best_first(wanted, standing, platform.catalogue)
    best = next((m for m in ranked if availability(m.ref, standing, platform).status is Status.ACTIVE), None)
    if best is None:
        return DefaultModel(wanted, None, automatic=True, reason="no model of this type is usable")
    return DefaultModel(wanted, best.ref, automatic=True)


def resolved(asked: ModelRef | None, wanted: ModelType, standing: Standing, platform: Platform) -> ModelRef:
    """The model to call: the one asked for, else the chosen one, usable or not, else the automatic default.

    When quotas are all that is missing, the best model that they are for: the call then says which quota is used up.
    NoDefaultModel when there is nothing to call.
    """
    chosen = asked or standing.chosen.get(wanted)
    if chosen is not None:
        return chosen
    ranked = _best_first(wanted, standing, platform.catalogue)
    for status in (Status.ACTIVE, Status.QUOTA_EXHAUSTED):
        best = next((m for m in ranked if availability(m.ref, standing, platform).status is status), None)
        if best is not None:
            return best.ref
    raise NoDefaultModel(wanted.value)


def _best_first(wanted: ModelType, standing: Standing, catalogue: Catalogue) -> list[Model]:
    """The models of that type at the providers where the tenant has anything, most used first, then by rank."""
    within = {c.provider for c in standing.credentials} | {p.provider for p in standing.pots if p.provider}
    if any(p.provider is None and p.kind is not PotKind.CAP for p in standing.pots):
        within |= {p.id for p in catalogue.providers}
    found = [row for provider in within for row in catalogue.current(provider, wanted)]
    found += [row for row in own_models(standing, catalogue) if row.ref.type is wanted]
    return sorted(found, key=lambda m: (-standing.uses.get(m.ref, 0), m.retires is not None, -m.rank, m.ref))


def _lower(status: Status) -> str:
    return status.value.replace("_", " ")

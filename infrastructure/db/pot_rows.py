"""Pots as rows: written by the ledger and when a tenant is opened, read wherever a balance is shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import CapId, PotId, TenantId
from domain.model.quota import Pot, PotKind, Terms, Unit


def columns(pot: Pot) -> dict[str, Any]:
    """The row of `pot`."""
    models = pot.terms.models
    return {
        "tenant_id": pot.tenant_id,
        "id": pot.id,
        "kind": pot.kind,
        "provider": pot.provider,
        "unit": pot.unit,
        "granted": pot.granted,
        "used": pot.used,
        "held": pot.held,
        "opened_at": pot.opened_at,
        "closes_at": pot.closes_at,
        "cap_id": pot.cap_id,
        "models": None if models is None else [_listed(model) for model in models],
        "weights": dict(pot.terms.weights),
    }


def pot_of(row: Row[Any]) -> Pot:
    return Pot(
        tenant_id=TenantId(row.tenant_id),
        id=PotId(row.id),
        kind=PotKind(row.kind),
        provider=row.provider,
        unit=Unit(row.unit),
        granted=row.granted,
        used=row.used,
        held=row.held,
        opened_at=row.opened_at,
        closes_at=row.closes_at,
        cap_id=CapId(row.cap_id) if row.cap_id else None,
        terms=Terms(_models(row.models), row.weights),
    )


def _listed(model: ModelRef) -> dict[str, str]:
    return {"provider": model.provider, "name": model.name, "type": model.type}


def _models(listed: Sequence[Mapping[str, str]] | None) -> tuple[ModelRef, ...] | None:
    if listed is None:
        return None
    return tuple(ModelRef(model["provider"], model["name"], ModelType(model["type"])) for model in listed)

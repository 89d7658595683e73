"""Models that only the tenant knows, and those that it switched off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select

from domain.errors import NotFound
from domain.model.catalogue import Feature, ModelRef, ModelType, Price
from domain.model.custom_model import CustomModel
from domain.model.ids import TenantId
from infrastructure.db.fence import Rows
from infrastructure.db.tables import custom_models, disabled_models

_KEY = ("provider", "type", "name")


@dataclass(frozen=True, slots=True)
class SqlModels:
    rows: Rows

    async def add(self, model: CustomModel) -> bool:
        return await self.rows.add_unless(custom_models, _KEY, {**_key(model.ref), **_columns(model)})

    async def remove(self, ref: ModelRef) -> None:
        if not await self.rows.remove(custom_models, **_key(ref)):
            raise NotFound("model")

    async def custom(self) -> Sequence[CustomModel]:
        query = select(custom_models).where(self.rows.mine(custom_models)).order_by(*(custom_models.c[k] for k in _KEY))
        return [_model(row) for row in await self.rows.all(query)]

    async def disable(self, ref: ModelRef, at: datetime) -> None:
        await self.rows.put(disabled_models, _key(ref), at=at)

    async def enable(self, ref: ModelRef) -> None:
        await self.rows.remove(disabled_models, **_key(ref))

    async def disabled(self) -> frozenset[ModelRef]:
        found = await self.rows.all(select(disabled_models).where(self.rows.mine(disabled_models)))
        return frozenset(_ref(row) for row in found)


def _key(ref: ModelRef) -> dict[str, Any]:
    return {"provider": ref.provider, "type": ref.type, "name": ref.name}


def _ref(row: Row[Any]) -> ModelRef:
    return ModelRef(row.provider, row.name, ModelType(row.type))


def _columns(model: CustomModel) -> dict[str, Any]:
    return {
        "label": model.label,
        "features": sorted(model.features),
        "context": model.context,
        "max_output": model.max_output,
        "dimensions": model.dimensions,
        "price": _priced(model.price) if model.price else None,
        "imported": model.imported,
        "created_at": model.created_at,
    }


def _model(row: Row[Any]) -> CustomModel:
    return CustomModel(
        TenantId(row.tenant_id),
        _ref(row),
        row.label,
        row.created_at,
        frozenset(map(Feature, row.features)),
        row.context,
        row.max_output,
        row.dimensions,
        _price(row.price) if row.price else None,
        row.imported,
    )


def _priced(price: Price) -> dict[str, Any]:
    """Amounts as text, so that they stay decimal."""
    sides = {"input": price.input, "output": price.output}
    written = {side: str(amount) for side, amount in sides.items() if amount is not None}
    return {**written, "per": price.per, "currency": price.currency}


def _price(written: Mapping[str, Any]) -> Price:
    amounts = [Decimal(written[side]) if side in written else None for side in ("input", "output")]
    return Price(amounts[0], amounts[1], written["per"], written["currency"])

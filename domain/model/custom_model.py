"""Models that only their tenant knows: added by hand, imported from a vendor's list, or hosted by the tenant."""

from dataclasses import dataclass
from datetime import datetime

from domain.model.catalogue import Feature, Model, ModelRef, Price
from domain.model.ids import TenantId
from domain.model.labels import Text


@dataclass(frozen=True, slots=True)
class CustomModel:
    """What the tenant says about it; sizes in tokens, None where unknown."""

    tenant_id: TenantId
    ref: ModelRef
    label: str
    created_at: datetime
    features: frozenset[Feature] = frozenset()
    context: int | None = None
    max_output: int | None = None
    dimensions: int | None = None
    price: Price | None = None
    imported: bool = False

    @property
    def row(self) -> Model:
        return Model(
            self.ref,
            Text(self.label),
            self.features,
            self.context,
            self.max_output,
            self.dimensions,
            self.price,
            custom=True,
        )

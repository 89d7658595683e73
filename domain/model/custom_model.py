"""Models that only their tenant knows: added by hand, imported from a vendor's list, or hosted by the tenant."""

from dataclasses import dataclass
from datetime import datetime

from domain.errors import DuplicateName, InvalidRange
from domain.model.catalogue import Catalogue, Feature, Model, ModelRef, Price
from domain.model.ids import TenantId
from domain.model.labels import Text

NAME_LIMIT = 200
_SIZE_LIMIT = 2**31 - 1


def is_name(name: str) -> bool:
    """Whether a model can be called so."""
    return bool(name.strip()) and len(name) <= NAME_LIMIT and name.isprintable()


def is_size(size: int) -> bool:
    """Whether a model can have so many tokens or dimensions."""
    return 1 <= size <= _SIZE_LIMIT


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

    def check(self, catalogue: Catalogue) -> None:
        """NotFound("provider"), InvalidRange for what cannot be meant, DuplicateName for a model of the catalogue."""
        provider = catalogue.provider(self.ref.provider)
        if self.ref.type not in provider.types:
            raise InvalidRange("type", "must be one that this provider serves")
        if not is_name(self.ref.name):
            raise InvalidRange("name", f"must have 1 to {NAME_LIMIT} characters, none of them control characters")
        if len(self.label) > NAME_LIMIT or not self.label.isprintable():
            raise InvalidRange("label", f"must have at most {NAME_LIMIT} characters, none of them control characters")
        for field, size in (("context", self.context), ("maxOutput", self.max_output), ("dimensions", self.dimensions)):
            if size is not None and not is_size(size):
                raise InvalidRange(field, f"must be from 1 to {_SIZE_LIMIT}")
        if catalogue.model(self.ref) is not None:
            raise DuplicateName(self.ref.name)

    @property
    def row(self) -> Model:
        """As a row of the catalogue; what can be tuned of it is not known."""
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

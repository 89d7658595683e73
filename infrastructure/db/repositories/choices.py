"""What a tenant chose: default models, and whose key goes first."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from domain.model.catalogue import ModelRef, ModelType
from domain.model.selection import KeySource
from infrastructure.db.fence import Rows
from infrastructure.db.tables import default_models, preferred_sources


@dataclass(frozen=True, slots=True)
class SqlChoices:
    rows: Rows

    async def put_default(self, model: ModelRef) -> None:
        await self.rows.put(default_models, {"type": model.type}, provider=model.provider, model=model.name)

    async def clear_default(self, model_type: ModelType) -> None:
        await self.rows.remove(default_models, type=model_type)

    async def defaults(self) -> Mapping[ModelType, ModelRef]:
        found = await self.rows.all(select(default_models).where(self.rows.mine(default_models)))
        refs = (ModelRef(row.provider, row.model, ModelType(row.type)) for row in found)
        return {ref.type: ref for ref in refs}

    async def put_preferred(self, provider: str, source: KeySource) -> None:
        await self.rows.put(preferred_sources, {"provider": provider}, source=source)

    async def preferred(self) -> Mapping[str, KeySource]:
        found = await self.rows.all(select(preferred_sources).where(self.rows.mine(preferred_sources)))
        return {row.provider: KeySource(row.source) for row in found}

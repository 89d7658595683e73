"""Signing that anyone can read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain.ports import Sign


@dataclass(slots=True)
class FakeSigner:
    """Signs by writing down the claims and the kind of what is signed.

    `wrapped` of its keys are still to be wrapped anew; `lost` are those that cannot be, by their master keys.
    """

    wrapped: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)

    async def ready(self) -> Sign:
        return self._sign

    async def public_keys(self) -> Sequence[Mapping[str, Any]]:
        return [{"kid": "fake"}]

    async def rotate(self) -> UUID:
        return UUID(int=1)

    async def rewrap(self) -> tuple[int, Mapping[str, int]]:
        done, self.wrapped = self.wrapped, 0
        return done, self.lost

    async def _sign(self, claims: Mapping[str, Any], kind: str) -> str:
        return json.dumps([kind, claims])

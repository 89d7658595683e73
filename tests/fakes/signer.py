"""Signing that anyone can read."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from domain.ports import Sign


class FakeSigner:
    """Signs by writing down the claims and the kind of what is signed."""

    async def ready(self) -> Sign:
        return self._sign

    async def public_keys(self) -> Sequence[Mapping[str, Any]]:
        return [{"kid": "fake"}]

    async def rotate(self) -> UUID:
        return UUID(int=1)

    async def rewrap(self) -> tuple[int, Mapping[str, int]]:
        return 0, {}

    async def _sign(self, claims: Mapping[str, Any], kind: str) -> str:
        return json.dumps([kind, claims])

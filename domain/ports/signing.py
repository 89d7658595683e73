"""Signing as this issuer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

Sign = Callable[[Mapping[str, Any], str], Awaitable[str]]
"""A JWT of these claims, with that `typ` in its header; it looks at no store, and works off the event loop."""


class Signer(Protocol):
    """The issuer's key pairs; everything heavy runs off the event loop."""

    async def ready(self) -> Sign:
        """With the key that signs now. The first one is made here; never call this inside a unit of work."""
        ...

    async def public_keys(self) -> Sequence[Mapping[str, Any]]:
        """JWKs: of all keys that something good was signed with, and of one that will sign. There is at least one."""
        ...

    async def rotate(self) -> UUID:
        """Make a new key, which is published at once and signs later; its id. Old ones that nothing needs go."""
        ...

    async def rewrap(self) -> tuple[int, Mapping[str, int]]:
        """Wrap all private keys under the first master key: how many changed, and how many are left under others."""
        ...

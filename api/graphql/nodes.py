"""The Node interface: what has a global id and can be fetched by it."""

from collections.abc import Awaitable
from typing import TypeVar

import strawberry

from domain.errors import NotFound

T = TypeVar("T")


@strawberry.interface(description="Something with an id that is unique in the whole schema.")
class Node:
    id: strawberry.ID = strawberry.field(description="Its global id, opaque; `node` takes it.")


async def or_none(wanted: Awaitable[T]) -> T | None:
    """What was wanted, or None when it is unknown or another tenant's: the two read alike."""
    try:
        return await wanted
    except NotFound:
        return None

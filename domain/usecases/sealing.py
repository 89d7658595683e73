"""Sealing a form under the tenant's newest key."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.model.catalogue import FormValues
from domain.model.credential import SealContext, Sealed
from domain.ports import Begin, Vault, Work

T = TypeVar("T")


async def sealed_into(
    begin: Begin,
    vault: Vault,
    context: SealContext,
    values: FormValues,
    store: Callable[[Work, Sealed], Awaitable[T]],
) -> T:
    """Seal under the tenant's newest key and let `store` keep it, in a unit of work of its own."""
    async with begin(context.tenant_id) as work:
        key = await work.keys.newest()
    sealed = await vault.seal(key, context, values)
    async with begin(context.tenant_id) as work:
        return await store(work, sealed)

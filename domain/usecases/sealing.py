"""Sealing a form under a key that may be rotated away meanwhile."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from domain.model.catalogue import FormValues
from domain.model.credential import SealContext, Sealed
from domain.model.ids import TenantId
from domain.ports import Begin, Vault, Work

T = TypeVar("T")


async def sealed_into(
    begin: Begin,
    vault: Vault,
    context: SealContext,
    values: FormValues,
    store: Callable[[Work, Sealed], Awaitable[T]],
) -> T:
    """Seal under the tenant's newest key and let `store` keep it, in a unit of work through which that key lasts.

    When the key was shredded before that unit of work began, the form is sealed again, under the key that came after.
    """
    return await all_sealed_into(
        begin, vault, context.tenant_id, [(context, values)], lambda work, sealed: store(work, *sealed)
    )


async def all_sealed_into(
    begin: Begin,
    vault: Vault,
    tenant_id: TenantId,
    forms: Sequence[tuple[SealContext, FormValues]],
    store: Callable[[Work, Sequence[Sealed]], Awaitable[T]],
) -> T:
    """The same for several forms of a tenant that are kept in one unit of work; or for none."""
    while True:
        async with begin(tenant_id) as work:
            key = await work.keys.newest()
        sealed = [await vault.seal(key, context, values) for context, values in forms]
        async with begin(tenant_id) as work:
            if await work.keys.pin(key.id):
                return await store(work, sealed)

"""Recording what an administrator wished, also where it was refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.model.audit import Deed
from domain.model.ids import TenantId
from domain.ports import Begin


async def record(begin: Begin, tenant_id: TenantId, *deeds: Deed) -> None:
    """In a unit of work of its own, where nothing else was changed."""
    async with begin(tenant_id) as work:
        await work.audit.add(*deeds)


@asynccontextmanager
async def recording_failure(begin: Begin, tenant_id: TenantId, attempt: Deed) -> AsyncIterator[None]:
    """Around what uses a secret: if it fails, or its caller leaves, that is recorded; the failure goes on."""
    try:
        yield
    except (Exception, asyncio.CancelledError) as failure:
        await record(begin, tenant_id, attempt.ended(failure))
        raise

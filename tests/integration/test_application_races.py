"""Admins who change one application at the same moment: nothing that one takes away comes back by another's change."""

import asyncio
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.model.access import TENANT_SCOPES, Actor, ClientKind, Scope
from domain.model.catalogue import Catalogue
from domain.model.ids import ClientId
from domain.model.selection import Platform
from domain.usecases.applications import ApplicationChange, Applications, NewApplication
from domain.usecases.reaching import Reaching
from infrastructure.db.work import begin
from infrastructure.standing import LeasedStanding
from tests.belongings import MASTER_KEYS, NOW, settled_in


async def test_of_changes_at_once_none_undoes_another(engine: AsyncEngine) -> None:
    work = begin(engine, master_keys=MASTER_KEYS)
    standing = LeasedStanding(work, lambda: NOW)
    reaching = Reaching(standing, Platform(Catalogue(()), {}))
    applications = Applications(work, reaching, standing, lambda: NOW, uuid7, lambda size: uuid7().bytes.rjust(size))
    tenant = await settled_in(work)
    actor = Actor(tenant.id, ClientId(uuid7()), TENANT_SCOPES, NOW)
    new = NewApplication("shop", ClientKind.SERVICE, TENANT_SCOPES)
    client_id = (await applications.register(actor, new)).client.id
    renamings = [applications.update(actor, client_id, ApplicationChange(f"name {number}")) for number in range(8)]
    await asyncio.gather(
        *renamings,
        applications.update(actor, client_id, ApplicationChange(scopes=frozenset({Scope.MODELS_INVOKE}))),
        applications.suspend(actor, client_id),
        applications.rotate_secret(actor, client_id, timedelta(hours=1)),
    )
    (after,) = (await applications.some(actor, [client_id])).values()
    assert after.scopes == {Scope.MODELS_INVOKE}
    assert after.suspended_at == NOW
    assert len(after.secrets(NOW)) == 2
    async with work(tenant.id) as reading:
        assert len(await reading.audit.page(first=100)) == 12

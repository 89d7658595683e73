"""The unit of work: one transaction, bound to one tenant from its first statement."""

from functools import cached_property
from typing import Self

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncTransaction

from domain.model.ids import TenantId
from domain.ports import Begin
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.db.fence import Fence, Rows, bind, naming
from infrastructure.db.repositories.access import SqlClients, SqlTokens
from infrastructure.db.repositories.audit import SqlAudit
from infrastructure.db.repositories.authorization import (
    SqlAssertions,
    SqlCodes,
    SqlConsents,
    SqlDevices,
    SqlRefreshTokens,
)
from infrastructure.db.repositories.caps import SqlCaps
from infrastructure.db.repositories.choices import SqlChoices
from infrastructure.db.repositories.coolings import SqlCoolings
from infrastructure.db.repositories.credentials import SqlCredentials
from infrastructure.db.repositories.envelopes import SqlEnvelopes
from infrastructure.db.repositories.leftovers import SqlLeftovers
from infrastructure.db.repositories.models import SqlModels
from infrastructure.db.repositories.people import SqlInvitations, SqlMembers
from infrastructure.db.repositories.quota import SqlGrants, SqlPots
from infrastructure.db.repositories.tenants import SqlTenantKeys, SqlTenants
from infrastructure.db.repositories.usage import SqlRecords


class SqlWork:
    """Commits on a clean exit, rolls back on an exception."""

    def __init__(
        self, engine: AsyncEngine, tenant_id: TenantId, fence: Fence = naming, master_keys: MasterKeys | None = None
    ) -> None:
        self._rows = Rows(engine.connect(), tenant_id, fence)
        self._transaction: AsyncTransaction
        self._master_keys = master_keys

    async def __aenter__(self) -> Self:
        await self._rows.connection.start()
        try:
            self._transaction = await self._rows.connection.begin()
            await bind(self._rows.connection, self._rows.tenant_id)
        except BaseException:
            await self._rows.connection.close()
            raise
        return self

    async def __aexit__(self, *failure: object) -> None:
        try:
            if failure[0] is None:
                await self._transaction.commit()
        finally:
            await self._rows.connection.close()

    @cached_property
    def tenants(self) -> SqlTenants:
        return SqlTenants(self._rows)

    @cached_property
    def keys(self) -> SqlTenantKeys:
        return SqlTenantKeys(self._rows)

    @cached_property
    def clients(self) -> SqlClients:
        return SqlClients(self._rows)

    @cached_property
    def tokens(self) -> SqlTokens:
        return SqlTokens(self._rows)

    @cached_property
    def members(self) -> SqlMembers:
        return SqlMembers(self._rows)

    @cached_property
    def invitations(self) -> SqlInvitations:
        return SqlInvitations(self._rows)

    @cached_property
    def consents(self) -> SqlConsents:
        return SqlConsents(self._rows)

    @cached_property
    def codes(self) -> SqlCodes:
        return SqlCodes(self._rows)

    @cached_property
    def refresh_tokens(self) -> SqlRefreshTokens:
        return SqlRefreshTokens(self._rows)

    @cached_property
    def devices(self) -> SqlDevices:
        return SqlDevices(self._rows)

    @cached_property
    def assertions(self) -> SqlAssertions:
        return SqlAssertions(self._rows)

    @cached_property
    def audit(self) -> SqlAudit:
        return SqlAudit(self._rows, self._master_keys)

    @cached_property
    def envelopes(self) -> SqlEnvelopes:
        return SqlEnvelopes(self._rows)

    @cached_property
    def credentials(self) -> SqlCredentials:
        return SqlCredentials(self._rows)

    @cached_property
    def coolings(self) -> SqlCoolings:
        return SqlCoolings(self._rows)

    @cached_property
    def models(self) -> SqlModels:
        return SqlModels(self._rows)

    @cached_property
    def caps(self) -> SqlCaps:
        return SqlCaps(self._rows)

    @cached_property
    def choices(self) -> SqlChoices:
        return SqlChoices(self._rows)

    @cached_property
    def pots(self) -> SqlPots:
        return SqlPots(self._rows)

    @cached_property
    def grants(self) -> SqlGrants:
        return SqlGrants(self._rows)

    @cached_property
    def records(self) -> SqlRecords:
        return SqlRecords(self._rows)

    @cached_property
    def leftovers(self) -> SqlLeftovers:
        return SqlLeftovers(self._rows)


def begin(engine: AsyncEngine, fence: Fence = naming, master_keys: MasterKeys | None = None) -> Begin:
    """Units of work on `engine`; with `master_keys`, such that can be told what was done."""
    return lambda tenant_id: SqlWork(engine, tenant_id, fence, master_keys)

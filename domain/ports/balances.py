"""Balances: their one writer, and who watches them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from domain.model.audit import Deed
from domain.model.ids import CallId, PotId, TenantId
from domain.model.quota import Grant, Hold, Pot
from domain.model.usage import CallRecord


class Ledger(Protocol):
    """The one writer of balances. Each method is one short transaction of its own, safe to repeat with the same id."""

    async def hold(self, hold: Hold) -> None:
        """Reserve every line or none, opening the windows of caps that have no row yet at what the caps allow now.

        QuotaExhausted names the first pot, by id, that has too little free, and when it refills. NotFound("quota") when
        a pot or a window's cap is gone: what the caller knows of the tenant is out of date.
        """
        ...

    async def settle(
        self, record: CallRecord, charges: Mapping[PotId, int] = MappingProxyType({}), incident: str | None = None
    ) -> None:
        """Charge each line of the call's hold what `charges` says of its pot, clamped to [0, line], or in full when it
        says nothing; give back the rest; write the record. An UNSENT call is charged nothing.

        The first settlement of a hold stands and later ones change nothing. One that comes after the hold expired
        writes the record, and the hold stays charged in full. A call without a hold leaves only its record. `incident`
        is kept beside it. When the tenant was closed meanwhile nothing happens: its calls went with it.
        """
        ...

    async def release(self, tenant_id: TenantId, call_id: CallId) -> None:
        """Give back a hold of which no byte reached the vendor; nothing happens unless it is still held."""
        ...

    async def sweep(self, now: datetime) -> int:
        """Charge every hold, of any tenant, that expired before `now`; how many there were."""
        ...

    async def grant(self, grant: Grant, pot: Pot, deed: Deed) -> Pot:
        """Change what `pot` grants, opening it when it has no row yet, and keep the grant; the pot as it is then.

        The deed stands in the audit of the grant's tenant from the same transaction on.

        A revocation takes at most what is free: InvalidRange("amount") when that is less. The same grant counts once.
        """
        ...

    async def resize(self, pot: Pot) -> None:
        """Set what a cap's window grants to `pot.granted`, but never below what is spent and held of it.

        A window that has no row yet is opened, so that nobody opens it at what the cap allowed before.
        """
        ...


class Balances(Protocol):
    """Watches a tenant's pots for as many as want to know, and only while somebody does."""

    def __call__(self, tenant_id: TenantId) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Pot]]]:
        """The pots as they are, at once, then whenever one of them was changed, by whichever process, within 2 s of it.

        In the order of `Pots.all`. A slow reader gets the newest only. The readings do not end by themselves.
        """
        ...

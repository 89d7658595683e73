"""Opened forms, ready to send: kept in this process alone, briefly, by credential and version."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import NoCredential
from domain.model.catalogue import FormValues
from domain.model.credential import Credential
from domain.model.ids import TenantId
from domain.ports import Begin, Clock, Vault

LEASE = timedelta(seconds=60)

_Name = tuple[UUID, UUID, int]


@dataclass(frozen=True, slots=True, repr=False)
class _Leased:
    until: datetime
    opening: asyncio.Task[FormValues]

    def usable(self, now: datetime) -> bool:
        failed = self.opening.done() and (self.opening.cancelled() or self.opening.exception() is not None)
        return now < self.until and not failed


@dataclass(slots=True)
class LeasedKeyring:
    """At most `lease` old and at most `room` forms; calls that need the same form at once share one opening.

    A form whose lease is over is dropped from memory, whether or not anyone asks for it again.
    """

    begin: Begin
    vault: Vault
    clock: Clock
    platform_forms: Mapping[str, FormValues] = field(repr=False)
    room: int = 10_000
    lease: timedelta = LEASE
    _kept: OrderedDict[_Name, _Leased] = field(default_factory=OrderedDict, repr=False)

    async def own(self, credential: Credential) -> FormValues:
        name = (credential.tenant_id, credential.id, credential.version)
        now = self.clock()
        leased = self._kept.get(name)
        if leased is None or not leased.usable(now):
            leased = self._lease(name, credential, now)
        return await asyncio.shield(leased.opening)

    def platform(self, provider: str) -> FormValues:
        """NoCredential when the operator gave no form for this provider."""
        form = self.platform_forms.get(provider)
        if form is None:
            raise NoCredential(provider)
        return form

    def forget(self, tenant_id: TenantId) -> None:
        for name in [name for name in self._kept if name[0] == tenant_id]:
            del self._kept[name]

    @property
    def kept(self) -> int:
        """How many forms are in memory now."""
        return len(self._kept)

    def _lease(self, name: _Name, credential: Credential, now: datetime) -> _Leased:
        leased = _Leased(now + self.lease, asyncio.create_task(self._open(credential)))
        self._kept[name] = leased
        self._kept.move_to_end(name)
        if len(self._kept) > self.room:
            self._kept.popitem(last=False)
        asyncio.get_running_loop().call_later(self.lease.total_seconds(), self._drop, name, leased)
        return leased

    def _drop(self, name: _Name, leased: _Leased) -> None:
        if self._kept.get(name) is leased:
            del self._kept[name]

    async def _open(self, credential: Credential) -> FormValues:
        """By the version that is stored: a call that chose the credential before it was replaced sends the new form."""
        async with self.begin(credential.tenant_id) as work:
            opening = await work.envelopes.one(credential.id)
        return await self.vault.open(opening.key, opening.context, opening.sealed)

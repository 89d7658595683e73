"""Opened forms, ready to send: kept in this process alone, briefly, by credential and version."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import NoCredential
from domain.model.catalogue import FormValues
from domain.model.credential import Credential, SealContext
from domain.ports import Begin, Clock, Vault

LEASE = timedelta(seconds=60)

_Key = tuple[UUID, UUID, int]


@dataclass(slots=True)
class LeasedKeyring:
    """At most `LEASE` old and at most `room` forms; calls that need the same form at once share one opening."""

    begin: Begin
    vault: Vault
    clock: Clock
    platform_forms: Mapping[str, FormValues]
    room: int = 10_000
    _kept: OrderedDict[_Key, tuple[datetime, asyncio.Task[FormValues]]] = field(default_factory=OrderedDict)

    async def own(self, credential: Credential) -> FormValues:
        key = (credential.tenant_id, credential.id, credential.version)
        now = self.clock()
        kept = self._kept.get(key)
        if kept is None or kept[0] <= now or _failed(kept[1]):
            kept = self._kept[key] = (now + LEASE, asyncio.create_task(self._open(credential)))
            if len(self._kept) > self.room:
                self._kept.popitem(last=False)
        return await asyncio.shield(kept[1])

    def platform(self, provider: str) -> FormValues:
        form = self.platform_forms.get(provider)
        if form is None:
            raise NoCredential(provider)
        return form

    async def _open(self, credential: Credential) -> FormValues:
        async with self.begin(credential.tenant_id) as work:
            sealed = await work.credentials.sealed(credential.id)
            key = await work.keys.one(sealed.key_id)
        return await self.vault.open(key, SealContext.of(credential), sealed)


def _failed(opening: asyncio.Task[FormValues]) -> bool:
    return opening.done() and (opening.cancelled() or opening.exception() is not None)

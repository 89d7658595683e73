"""A tenant's chain of what was done, each entry bound to the one before under a key that rests wrapped."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from domain.errors import NotFound
from domain.model.audit import Deed, Entry, Head, appended, new_head
from domain.model.audit_check import Anchors, FaultKind, Verdict, Walk, absent, unlocked
from domain.model.ids import ClientId, PersonId, TenantId
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.db.access_tables import audit_chains, audit_entries
from infrastructure.db.fence import Rows, bind
from infrastructure.db.tables import tenants
from infrastructure.request_id import request_id

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class SqlAudit:
    """`master_keys` wrap the key of a chain; without them nothing can be appended or checked."""

    rows: Rows
    master_keys: MasterKeys | None

    async def add(self, *deeds: Deed) -> None:
        if not deeds:
            return
        chain = await self._locked()
        if chain is None:
            await self._begin()
            chain = await self._locked()
        if chain is None:
            raise NotFound("tenant")
        key, head, at, entries = self._key(chain), _head(chain), datetime.now(UTC), []
        for deed in deeds:
            head, entry = appended(key, head, Entry(head.tenant_id, 0, at, deed, request_id.get()))
            entries.append(_columns(entry))
        await self.rows.connection.execute(insert(audit_entries), entries)
        await self._put(length=head.length, mac=head.mac, seal=head.seal)

    async def add_to(self, tenant_id: TenantId, *deeds: Deed) -> None:
        own = self.rows
        await bind(own.connection, tenant_id)
        await SqlAudit(replace(own, tenant_id=tenant_id), self.master_keys).add(*deeds)
        await bind(own.connection, own.tenant_id)

    async def page(
        self,
        *,
        first: int,
        before: int | None = None,
        actions: Collection[str] | None = None,
        person_id: PersonId | None = None,
        client_id: ClientId | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Entry]:
        column = audit_entries.c
        wanted = [
            *([column.seq < before] if before is not None else ()),
            *([column.action.in_(actions)] if actions is not None else ()),
            *([column.person_id == person_id] if person_id is not None else ()),
            *([column.client_id == client_id] if client_id is not None else ()),
            *([column.at >= since] if since is not None else ()),
            *([column.at < until] if until is not None else ()),
        ]
        query = select(audit_entries).where(self.rows.mine(audit_entries), *wanted)
        return [_entry(row) for row in await self.rows.all(query.order_by(column.seq.desc()).limit(first))]

    async def head(self) -> Head | None:
        found = await self.rows.all(self._chain())
        return _head(found[0]) if found else None

    async def check(self, anchors: Anchors) -> Verdict:
        tenant_id, found = self.rows.tenant_id, await self.rows.all(self._chain())
        if not found:
            headless = await self._behind(None)
            return unlocked(tenant_id, FaultKind.HEAD_MISSING) if headless else absent(tenant_id, anchors)
        try:
            walk = Walk(tenant_id, self._key(found[0]), anchors)
        except (KeyError, ValueError):
            return unlocked(tenant_id, FaultKind.KEY_UNUSABLE)
        await self._read(walk)
        chain = await self._locked()
        await self._read(walk)  # what was appended meanwhile
        return walk.end(_head(chain)) if chain else absent(tenant_id, anchors)

    async def rewrap(self) -> bool:
        chain = await self._locked()
        if chain is None or chain.master_key_id == self._masters.first:
            return False
        try:
            key = self._key(chain)
        except (KeyError, ValueError):
            return False
        await self._put(**_wrapped(self._masters, self.rows.tenant_id, key))
        return True

    async def master_key_id(self) -> str | None:
        found = await self.rows.all(self._chain())
        return found[0].master_key_id if found else None

    @property
    def _masters(self) -> MasterKeys:
        if self.master_keys is None:
            raise RuntimeError("this unit of work was begun without the keys of the audit's chains")
        return self.master_keys

    def _key(self, chain: Row[Any]) -> bytes:
        """KeyError for an unknown master key, ValueError when the wrapping does not fit."""
        tenant_id = self.rows.tenant_id
        return self._masters.unwrap(chain.master_key_id, tenant_id, tenant_id, chain.wrapped_key)

    def _chain(self) -> Select[Any]:
        return select(audit_chains).where(self.rows.mine(audit_chains))

    async def _locked(self) -> Row[Any] | None:
        """Until the end of the transaction."""
        found = await self.rows.all(self._chain().with_for_update())
        return found[0] if found else None

    async def _begin(self) -> None:
        """A chain, unless somebody else begins it at this moment; nothing where there is no tenant."""
        tenant = select(tenants.c.tenant_id).where(self.rows.mine(tenants))
        if await self.rows.all(tenant.with_for_update(read=True, key_share=True)):
            tenant_id, key = self.rows.tenant_id, secrets.token_bytes(32)
            head = new_head(tenant_id, key)
            row = {"length": head.length, "mac": head.mac, "seal": head.seal}
            await self.rows.add_unless(audit_chains, [], row | _wrapped(self._masters, tenant_id, key))

    async def _put(self, **values: Any) -> None:
        await self.rows.connection.execute(update(audit_chains).where(self.rows.mine(audit_chains)).values(**values))

    async def _read(self, walk: Walk) -> None:
        while entries := await self._behind(walk.seq if walk.entries else None):
            walk.take(entries)

    async def _behind(self, seq: int | None) -> Sequence[Entry]:
        """The next ones, ascending; a forged one may count from anywhere."""
        query = select(audit_entries).where(self.rows.mine(audit_entries)).order_by(audit_entries.c.seq).limit(PAGE)
        rows = await self.rows.all(query if seq is None else query.where(audit_entries.c.seq > seq))
        return [_entry(row) for row in rows]


def _wrapped(master_keys: MasterKeys, tenant_id: TenantId, key: bytes) -> dict[str, Any]:
    return {"wrapped_key": master_keys.wrap(tenant_id, tenant_id, key), "master_key_id": master_keys.first}


def _head(chain: Row[Any]) -> Head:
    return Head(TenantId(chain.tenant_id), chain.length, chain.mac, chain.seal)


def _columns(entry: Entry) -> dict[str, Any]:
    done = entry.deed
    return {
        "tenant_id": entry.tenant_id,
        "seq": entry.seq,
        "at": entry.at,
        "client_id": done.client_id,
        "person_id": done.person_id,
        "action": done.action,
        "target": done.target,
        "outcome": done.outcome,
        "request_id": entry.request_id,
        "mac": entry.mac,
    }


def _entry(row: Row[Any]) -> Entry:
    client_id = ClientId(row.client_id) if row.client_id else None
    person_id = PersonId(row.person_id) if row.person_id else None
    done = Deed(row.action, row.target, client_id, person_id, row.outcome)
    return Entry(TenantId(row.tenant_id), row.seq, row.at, done, row.request_id, row.mac)

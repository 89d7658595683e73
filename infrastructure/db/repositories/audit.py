"""A tenant's chain of what was done, each entry bound to the one before under a key that rests wrapped."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from domain.model.audit import FIRST, Deed, Entry, mac
from domain.model.ids import ClientId, PersonId, TenantId
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.db.access_tables import audit_chains, audit_entries
from infrastructure.db.fence import Rows
from infrastructure.request_id import request_id


@dataclass(frozen=True, slots=True)
class SqlAudit:
    """`master_keys` wrap the key of a chain; without them nothing can be appended."""

    rows: Rows
    master_keys: MasterKeys | None

    async def add(self, deed: Deed) -> None:
        if self.master_keys is None:
            raise RuntimeError("this unit of work was begun without the keys of the audit's chains")
        chain = await self._chain(self.master_keys)
        tenant_id = self.rows.tenant_id
        key = self.master_keys.unwrap(chain.master_key_id, tenant_id, tenant_id, chain.wrapped_key)
        entry = Entry(tenant_id, chain.length + 1, datetime.now(UTC), deed, request_id.get())
        entry = replace(entry, mac=mac(key, chain.mac, entry))
        await self.rows.add(audit_entries, **_columns(entry))
        change = update(audit_chains).where(self.rows.mine(audit_chains))
        await self.rows.connection.execute(change.values(length=entry.seq, mac=entry.mac))

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

    async def _chain(self, master_keys: MasterKeys) -> Row[Any]:
        """Locked until the end of the transaction; begun with the tenant's first deed."""
        query = select(audit_chains).where(self.rows.mine(audit_chains)).with_for_update()
        found = await self.rows.all(query)
        if not found:
            await self.rows.add_unless(audit_chains, [], _new_chain(master_keys, self.rows.tenant_id))
            found = await self.rows.all(query)
        return found[0]


def _new_chain(master_keys: MasterKeys, tenant_id: UUID) -> dict[str, Any]:
    wrapped = master_keys.wrap(tenant_id, tenant_id, secrets.token_bytes(32))
    return {"length": 0, "mac": FIRST, "wrapped_key": wrapped, "master_key_id": master_keys.first}


def _columns(entry: Entry) -> dict[str, Any]:
    done = entry.deed
    return {
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

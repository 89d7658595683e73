"""Consents, and what OAuth keeps between a person's yes and a token."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, and_, func, select, update

from domain.errors import NotFound
from domain.model.access import Client
from domain.model.authorization import Code, Consent, Decision, Device, RefreshToken
from domain.model.ids import ClientId, PersonId, TenantId
from domain.model.people import Member
from infrastructure.db.access_tables import (
    assertions,
    clients,
    codes,
    consents,
    devices,
    members,
    people,
    refresh_tokens,
)
from infrastructure.db.fence import Rows
from infrastructure.db.repositories.access import client_of, joined, split
from infrastructure.db.repositories.people import member_of

MANY = 1_000


@dataclass(frozen=True, slots=True)
class SqlConsents:
    rows: Rows

    async def put(self, consent: Consent) -> None:
        key = {"client_id": consent.client_id, "person_id": consent.person_id}
        await self.rows.put(consents, key, scopes=joined(consent.scopes), given_at=consent.given_at)

    async def one(self, client_id: ClientId, person_id: PersonId) -> Consent | None:
        found = select(consents).where(self.rows.mine(consents)).filter_by(client_id=client_id, person_id=person_id)
        rows = await self.rows.all(found)
        return _consent(rows[0]) if rows else None

    async def of_clients(self, client_ids: Collection[ClientId]) -> Mapping[ClientId, Sequence[tuple[Consent, Member]]]:
        of_member = and_(members.c.tenant_id == consents.c.tenant_id, members.c.person_id == consents.c.person_id)
        joined_up = consents.join(members, of_member).join(people, people.c.id == members.c.person_id)
        columns = members.c.role, members.c.joined_at, people.c.id, people.c.email, people.c.name, people.c.created_at
        place = func.row_number().over(partition_by=consents.c.client_id, order_by=consents.c.given_at.desc())
        query = select(consents, *columns, place.label("place")).select_from(joined_up)
        every = query.where(self.rows.mine(consents), consents.c.client_id.in_(client_ids)).subquery()
        found: dict[ClientId, list[tuple[Consent, Member]]] = {}
        for row in await self.rows.all(select(every).where(every.c.place <= MANY).order_by(every.c.place)):
            found.setdefault(ClientId(row.client_id), []).append((_consent(row), member_of(row)))
        return found

    async def of_person(self, person_id: PersonId) -> Sequence[tuple[Consent, Client]]:
        query = select(consents).where(self.rows.mine(consents), consents.c.person_id == person_id)
        given = [_consent(row) for row in await self.rows.all(query.order_by(consents.c.given_at.desc()).limit(MANY))]
        wanted = select(clients).where(self.rows.mine(clients), clients.c.id.in_([c.client_id for c in given]))
        known = {row.id: client_of(row) for row in await self.rows.all(wanted)}
        return [(consent, known[consent.client_id]) for consent in given]

    async def used(self, client_id: ClientId, person_id: PersonId, at: datetime) -> None:
        change = update(consents).where(self.rows.mine(consents)).values(last_used_at=at)
        await self.rows.connection.execute(change.filter_by(client_id=client_id, person_id=person_id))

    async def remove(self, client_id: ClientId, person_id: PersonId) -> None:
        if not await self.rows.remove(consents, client_id=client_id, person_id=person_id):
            raise NotFound("consent")


@dataclass(frozen=True, slots=True)
class SqlCodes:
    rows: Rows

    async def add(self, code: Code) -> None:
        await self.rows.add(codes, **_plain(code, "challenge", "nonce", "redirect_uri"))

    async def lock(self, digest: bytes) -> Code | None:
        row = await _locked_in_family(self.rows, codes, digest)
        return Code(**_common(row, "challenge", "nonce", "redirect_uri", "used_at")) if row else None

    async def use(self, digest: bytes, at: datetime) -> None:
        await _used(self.rows, codes, digest, at)


@dataclass(frozen=True, slots=True)
class SqlRefreshTokens:
    rows: Rows

    async def add(self, token: RefreshToken) -> None:
        await self.rows.add(refresh_tokens, **_plain(token, "issued_at"))

    async def lock(self, digest: bytes) -> RefreshToken | None:
        row = await _locked_in_family(self.rows, refresh_tokens, digest)
        return RefreshToken(**_common(row, "issued_at", "used_at")) if row else None

    async def use(self, digest: bytes, at: datetime) -> None:
        await _used(self.rows, refresh_tokens, digest, at)


@dataclass(frozen=True, slots=True)
class SqlDevices:
    rows: Rows

    async def add(self, device: Device) -> bool:
        values = _plain(device, "user_code", "decision", "polled_at")
        return await self.rows.add_unless(devices, ["user_code"], values)

    async def lock(self, digest: bytes) -> Device | None:
        row = await _locked(self.rows, devices, digest=digest)
        return _device(row) if row else None

    async def by_user_code(self, user_code: str) -> Device | None:
        row = await _locked(self.rows, devices, user_code=user_code)
        return _device(row) if row else None

    async def put(self, device: Device) -> None:
        change = update(devices).where(self.rows.mine(devices), devices.c.digest == device.digest)
        values = {name: getattr(device, name) for name in ("decision", "person_id", "signed_in_at", "polled_at")}
        await self.rows.connection.execute(change.values(**values, scopes=joined(device.scopes)))

    async def remove(self, digest: bytes) -> None:
        await self.rows.remove(devices, digest=digest)


@dataclass(frozen=True, slots=True)
class SqlAssertions:
    rows: Rows

    async def add(self, client_id: ClientId, jti: str, expires_at: datetime) -> bool:
        seen = {"client_id": client_id, "jti": hashlib.sha256(jti.encode()).digest(), "expires_at": expires_at}
        return await self.rows.add_unless(assertions, ["client_id", "jti"], seen)


_SHARED = ("digest", "client_id", "person_id", "family_id", "signed_in_at", "expires_at", "resource")


def _plain(row: Code | RefreshToken | Device, *more: str) -> dict[str, Any]:
    """The columns that all three have, and `more`."""
    return {**{name: getattr(row, name) for name in (*_SHARED, *more)}, "scopes": joined(row.scopes)}


def _common(row: Row[Any], *more: str) -> dict[str, Any]:
    read = {name: getattr(row, name) for name in (*_SHARED, *more)}
    return {**read, "tenant_id": TenantId(row.tenant_id), "scopes": split(row.scopes)}


async def _locked(rows: Rows, table: Table, **key: Any) -> Row[Any] | None:
    found = await rows.all(select(table).where(rows.mine(table)).filter_by(**key).with_for_update())
    return found[0] if found else None


async def _locked_in_family(rows: Rows, table: Table, digest: bytes) -> Row[Any] | None:
    """First the consent that it hangs on, so that who ends a family misses no token that is being added to it."""
    found = await rows.all(select(table).where(rows.mine(table), table.c.digest == digest))
    if not found:
        return None
    consent = select(consents.c.given_at).where(rows.mine(consents))
    key = {"client_id": found[0].client_id, "person_id": found[0].person_id}
    await rows.all(consent.filter_by(**key).with_for_update(key_share=True))
    return await _locked(rows, table, digest=digest)


async def _used(rows: Rows, table: Table, digest: bytes, at: datetime) -> None:
    change = update(table).where(rows.mine(table), table.c.digest == digest)
    await rows.connection.execute(change.values(used_at=at))


def _device(row: Row[Any]) -> Device:
    return Device(**_common(row, "user_code", "polled_at"), decision=Decision(row.decision))


def _consent(row: Row[Any]) -> Consent:
    return Consent(
        TenantId(row.tenant_id),
        ClientId(row.client_id),
        PersonId(row.person_id),
        split(row.scopes),
        row.given_at,
        row.last_used_at,
    )

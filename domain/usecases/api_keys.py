"""API keys: made, narrowed, rotated and revoked. Each is a client of its own, whose secret is its bearer token."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from domain.errors import InvalidRange, NotFound
from domain.model.access import EVERYWHERE, Actor, Client, ClientKind, Reach, Scope
from domain.model.audit import deed
from domain.model.cap import Cap, CapSubject, Period
from domain.model.ids import CapId, ClientId
from domain.model.quota import Unit
from domain.model.registration import check_alone, check_given, check_scopes, checked_end, checked_overlap
from domain.model.secret import Secret
from domain.model.tenant import checked_name
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.ports import Begin, Clock, Fresh, Randomness, StandingReader, Work
from domain.usecases.alike import uncapped
from domain.usecases.applications import replaced
from domain.usecases.reaching import Reaching


@dataclass(frozen=True, slots=True)
class KeyCap:
    """At most `amount` units in each period; 0 blocks."""

    unit: Unit
    amount: int
    period: Period


@dataclass(frozen=True, slots=True)
class NewKey:
    """Without `expires_at` it ends as late as a key may."""

    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    reach: Reach = EVERYWHERE
    cap: KeyCap | None = None


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What is None stays."""

    name: str | None = None
    scopes: frozenset[Scope] | None = None
    expires_at: datetime | None = None
    reach: Reach | None = None


@dataclass(frozen=True, slots=True)
class Minted:
    """A key and its text, which exists here only: what is stored is its digest and its last four characters."""

    client: Client
    text: Secret


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Whoever makes a key, renews it or widens it needs all of its scopes himself, and a reach as wide as its own."""

    begin: Begin
    reaching: Reaching
    standing: StandingReader
    clock: Clock
    fresh: Fresh
    randomness: Randomness

    async def page(self, actor: Actor, *, first: int, after: ClientId | None = None) -> Sequence[Client]:
        """Up to `first`, oldest first, from behind `after`."""
        actor.require(Scope.APPLICATIONS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.clients.page({ClientKind.API_KEY}, first=first, after=after)

    async def create(self, actor: Actor, new: NewKey) -> Minted:
        """InvalidRange and NotFound for what it cannot be or reach, Forbidden for a scope that the actor lacks."""
        actor.require(Scope.APPLICATIONS_WRITE)
        now = self.clock()
        client = self._client(actor, new, now)
        check_scopes(client.scopes)
        check_alone(client.scopes)
        check_given(actor, client, capped=await self.reaching.capped(actor))
        await self.reaching.check(actor, client.reach)
        cap = self._cap(client, new.cap) if new.cap else None
        minted = self._minted(client)
        async with self.begin(actor.tenant_id) as work:
            await work.clients.add(minted.client)
            if cap is not None:
                await work.caps.put(cap)
            await work.audit.add(deed(actor, "api_key.created", client.id))
        if cap is not None:
            self.standing.forget(actor.tenant_id)
        return minted

    async def update(self, actor: Actor, client_id: ClientId, change: KeyChange) -> Client:
        """A key never gets more scopes than it has: InvalidRange. Else fails like `create`; NotFound when unknown."""
        actor.require(Scope.APPLICATIONS_WRITE)
        if change.reach is not None:
            await self.reaching.check(actor, change.reach)
        capped = await self.reaching.capped(actor)
        async with self.begin(actor.tenant_id) as work:
            before = await _key(work, client_id)
            after = _changed(before, change, self.clock())
            if not after.narrows(before):
                check_given(actor, after, capped=capped)
            await work.clients.put(after)
            await work.audit.add(deed(actor, "api_key.updated", client_id))
        return after

    async def rotate(
        self, actor: Actor, client_id: ClientId, overlap: timedelta, expires_at: datetime | None = None
    ) -> Minted:
        """A new text; the one before stays good for `overlap`. It ends when it would have, unless said."""
        actor.require(Scope.APPLICATIONS_WRITE)
        checked_overlap(overlap)
        now = self.clock()
        capped = await self.reaching.capped(actor)
        async with self.begin(actor.tenant_id) as work:
            before = await _key(work, client_id)
            check_given(actor, before, capped=capped)
            end = before.expires_at if expires_at is None else checked_end(expires_at, now)
            kept = replaced(before, now + overlap if overlap else None)
            minted = self._minted(replace(kept, expires_at=end))
            await work.clients.put(minted.client)
            await work.audit.add(deed(actor, "api_key.rotated", client_id))
        return minted

    async def revoke(self, actor: Actor, client_id: ClientId) -> Client:
        """Forget a key with its caps; as it was. NotFound when it is unknown."""
        actor.require(Scope.APPLICATIONS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            revoked = await _key(work, client_id)
            await work.clients.remove(client_id)
            await uncapped(work, client_id, CapSubject.APPLICATION)
            await work.audit.add(deed(actor, "api_key.revoked", client_id))
        self.standing.forget(actor.tenant_id)
        return revoked

    def _client(self, actor: Actor, new: NewKey, now: datetime) -> Client:
        return Client(
            tenant_id=actor.tenant_id,
            id=ClientId(self.fresh()),
            name=checked_name(new.name),
            secret_digest=None,
            scopes=new.scopes,
            created_at=now,
            kind=ClientKind.API_KEY,
            reach=new.reach,
            created_by=actor.person_id,
            expires_at=checked_end(new.expires_at, now),
        )

    def _minted(self, client: Client) -> Minted:
        text = mint(Kind.API_KEY, client.tenant_id, client.id.bytes + self.randomness(SECRET_BYTES))
        return Minted(replace(client, secret_digest=digest(text), secret_hint=text[-4:]), Secret(text))

    def _cap(self, client: Client, new: KeyCap) -> Cap:
        if new.amount < 0:
            raise InvalidRange("cap.amount", "must not be below zero")
        subject = CapSubject.APPLICATION
        cap_id = CapId(self.fresh())
        return Cap(client.tenant_id, cap_id, subject, client.id, new.unit, new.amount, new.period, client.created_at)


def _changed(client: Client, change: KeyChange, now: datetime) -> Client:
    given: dict[str, Any] = {}
    if change.name is not None:
        given["name"] = checked_name(change.name)
    if change.scopes is not None:
        if not change.scopes <= client.scopes:
            raise InvalidRange("scopes", "must be among those that it has: a key is never given more")
        given["scopes"] = change.scopes
    if change.expires_at is not None:
        given["expires_at"] = checked_end(change.expires_at, now)
    if change.reach is not None:
        given["reach"] = change.reach
    return replace(client, **given)


async def _key(work: Work, client_id: ClientId) -> Client:
    """Nobody else changes it until `work` ends; NotFound("api key"), also for an application that is no key."""
    try:
        found = await work.clients.lock(client_id)
    except NotFound:
        raise NotFound("api key") from None
    if found.kind is not ClientKind.API_KEY:
        raise NotFound("api key")
    return found

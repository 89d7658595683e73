"""Applications of a tenant: registered, restricted, suspended and removed; who let them in, and taking that back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from domain.errors import InvalidRange, NotFound
from domain.model.access import EVERYWHERE, Actor, Client, ClientKind, Reach, Scope
from domain.model.audit import deed
from domain.model.authorization import Consent
from domain.model.cap import CapSubject
from domain.model.ids import ClientId, PersonId
from domain.model.jwks import checked_jwks
from domain.model.people import Member
from domain.model.registration import APPLICATIONS, check_application, check_given, check_scopes, checked_overlap
from domain.model.secret import Secret
from domain.model.tenant import checked_name
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.ports import Begin, Clock, Fresh, Randomness, StandingReader, Work
from domain.usecases.alike import uncapped
from domain.usecases.reaching import Reaching


@dataclass(frozen=True, slots=True)
class NewApplication:
    """With `jwks` it proves itself by their private halves, `public` by nothing, else by a secret that it is given."""

    name: str
    kind: ClientKind
    scopes: frozenset[Scope]
    redirect_uris: tuple[str, ...] = ()
    reach: Reach = EVERYWHERE
    public: bool = False
    jwks: Mapping[str, Any] | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class ApplicationChange:
    """What is None stays. `jwks` take the place of a secret too; an empty `resource` takes it away."""

    name: str | None = None
    scopes: frozenset[Scope] | None = None
    redirect_uris: tuple[str, ...] | None = None
    reach: Reach | None = None
    jwks: Mapping[str, Any] | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A client, and its new secret, which exists here only: what is stored is its digest."""

    client: Client
    secret: Secret | None


@dataclass(frozen=True, slots=True)
class Applications:
    """Whoever gives an application anything needs all of its scopes himself, and a reach as wide as its own.

    To take away needs neither. What changes is felt by tokens that exist when they are looked up next, within 2 s.
    """

    begin: Begin
    reaching: Reaching
    standing: StandingReader
    clock: Clock
    fresh: Fresh
    randomness: Randomness

    async def page(
        self, actor: Actor, kinds: Collection[ClientKind] = APPLICATIONS, *, first: int, after: ClientId | None = None
    ) -> Sequence[Client]:
        """Up to `first`, oldest first, from behind `after`."""
        actor.require(Scope.APPLICATIONS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.clients.page(kinds, first=first, after=after)

    async def some(self, actor: Actor, client_ids: Collection[ClientId]) -> Mapping[ClientId, Client]:
        """Those of them that are known here, of any kind."""
        actor.require(Scope.APPLICATIONS_READ)
        async with self.begin(actor.tenant_id) as work:
            return {client.id: client for client in await work.clients.some(client_ids)}

    async def creators(self, actor: Actor, person_ids: Collection[PersonId]) -> Mapping[PersonId, Member]:
        """Those of them that are still members."""
        actor.require(Scope.APPLICATIONS_READ)
        async with self.begin(actor.tenant_id) as work:
            return {member.person.id: member for member in await work.members.some(person_ids)}

    async def consents(
        self, actor: Actor, client_ids: Collection[ClientId]
    ) -> Mapping[ClientId, Sequence[tuple[Consent, Member]]]:
        """Who let each of them in, the latest first; nothing of one that nobody let in, or that is unknown."""
        actor.require(Scope.APPLICATIONS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.consents.of_clients(client_ids)

    async def register(self, actor: Actor, new: NewApplication) -> Issued:
        """InvalidRange and NotFound for what it cannot be or reach, Forbidden for a scope that the actor lacks."""
        actor.require(Scope.APPLICATIONS_WRITE)
        client = self._client(actor, new)
        check_application(client)
        check_scopes(client.scopes)
        check_given(actor, client, capped=await self.reaching.capped(actor))
        await self.reaching.check(actor, client.reach)
        issued = self._with_secret(client) if _has_secret(new) else Issued(client, None)
        async with self.begin(actor.tenant_id) as work:
            await work.clients.add(issued.client)
            await work.audit.add(deed(actor, "application.registered", client.id))
        return issued

    async def update(self, actor: Actor, client_id: ClientId, change: ApplicationChange) -> Client:
        """Fails like `register`; NotFound when it is unknown."""
        actor.require(Scope.APPLICATIONS_WRITE)
        if change.reach is not None:
            await self.reaching.check(actor, change.reach)
        capped = await self.reaching.capped(actor)
        async with self.begin(actor.tenant_id) as work:
            before = await _application(work, client_id)
            after = _changed(before, change)
            check_application(after)
            check_scopes(after.scopes - before.scopes)
            if not after.narrows(before):
                check_given(actor, after, capped=capped)
            await work.clients.put(after)
            await work.audit.add(deed(actor, "application.updated", client_id))
        return after

    async def suspend(self, actor: Actor, client_id: ClientId) -> Client:
        """Nothing that it holds is good until it is resumed."""
        actor.require(Scope.APPLICATIONS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            before = await _application(work, client_id)
            suspended = replace(before, suspended_at=before.suspended_at or self.clock())
            await _put(work, actor, suspended, "application.suspended")
        return suspended

    async def resume(self, actor: Actor, client_id: ClientId) -> Client:
        """What it holds and has not expired is good again."""
        actor.require(Scope.APPLICATIONS_WRITE)
        capped = await self.reaching.capped(actor)
        async with self.begin(actor.tenant_id) as work:
            resumed = replace(await _application(work, client_id), suspended_at=None)
            check_given(actor, resumed, capped=capped)
            await _put(work, actor, resumed, "application.resumed")
        return resumed

    async def rotate_secret(self, actor: Actor, client_id: ClientId, overlap: timedelta) -> Issued:
        """A new secret; the one before stays good for `overlap`. InvalidRange for an application without one."""
        actor.require(Scope.APPLICATIONS_WRITE)
        checked_overlap(overlap)
        capped = await self.reaching.capped(actor)
        async with self.begin(actor.tenant_id) as work:
            before = await _application(work, client_id)
            if before.secret_digest is None:
                raise InvalidRange("id", "must be that of an application with a secret")
            check_given(actor, before, capped=capped)
            issued = self._with_secret(replaced(before, self.clock() + overlap if overlap else None))
            await _put(work, actor, issued.client, "application.secret_rotated")
        return issued

    async def remove(self, actor: Actor, client_id: ClientId) -> Client:
        """With its consents, tokens and caps; as it was."""
        actor.require(Scope.APPLICATIONS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            removed = await _application(work, client_id)
            await work.clients.remove(client_id)
            await uncapped(work, client_id, CapSubject.APPLICATION)
            await work.audit.add(deed(actor, "application.removed", client_id))
        self.standing.forget(actor.tenant_id)
        return removed

    async def revoke_tokens(self, actor: Actor, client_id: ClientId) -> Client:
        """Remove all that it holds; consents stay, and what it proves itself by."""
        actor.require(Scope.APPLICATIONS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            client = await _application(work, client_id)
            await work.tokens.end_client(client_id)
            await work.audit.add(deed(actor, "application.tokens_revoked", client_id))
        return client

    async def revoke_consent(self, actor: Actor, client_id: ClientId, person_id: PersonId) -> Client:
        """Take back what a person let it do, with all that came of it. NotFound when there is no such consent."""
        actor.require(Scope.APPLICATIONS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            client = await _application(work, client_id)
            await work.consents.remove(client_id, person_id)
            await work.audit.add(deed(actor, "consent.revoked", f"{client_id} {person_id}"))
        return client

    def _client(self, actor: Actor, new: NewApplication) -> Client:
        if new.public and new.jwks is not None:
            raise InvalidRange("public", "must be false for an application with keys")
        return Client(
            tenant_id=actor.tenant_id,
            id=ClientId(self.fresh()),
            name=checked_name(new.name),
            secret_digest=None if new.public or new.jwks is not None else b"",
            scopes=new.scopes,
            created_at=self.clock(),
            kind=new.kind,
            reach=new.reach,
            redirect_uris=tuple(dict.fromkeys(new.redirect_uris)),
            resource=new.resource or None,
            jwks=checked_jwks(new.jwks) if new.jwks is not None else None,
            created_by=actor.person_id,
        )

    def _with_secret(self, client: Client) -> Issued:
        secret = mint(Kind.CLIENT_SECRET, client.tenant_id, self.randomness(SECRET_BYTES))
        return Issued(replace(client, secret_digest=digest(secret), secret_hint=secret[-4:]), Secret(secret))


def replaced(client: Client, until: datetime | None) -> Client:
    """With its present secret as the old one, good `until` then, or no more at all."""
    if until is None:
        return replace(client, old_secret_digest=None, old_secret_until=None)
    return replace(client, old_secret_digest=client.secret_digest, old_secret_until=until)


def _has_secret(new: NewApplication) -> bool:
    return not new.public and new.jwks is None


def _changed(client: Client, change: ApplicationChange) -> Client:
    given: dict[str, Any] = {}
    if change.name is not None:
        given["name"] = checked_name(change.name)
    if change.scopes is not None:
        given["scopes"] = change.scopes
    if change.redirect_uris is not None:
        given["redirect_uris"] = tuple(dict.fromkeys(change.redirect_uris))
    if change.reach is not None:
        given["reach"] = change.reach
    if change.resource is not None:
        given["resource"] = change.resource or None
    if change.jwks is not None:
        given |= _with_keys(client, change.jwks)
    return replace(client, **given)


def _with_keys(client: Client, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The keys, and nothing of the secret that they take the place of."""
    if client.public:
        raise InvalidRange("jwks", "must not be given to a public application: register another")
    return {
        "jwks": checked_jwks(jwks),
        "secret_digest": None,
        "secret_hint": None,
        "old_secret_digest": None,
        "old_secret_until": None,
    }


async def _application(work: Work, client_id: ClientId) -> Client:
    """Nobody else changes it until `work` ends; NotFound("application"), also for an API key."""
    try:
        found = await work.clients.lock(client_id)
    except NotFound:
        raise NotFound("application") from None
    if found.kind not in APPLICATIONS:
        raise NotFound("application")
    return found


async def _put(work: Work, actor: Actor, client: Client, action: str) -> None:
    await work.clients.put(client)
    await work.audit.add(deed(actor, action, client.id))

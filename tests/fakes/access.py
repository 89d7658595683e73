"""Applications, people, consents and what came of them, over the rows of one tenant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from domain.errors import NotFound
from domain.model.access import AccessToken, Bearer, Client, ClientKind, Role
from domain.model.audit import Deed, Entry, Head, appended, new_head
from domain.model.audit_check import Anchors, Verdict, absent, verify
from domain.model.authorization import Code, Consent, Device, RefreshToken
from domain.model.ids import ClientId, InvitationId, PersonId, TenantId
from domain.model.people import Invitation, Member, Person
from infrastructure.request_id import request_id
from tests.fakes.rows import TenantRows, found

KEY = b"the key of every fake chain"


@dataclass(frozen=True, slots=True)
class FakeClients:
    rows: TenantRows

    async def add(self, client: Client) -> None:
        self.rows.clients[client.id] = client

    async def one(self, client_id: ClientId) -> Client:
        return found(self.rows.clients, client_id, "client")

    async def lock(self, client_id: ClientId) -> Client:
        return await self.one(client_id)

    async def some(self, client_ids: Collection[ClientId]) -> Sequence[Client]:
        return [self.rows.clients[id_] for id_ in client_ids if id_ in self.rows.clients]

    async def page(
        self, kinds: Collection[ClientKind], *, first: int, after: ClientId | None = None
    ) -> Sequence[Client]:
        there = sorted((c for c in self.rows.clients.values() if c.kind in kinds), key=lambda client: client.id)
        return [client for client in there if after is None or client.id > after][:first]

    async def put(self, client: Client) -> None:
        before = await self.one(client.id)
        self.rows.clients[client.id] = replace(client, last_used_at=before.last_used_at)

    async def used(self, client_id: ClientId, at: datetime) -> None:
        if client_id in self.rows.clients:
            self.rows.clients[client_id] = replace(self.rows.clients[client_id], last_used_at=at)

    async def remove(self, client_id: ClientId) -> None:
        await self.one(client_id)
        del self.rows.clients[client_id]
        self.rows.drop(lambda row: row.client_id == client_id)

    async def names(self, client_ids: Collection[ClientId]) -> Mapping[ClientId, str]:
        return {id_: self.rows.clients[id_].name for id_ in client_ids if id_ in self.rows.clients}


@dataclass(frozen=True, slots=True)
class FakeTokens:
    rows: TenantRows

    async def add(self, token: AccessToken) -> None:
        self.rows.tokens[token.digest] = token

    async def one(self, digest: bytes) -> AccessToken:
        return found(self.rows.tokens, digest, "token")

    async def bearer(self, digest: bytes) -> Bearer:
        token = await self.one(digest)
        client = found(self.rows.clients, token.client_id, "token")
        person = self.rows.members.get(token.person_id) if token.person_id else None
        consent = self.rows.consents.get((token.client_id, token.person_id)) if token.person_id else None
        return Bearer(token, client, person[0] if person else None, consent.last_used_at if consent else None)

    async def remove(self, digest: bytes) -> None:
        self.rows.tokens.pop(digest, None)

    async def end_family(self, family_id: UUID) -> bool:
        ended = [t for t in self.rows.tokens.values() if t.family_id == family_id]
        unused = [t for t in self.rows.refresh_tokens.values() if t.family_id == family_id and t.used_at is None]
        for token in ended:
            del self.rows.tokens[token.digest]
        for fresh in unused:
            del self.rows.refresh_tokens[fresh.digest]
        return bool(ended or unused)

    async def end_client(self, client_id: ClientId) -> None:
        rows = self.rows
        for kept in (rows.tokens, rows.refresh_tokens, rows.codes, rows.devices):
            for digest in [digest for digest, row in kept.items() if row.client_id == client_id]:
                del kept[digest]


@dataclass(frozen=True, slots=True)
class FakeMembers:
    rows: TenantRows
    tenant_id: TenantId
    people: Mapping[PersonId, Person]

    async def add(self, person_id: PersonId, role: Role, at: datetime) -> bool:
        new = person_id not in self.rows.members
        self.rows.members.setdefault(person_id, (role, at))
        return new

    async def one(self, person_id: PersonId) -> Member:
        role, joined_at = found(self.rows.members, person_id, "member")
        return Member(self.tenant_id, self.people[person_id], role, joined_at)

    async def some(self, person_ids: Collection[PersonId]) -> Sequence[Member]:
        return [await self.one(person_id) for person_id in sorted(self.rows.members) if person_id in person_ids]

    async def page(self, *, first: int, after: PersonId | None = None) -> Sequence[Member]:
        there = [person_id for person_id in sorted(self.rows.members) if after is None or person_id > after]
        return [await self.one(person_id) for person_id in there[:first]]

    async def put(self, person_id: PersonId, role: Role) -> None:
        self.rows.members[person_id] = role, found(self.rows.members, person_id, "member")[1]

    async def remove(self, person_id: PersonId) -> None:
        found(self.rows.members, person_id, "member")
        del self.rows.members[person_id]
        self.rows.drop(lambda row: row.person_id == person_id)

    async def lock_owners(self) -> Sequence[PersonId]:
        return sorted(person_id for person_id, (role, _) in self.rows.members.items() if role is Role.OWNER)


@dataclass(frozen=True, slots=True)
class FakeInvitations:
    rows: TenantRows

    async def add(self, invitation: Invitation) -> None:
        self.rows.invitations[invitation.digest] = invitation

    async def one(self, digest: bytes) -> Invitation:
        return found(self.rows.invitations, digest, "invitation")

    async def page(self, *, first: int, after: InvitationId | None = None) -> Sequence[Invitation]:
        there = sorted(self.rows.invitations.values(), key=lambda invitation: invitation.id)
        return [each for each in there if after is None or each.id > after][:first]

    async def take(self, digest: bytes) -> Invitation:
        taken = await self.one(digest)
        del self.rows.invitations[digest]
        return taken

    async def remove(self, invitation_id: InvitationId) -> None:
        digests = [digest for digest, each in self.rows.invitations.items() if each.id == invitation_id]
        if not digests:
            raise NotFound("invitation")
        del self.rows.invitations[digests[0]]

    async def remove_by(self, inviter: PersonId, roles: Collection[Role]) -> int:
        his = [each for each in self.rows.invitations.values() if each.invited_by == inviter and each.role in roles]
        for each in his:
            del self.rows.invitations[each.digest]
        return len(his)


@dataclass(frozen=True, slots=True)
class FakeConsents:
    rows: TenantRows
    members: FakeMembers

    async def put(self, consent: Consent) -> None:
        before = self.rows.consents.get((consent.client_id, consent.person_id))
        last_used_at = before.last_used_at if before else None
        self.rows.consents[consent.client_id, consent.person_id] = replace(consent, last_used_at=last_used_at)

    async def one(self, client_id: ClientId, person_id: PersonId) -> Consent | None:
        return self.rows.consents.get((client_id, person_id))

    async def of_clients(self, client_ids: Collection[ClientId]) -> Mapping[ClientId, Sequence[tuple[Consent, Member]]]:
        given: dict[ClientId, list[tuple[Consent, Member]]] = {}
        for each in self._latest():
            if each.client_id in client_ids:
                given.setdefault(each.client_id, []).append((each, await self.members.one(each.person_id)))
        return given

    async def of_person(self, person_id: PersonId) -> Sequence[tuple[Consent, Client]]:
        return [(each, self.rows.clients[each.client_id]) for each in self._latest() if each.person_id == person_id]

    async def used(self, client_id: ClientId, person_id: PersonId, at: datetime) -> None:
        consent = self.rows.consents.get((client_id, person_id))
        if consent:
            self.rows.consents[client_id, person_id] = replace(consent, last_used_at=at)

    async def remove(self, client_id: ClientId, person_id: PersonId) -> None:
        found(self.rows.consents, (client_id, person_id), "consent")
        self.rows.drop(lambda row: (row.client_id, row.person_id) == (client_id, person_id))

    def _latest(self) -> list[Consent]:
        return sorted(self.rows.consents.values(), key=lambda consent: consent.given_at, reverse=True)


@dataclass(frozen=True, slots=True)
class FakeCodes:
    rows: TenantRows

    async def add(self, code: Code) -> None:
        self.rows.codes[code.digest] = code

    async def lock(self, digest: bytes) -> Code | None:
        return self.rows.codes.get(digest)

    async def use(self, digest: bytes, at: datetime) -> None:
        self.rows.codes[digest] = replace(self.rows.codes[digest], used_at=at)


@dataclass(frozen=True, slots=True)
class FakeRefreshTokens:
    rows: TenantRows

    async def add(self, token: RefreshToken) -> None:
        self.rows.refresh_tokens[token.digest] = token

    async def lock(self, digest: bytes) -> RefreshToken | None:
        return self.rows.refresh_tokens.get(digest)

    async def use(self, digest: bytes, at: datetime) -> None:
        self.rows.refresh_tokens[digest] = replace(self.rows.refresh_tokens[digest], used_at=at)


@dataclass(frozen=True, slots=True)
class FakeDevices:
    rows: TenantRows

    async def add(self, device: Device) -> bool:
        if await self.by_user_code(device.user_code):
            return False
        self.rows.devices[device.digest] = device
        return True

    async def lock(self, digest: bytes) -> Device | None:
        return self.rows.devices.get(digest)

    async def by_user_code(self, user_code: str) -> Device | None:
        return next((each for each in self.rows.devices.values() if each.user_code == user_code), None)

    async def put(self, device: Device) -> None:
        self.rows.devices[device.digest] = device

    async def remove(self, digest: bytes) -> None:
        self.rows.devices.pop(digest, None)


@dataclass(frozen=True, slots=True)
class FakeAssertions:
    rows: TenantRows

    async def add(self, client_id: ClientId, jti: str, expires_at: datetime) -> bool:
        new = (client_id, jti) not in self.rows.assertions
        self.rows.assertions.setdefault((client_id, jti), expires_at)
        return new


@dataclass(frozen=True, slots=True)
class FakeAudit:
    rows: TenantRows
    tenant_id: TenantId
    others: Mapping[TenantId, TenantRows]
    newest: str = "fake"

    async def add(self, *deeds: Deed) -> None:
        if not self.rows.tenants:
            raise NotFound("tenant")
        master_key_id, head = self._chain() or (self.newest, new_head(self.tenant_id, KEY))
        for done in deeds:
            head, entry = appended(KEY, head, Entry(self.tenant_id, 0, datetime.now(UTC), done, request_id.get()))
            self.rows.audit.append(entry)
        self.rows.chain[master_key_id] = head

    async def add_to(self, tenant_id: TenantId, *deeds: Deed) -> None:
        await replace(self, rows=self.others[tenant_id], tenant_id=tenant_id).add(*deeds)

    async def head(self) -> Head | None:
        chain = self._chain()
        return chain[1] if chain else None

    async def check(self, anchors: Anchors) -> Verdict:
        head = await self.head()
        return verify(KEY, head, self.rows.audit, anchors) if head else absent(self.tenant_id, anchors)

    async def rewrap(self) -> bool:
        master_key_id, head = self._chain() or (self.newest, None)
        if head is None or master_key_id == self.newest:
            return False
        self.rows.chain = {self.newest: head}
        return True

    async def master_key_id(self) -> str | None:
        chain = self._chain()
        return chain[0] if chain else None

    def _chain(self) -> tuple[str, Head] | None:
        return next(iter(self.rows.chain.items()), None)

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
        there = [
            entry
            for entry in reversed(self.rows.audit)
            if (before is None or entry.seq < before)
            and (actions is None or entry.deed.action in actions)
            and (person_id is None or entry.deed.person_id == person_id)
            and (client_id is None or entry.deed.client_id == client_id)
            and (since is None or entry.at >= since)
            and (until is None or entry.at < until)
        ]
        return there[:first]

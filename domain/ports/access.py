"""Who may act in a tenant: its applications and people, what they consented to, and the tokens that came of it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.model.access import AccessToken, Bearer, Client, ClientKind, Role
from domain.model.audit import Deed, Entry, Head
from domain.model.audit_check import Anchors, Verdict
from domain.model.authorization import Code, Consent, Device, RefreshToken
from domain.model.ids import ClientId, InvitationId, PersonId, TenantId
from domain.model.people import Invitation, Member


class Clients(Protocol):
    async def add(self, client: Client) -> None: ...
    async def one(self, client_id: ClientId) -> Client:
        """NotFound("client") when it is unknown here."""
        ...

    async def lock(self, client_id: ClientId) -> Client:
        """The same; nobody else changes it until this unit of work ends."""
        ...

    async def some(self, client_ids: Collection[ClientId]) -> Sequence[Client]:
        """Those of them that are known here."""
        ...

    async def page(
        self, kinds: Collection[ClientKind], *, first: int, after: ClientId | None = None
    ) -> Sequence[Client]:
        """Up to `first` of these kinds by ascending id, from behind `after`."""
        ...

    async def put(self, client: Client) -> None:
        """Write all of it but when it was last used; NotFound("client") when it is unknown here."""
        ...

    async def used(self, client_id: ClientId, at: datetime) -> None: ...
    async def remove(self, client_id: ClientId) -> None:
        """With its consents and tokens; NotFound("client") when it is unknown here."""
        ...

    async def names(self, client_ids: Collection[ClientId]) -> Mapping[ClientId, str]:
        """What those that are known here are called."""
        ...


class Tokens(Protocol):
    """Access tokens."""

    async def add(self, token: AccessToken) -> None: ...
    async def one(self, digest: bytes) -> AccessToken:
        """NotFound("token") when it is unknown here."""
        ...

    async def bearer(self, digest: bytes) -> Bearer:
        """The token with its client and the role of its person, in one look; NotFound("token")."""
        ...

    async def remove(self, digest: bytes) -> None: ...
    async def end_family(self, family_id: UUID) -> bool:
        """Remove all tokens of a family, refresh tokens included; used ones of these stay, to be recognised.

        Whether there were any to remove.
        """
        ...

    async def end_client(self, client_id: ClientId) -> None:
        """Remove all that an application holds: refresh tokens, pending codes and devices included."""
        ...


class Members(Protocol):
    async def add(self, person_id: PersonId, role: Role, at: datetime) -> bool:
        """False, and nothing changed, when the person is a member already."""
        ...

    async def one(self, person_id: PersonId) -> Member:
        """NotFound("member")."""
        ...

    async def some(self, person_ids: Collection[PersonId]) -> Sequence[Member]:
        """Those of them that are members."""
        ...

    async def page(self, *, first: int, after: PersonId | None = None) -> Sequence[Member]:
        """Up to `first` members by ascending person, from behind `after`."""
        ...

    async def put(self, person_id: PersonId, role: Role) -> None:
        """NotFound("member")."""
        ...

    async def remove(self, person_id: PersonId) -> None:
        """With all consents and tokens of the person here; NotFound("member")."""
        ...

    async def lock_owners(self) -> Sequence[PersonId]:
        """The owners; nobody else changes who they are until this unit of work ends."""
        ...


class Invitations(Protocol):
    async def add(self, invitation: Invitation) -> None: ...
    async def one(self, digest: bytes) -> Invitation:
        """NotFound("invitation"), though an expired one may still be there."""
        ...

    async def page(self, *, first: int, after: InvitationId | None = None) -> Sequence[Invitation]: ...
    async def take(self, digest: bytes) -> Invitation:
        """Remove it and give it to one caller alone; NotFound("invitation")."""
        ...

    async def remove(self, invitation_id: InvitationId) -> None:
        """NotFound("invitation")."""
        ...

    async def remove_by(self, inviter: PersonId, roles: Collection[Role]) -> int:
        """Those by which this person invites into one of these roles; how many there were."""
        ...


class Consents(Protocol):
    async def put(self, consent: Consent) -> None:
        """Give it, or widen or narrow the one there is."""
        ...

    async def one(self, client_id: ClientId, person_id: PersonId) -> Consent | None: ...
    async def of_clients(self, client_ids: Collection[ClientId]) -> Mapping[ClientId, Sequence[tuple[Consent, Member]]]:
        """Who let these applications in, and as what; at most 1,000 of each, the latest first."""
        ...

    async def of_person(self, person_id: PersonId) -> Sequence[tuple[Consent, Client]]: ...
    async def used(self, client_id: ClientId, person_id: PersonId, at: datetime) -> None: ...
    async def remove(self, client_id: ClientId, person_id: PersonId) -> None:
        """With all tokens that came of it; NotFound("consent")."""
        ...


class Codes(Protocol):
    async def add(self, code: Code) -> None: ...
    async def lock(self, digest: bytes) -> Code | None:
        """None for an unknown one; nobody else has the code until this unit of work ends."""
        ...

    async def use(self, digest: bytes, at: datetime) -> None: ...


class RefreshTokens(Protocol):
    async def add(self, token: RefreshToken) -> None: ...
    async def lock(self, digest: bytes) -> RefreshToken | None:
        """None for an unknown one; nobody else has the token until this unit of work ends."""
        ...

    async def use(self, digest: bytes, at: datetime) -> None: ...


class Devices(Protocol):
    async def add(self, device: Device) -> bool:
        """False, and nothing added, when its user code is taken in this tenant."""
        ...

    async def lock(self, digest: bytes) -> Device | None:
        """None for an unknown one; nobody else has it until this unit of work ends."""
        ...

    async def by_user_code(self, user_code: str) -> Device | None:
        """None for an unknown one; nobody else has it until this unit of work ends."""
        ...

    async def put(self, device: Device) -> None:
        """Its decision, its person, and when it last asked."""
        ...

    async def remove(self, digest: bytes) -> None: ...


class Assertions(Protocol):
    """Which signed proofs of clients were seen (RFC 7523: each is good once)."""

    async def add(self, client_id: ClientId, jti: str, expires_at: datetime) -> bool:
        """False when this client showed it before."""
        ...


class Audit(Protocol):
    """The tenant's chain. Lock order: a unit of work appends to it after everything else that it does."""

    async def add(self, *deeds: Deed) -> None:
        """Append to the chain; who else appends waits until this unit of work ends. NotFound("tenant")."""
        ...

    async def add_to(self, tenant_id: TenantId, *deeds: Deed) -> None:
        """Append to another tenant's: what an operator did to a tenant whose own chain goes. NotFound("tenant")."""
        ...

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
        """Up to `first` entries, newest first, with a smaller `seq` than `before`."""
        ...

    async def head(self) -> Head | None:
        """None before the first deed."""
        ...

    async def check(self, anchors: Anchors) -> Verdict:
        """Read the whole chain; who appends waits only for the end of it."""
        ...

    async def rewrap(self) -> bool:
        """Wrap the chain's key under the newest master key; False when it is, or when nothing opens it."""
        ...

    async def master_key_id(self) -> str | None:
        """Under which the chain's key is wrapped; None before the first deed."""
        ...

"""What a person let in: seen and taken back by the person alone, in every tenant."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from domain.errors import NotFound
from domain.model.access import Client
from domain.model.audit import Deed
from domain.model.authorization import Consent
from domain.model.ids import ClientId, TenantId
from domain.model.people import Membership
from domain.ports import Begin
from domain.usecases.accounts import SignedIn


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant that the person is in, with the applications that the person let in there."""

    membership: Membership
    let_in: Sequence[tuple[Consent, Client]]


@dataclass(frozen=True, slots=True)
class OwnConsents:
    begin: Begin

    async def places(self, me: SignedIn) -> Sequence[Place]:
        return [await self._place(me, membership) for membership in me.memberships]

    async def revoke(self, me: SignedIn, tenant_id: TenantId, client_id: ClientId) -> None:
        """With all tokens that came of it; NotFound("consent")."""
        if tenant_id not in {membership.tenant_id for membership in me.memberships}:
            raise NotFound("consent")
        async with self.begin(tenant_id) as work:
            await work.consents.remove(client_id, me.person.id)
            await work.audit.add(Deed("consent.revoked", str(client_id), person_id=me.person.id))

    async def revoke_all(self, me: SignedIn) -> None:
        for membership in me.memberships:
            for _, client in (await self._place(me, membership)).let_in:
                with suppress(NotFound):
                    await self.revoke(me, membership.tenant_id, client.id)

    async def _place(self, me: SignedIn, membership: Membership) -> Place:
        async with self.begin(membership.tenant_id) as work:
            return Place(membership, await work.consents.of_person(me.person.id))

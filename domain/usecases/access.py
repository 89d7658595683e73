"""Who calls: from a bearer token to an actor."""

from dataclasses import dataclass

from domain.errors import NotFound, Unauthenticated
from domain.model.access import Actor
from domain.ports import Begin, Clock
from domain.usecases import bearers


@dataclass(frozen=True, slots=True)
class Access:
    begin: Begin
    clock: Clock

    async def authenticate(self, token: str) -> Actor:
        """The actor of a valid access token for Portunus itself, or of an API key, whose use is noted.

        Unauthenticated for any other, whatever is wrong with it.
        """
        found = bearers.parsed(token)
        if found is None:
            raise Unauthenticated
        kind, said = found
        try:
            async with self.begin(said.tenant_id) as work:
                return await bearers.actor_of(work, kind, said, token, self.clock())
        except NotFound:
            raise Unauthenticated from None

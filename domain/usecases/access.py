"""Who calls: from a bearer token to an actor."""

from dataclasses import dataclass

from domain.errors import NotFound, Unauthenticated
from domain.model.access import Actor
from domain.model.tokens import Kind, digest, parse
from domain.ports import Begin, Clock


@dataclass(frozen=True, slots=True)
class Access:
    begin: Begin
    clock: Clock

    async def authenticate(self, token: str) -> Actor:
        """The actor of a valid token for Portunus itself; Unauthenticated for any other, whatever is wrong with it."""
        parsed = parse(Kind.ACCESS_TOKEN, token)
        if parsed is None:
            raise Unauthenticated
        try:
            async with self.begin(parsed.tenant_id) as work:
                found = await work.tokens.bearer(digest(token))
        except NotFound:
            raise Unauthenticated from None
        now = self.clock()
        if found.token.expires_at <= now or found.token.resource is not None or not found.client.active(now):
            raise Unauthenticated
        return found.actor()

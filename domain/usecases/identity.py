"""What a signed-in person's application may know of the person (OpenID Connect Core 1.0, section 5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import Forbidden, NotFound, Unauthenticated
from domain.model.access import Actor, Scope
from domain.model.identity import claims
from domain.ports import Begin


@dataclass(frozen=True, slots=True)
class Identity:
    begin: Begin

    async def userinfo(self, actor: Actor) -> Mapping[str, Any]:
        """Forbidden for a token that no person stands behind; Unauthenticated once the person has left."""
        actor.require(Scope.OPENID)
        if actor.person_id is None:
            raise Forbidden(Scope.OPENID)
        async with self.begin(actor.tenant_id) as work:
            try:
                return claims(await work.members.one(actor.person_id), actor.scopes)
            except NotFound:
                raise Unauthenticated from None

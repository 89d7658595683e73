"""The userinfo endpoint (OpenID Connect Core 1.0, section 5.3)."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from api.auth import bearer
from api.oauth.answers import answer, error
from api.oauth.context import OAuth
from domain.errors import Forbidden, Unauthenticated


@dataclass(frozen=True, slots=True)
class UserInfo:
    oauth: OAuth

    async def tell(self, request: Request) -> Response:
        """To whoever brings an access token with the scope openid in the Authorization header (RFC 6750)."""
        try:
            token = bearer(request.headers.getlist("authorization"))
            if token is None:
                return error("invalid_request", "Send an access token.", 401, **{"WWW-Authenticate": "Bearer"})
            return answer(await self.oauth.identity.userinfo(await self.oauth.access.authenticate(token)))
        except Unauthenticated as refusal:
            return _refused("invalid_token", refusal.message, 401)
        except Forbidden as refusal:
            return _refused("insufficient_scope", "A person must have signed in with openid.", 403, refusal.needs)


def _refused(code: str, description: str, status: int, scope: str = "") -> Response:
    needed = f', scope="{scope}"' if scope else ""
    return error(code, description, status, **{"WWW-Authenticate": f'Bearer error="{code}"{needed}'})

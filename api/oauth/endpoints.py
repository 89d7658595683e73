"""The OAuth endpoints, and the documents by which clients find them."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.oauth.form import Refused, asked
from api.oauth.server import Issuer
from domain.model.access import Scope
from domain.usecases.access import Access

CLIENT_AUTHENTICATION = ["client_secret_basic", "client_secret_post"]
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def routes(access: Access, issuer: str) -> list[Route]:
    """`issuer` is the public address of this installation, without a slash at its end."""
    endpoint = TokenEndpoint(access, Issuer(f"{issuer}/oauth/token", access.minted, access.lifetime))
    resource = "/.well-known/oauth-protected-resource"
    return [
        Route("/oauth/token", endpoint.answer, methods=["POST"]),
        Route("/.well-known/oauth-authorization-server", _fixed(server_metadata(issuer))),
        *(Route(resource + path, _fixed(resource_metadata(issuer, path))) for path in ("", "/graphql")),
    ]


class TokenEndpoint:
    """RFC 6749, section 3.2: Authlib decides between looking the client up and keeping its token."""

    def __init__(self, access: Access, issuer: Issuer) -> None:
        self.access = access
        self.issuer = issuer

    async def answer(self, request: Request) -> Response:
        try:
            sent = await asked(request)
        except Refused as refusal:
            body = {"error": refusal.error, "error_description": refusal.description}
            return JSONResponse(body, refusal.status, NO_STORE)
        return await self.access.grant(sent.client_id, lambda client: self.issuer.decide(sent, client))


def server_metadata(issuer: str) -> dict[str, object]:
    """RFC 8414."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "scopes_supported": sorted(Scope),
    }


def resource_metadata(issuer: str, path: str) -> dict[str, object]:
    """RFC 9728: `resource` is the address that the document's own is made from."""
    return {
        "resource": issuer + path,
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": sorted(Scope),
    }


def _fixed(document: dict[str, object]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> JSONResponse:
        return JSONResponse(document)

    return answer

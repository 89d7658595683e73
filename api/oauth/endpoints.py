"""The OAuth endpoints, and the documents by which clients find them."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.oauth.client import GrantClient
from api.oauth.form import Refused, form_of, named_client
from api.oauth.server import NO_STORE, Issuer, TokenRequest
from domain.model.access import Scope
from domain.usecases.access import Access

CLIENT_AUTHENTICATION = ["client_secret_basic", "client_secret_post"]


def routes(access: Access, issuer: str) -> list[Route]:
    """`issuer` is the public address of this installation, without a slash at its end."""
    endpoint = TokenEndpoint(access, f"{issuer}/oauth/token")
    return [
        Route("/oauth/token", endpoint.answer, methods=["POST"]),
        Route("/.well-known/oauth-authorization-server", _fixed(server_metadata(issuer))),
        Route("/.well-known/oauth-protected-resource/graphql", _fixed(resource_metadata(issuer))),
    ]


class TokenEndpoint:
    """RFC 6749, section 3.2: the client is looked up first and the token kept last; between them Authlib decides."""

    def __init__(self, access: Access, uri: str) -> None:
        self.access = access
        self.uri = uri
        self.issuer = Issuer(access.minted, access.lifetime)

    async def answer(self, request: Request) -> Response:
        try:
            form = await form_of(request)
            client_id = named_client(request.headers, form)
        except Refused as refusal:
            body = {"error": refusal.error, "error_description": refusal.description}
            return JSONResponse(body, refusal.status, NO_STORE)
        client = GrantClient(client_id, await self.access.client(client_id))
        headers = {"Authorization": request.headers.get("authorization", "")}
        asked = TokenRequest(self.uri, form, headers, client)
        answer: Response = self.issuer.create_token_response(asked)
        granted = asked.granted()
        if granted is not None and client.client is not None:
            await self.access.keep(client.client, *granted)
        return answer


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


def resource_metadata(issuer: str) -> dict[str, object]:
    """RFC 9728, for the GraphQL endpoint."""
    return {
        "resource": f"{issuer}/graphql",
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": sorted(Scope),
    }


def _fixed(document: dict[str, object]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> JSONResponse:
        return JSONResponse(document)

    return answer

"""The way to each endpoint of the authorization server, and to the documents by which clients find them."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.oauth.answers import Endpoint, to_clients
from api.oauth.context import OAuth
from api.oauth.devices import DeviceAuthorization
from api.oauth.metadata import JWKS, resource_metadata, server_metadata
from api.oauth.people import UserInfo
from api.oauth.tokens import Tokens
from domain.model.signing import ANNOUNCED

RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"


def routes(oauth: OAuth) -> list[Route]:
    tokens = Tokens(oauth)
    posted = {
        "token": tokens.token,
        "revoke": tokens.revoke,
        "introspect": tokens.introspect,
        "device_authorization": DeviceAuthorization(oauth).start,
    }
    return [
        *(Route(f"/oauth/{name}", to_clients(endpoint), methods=["POST"]) for name, endpoint in posted.items()),
        Route("/oauth/userinfo", UserInfo(oauth).tell, methods=["GET", "POST"]),
        Route(JWKS, _public_keys(oauth)),
        *(Route(path, _fixed(server_metadata(oauth.issuer))) for path in SERVER),
        *(Route(RESOURCE + path, _fixed(resource_metadata(oauth.issuer, path))) for path in ("", "/graphql")),
    ]


def _public_keys(oauth: OAuth) -> Endpoint:
    """RFC 7517, section 5. A new key signs only when nobody can remember an answer that was without it."""
    remembered = {"Cache-Control": f"public, max-age={int(ANNOUNCED.total_seconds())}"}

    async def answer(_: Request) -> Response:
        return JSONResponse({"keys": list(await oauth.signer.public_keys())}, headers=remembered)

    return answer


def _fixed(document: dict[str, object]) -> Endpoint:
    async def answer(_: Request) -> Response:
        return JSONResponse(document)

    return answer

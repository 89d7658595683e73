"""Authlib's authorization server with its hooks on plain values: requests, clients and tokens are handed in and out."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request, grants
from authlib.oauth2.rfc6749.authenticate_client import ClientAuthentication
from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from starlette.responses import JSONResponse

from api.oauth.client import GrantClient
from domain.model.access import Client, Scope

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenRequest(OAuth2Request):
    """One request to the token endpoint, with the client it names; `issued` is set when a token was granted."""

    def __init__(self, uri: str, form: Mapping[str, str], headers: Mapping[str, str], client: GrantClient) -> None:
        super().__init__("POST", uri, headers=dict(headers))
        self.payload = BasicOAuth2Payload(form)
        self.named = client
        self.issued: dict[str, Any] | None = None

    @property
    def form(self) -> dict[str, str]:
        form: dict[str, str] = self.payload.data
        return form

    def granted(self) -> tuple[str, list[Scope]] | None:
        """The access token and its scopes, to be kept before the answer leaves."""
        if self.issued is None:
            return None
        return self.issued["access_token"], [Scope(name) for name in self.issued["scope"].split()]


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    """RFC 6749, section 4.4. Every failure to prove oneself reads alike."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def authenticate_token_endpoint_client(self) -> GrantClient:
        authenticate = ClientAuthentication(lambda _: self.request.named)
        try:
            self.request.client = authenticate(self.request, self.TOKEN_ENDPOINT_AUTH_METHODS)
        except InvalidClientError:
            raise InvalidClientError("The client is unknown, or its secret is wrong.", status_code=401) from None
        client: GrantClient = self.request.named
        return client


class Issuer(AuthorizationServer):
    """`minted` makes an access token for a client; nothing is stored here."""

    def __init__(self, minted: Callable[[Client], str], lifetime: timedelta) -> None:
        super().__init__()
        self.register_grant(ClientCredentialsGrant)
        generator = BearerTokenGenerator(
            access_token_generator=lambda client, **_: minted(client.client),
            expires_generator=int(lifetime.total_seconds()),
        )
        self.register_token_generator("default", generator)

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        request.issued = token

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> JSONResponse:
        return JSONResponse(body, status, {**NO_STORE, **dict(headers)})

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Authlib's hook for frameworks with signals; nothing listens here."""

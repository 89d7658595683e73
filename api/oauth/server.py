"""Authlib's authorization server without I/O: a request and its client go in, an answer and a grant come out."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request, grants
from authlib.oauth2.rfc6749.authenticate_client import ClientAuthentication
from authlib.oauth2.rfc6749.errors import InvalidClientError, OAuth2Error, UnsupportedGrantTypeError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from starlette.responses import JSONResponse, Response

from api.oauth.client import GrantClient
from api.oauth.form import Asked
from domain.model.access import Client, Scope
from domain.usecases.access import Grant

# Authlib prints the tokens it issues at DEBUG.
logging.getLogger("authlib").setLevel(logging.INFO)


class TokenRequest(OAuth2Request):
    """One request to the token endpoint, with the client it names; `issued` is set when a token was granted."""

    def __init__(self, uri: str, asked: Asked, client: Client | None) -> None:
        super().__init__("POST", uri, headers={"Authorization": asked.authorization})
        self.payload = BasicOAuth2Payload(asked.form)
        self.named = GrantClient(asked.client_id, client)
        self.issued: dict[str, Any] | None = None

    @property
    def form(self) -> dict[str, str]:
        form: dict[str, str] = self.payload.data
        return form

    @property
    def grant(self) -> Grant | None:
        if self.issued is None:
            return None
        return Grant(self.issued["access_token"], frozenset(map(Scope, self.issued["scope"].split())))


class UnprovenClient(InvalidClientError):
    """One refusal for an unknown client, a wrong secret and a missing one, so that nobody can tell them apart."""

    description = "The client is unknown, or its secret is wrong or missing."
    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        return [*default_json_headers, ("WWW-Authenticate", 'Basic realm="portunus", charset="UTF-8"')]


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    """RFC 6749, section 4.4."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def authenticate_token_endpoint_client(self) -> GrantClient:
        named: GrantClient = self.request.named
        try:
            ClientAuthentication(lambda _: named)(self.request, self.TOKEN_ENDPOINT_AUTH_METHODS)
        except InvalidClientError:
            raise UnprovenClient from None
        return named


class Issuer(AuthorizationServer):
    """`minted` makes an access token for a client; nothing is stored here."""

    def __init__(self, uri: str, minted: Callable[[Client], str], lifetime: timedelta) -> None:
        """`uri` is the public address of the token endpoint."""
        super().__init__()
        self.uri = uri
        self.register_grant(ClientCredentialsGrant)
        generator = BearerTokenGenerator(
            access_token_generator=lambda client, **_: minted(client.client),
            expires_generator=int(lifetime.total_seconds()),
        )
        self.register_token_generator("default", generator)

    def decide(self, asked: Asked, client: Client | None) -> tuple[Response, Grant | None]:
        """The answer, and what it promises; the promise must be kept before the answer leaves."""
        request = TokenRequest(self.uri, asked, client)
        answer: Response = self.create_token_response(request)
        return answer, request.grant

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        request.issued = token

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def handle_error_response(self, request: TokenRequest, error: OAuth2Error) -> Response:
        """Authlib would repeat the grant type that was asked for."""
        if isinstance(error, UnsupportedGrantTypeError):
            error = OAuth2Error("Use the grant type client_credentials.", error=error.error)
        answer: Response = super().handle_error_response(request, error)
        return answer

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Response:
        return JSONResponse(body, status, dict(headers))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Authlib's hook for frameworks with signals; nothing listens here."""

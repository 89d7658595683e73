"""OAuth's client credentials (RFC 6749, section 4.4): an id and a secret, changed into a token that soon ends."""

import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from domain.errors import CredentialRejected, UpstreamError, UpstreamUnavailable
from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.signing.tokens import Tokens, name_of
from infrastructure.providers.wire.bodies import lenient
from infrastructure.providers.wire.digging import count, dig, text

MARGIN = 300.0
"""Seconds before its end in which a token is used no more."""

_USUAL = 3600
_KEPT_HEADERS = ("accept-encoding", "user-agent")


@dataclass(frozen=True, slots=True)
class Grant:
    """Who asks for a token, where, and for what."""

    url: str
    client_id: str
    secret: Secret
    scope: str

    @property
    def name(self) -> bytes:
        return name_of(self.url, self.client_id, self.secret.reveal(), self.scope)


class ClientCredentials(httpx2.Auth):
    """Asks for a token where none is held, then signs with it. The grant's address may not be a tenant's to choose."""

    def __init__(self, provider: str, grant: Grant, tokens: Tokens) -> None:
        self._provider, self._grant, self._tokens = provider, grant, tokens

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        token = self._tokens.find(self._grant.name)
        if token is None:
            told = yield self._question(request)
            token = self._read(told.status_code, lenient(await told.aread()))
        request.headers["authorization"] = f"Bearer {token.reveal()}"
        answer = yield request
        if answer.status_code == 401:
            self._tokens.forget(self._grant.name)

    def _question(self, request: httpx2.Request) -> httpx2.Request:
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        form = {
            "grant_type": "client_credentials",
            "client_id": self._grant.client_id,
            "client_secret": self._grant.secret.reveal(),
            "scope": self._grant.scope,
        }
        headers["accept"] = "application/json"
        return httpx2.Request("POST", self._grant.url, headers=headers, data=form, extensions=request.extensions)

    def _read(self, status: int, body: Any) -> Secret:
        """The token of a success (section 5.1), which is kept; otherwise what the refusal means (section 5.2)."""
        token = text(dig(body, "access_token"))
        if status != 200 or not token:
            raise _refusal(self._provider, status, body)
        seconds = count(dig(body, "expires_in"))
        self._tokens.keep(self._grant.name, Secret(token), _USUAL if seconds is None else seconds)
        return Secret(token)


def _refusal(provider: str, status: int, body: Any) -> UpstreamError:
    """Told by its codes alone: a description may repeat what was sent."""
    codes = [text(dig(body, "error")), *re.findall(r"^\w+\d{4,}(?=:)", text(dig(body, "error_description")))]
    told = ", ".join(code[:60] for code in codes if code) or f"status {status}"
    kind = CredentialRejected if status in (400, 401, 403) else UpstreamUnavailable
    return kind(provider, status, f"no token was given: {told}", sent=False)


def client_credentials(provider: str, grant: Callable[[FormValues], Grant], tokens: Tokens | None = None) -> Sign:
    """Signs with the token that `grant` is given, asking anew only when the last one is about to end."""
    held = tokens or Tokens(MARGIN)
    return lambda form: ClientCredentials(provider, grant(form), held)

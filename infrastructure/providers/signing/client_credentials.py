"""OAuth's client credentials (RFC 6749, section 4.4): an id and a secret, changed into a token that soon ends."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from infrastructure.providers.signing.fetched import Fetched
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.signing.tokens import Tokens, name_of
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


class ClientCredentials(Fetched):
    """Asks for the token of a grant."""

    def __init__(self, provider: str, grant: Grant, tokens: Tokens) -> None:
        super().__init__(provider, tokens)
        self._grant = grant

    def name(self, request: httpx2.Request) -> bytes:  # noqa: ARG002 - one token is good for all
        return self._grant.name

    def question(self, request: httpx2.Request) -> httpx2.Request:
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        form = {
            "grant_type": "client_credentials",
            "client_id": self._grant.client_id,
            "client_secret": self._grant.secret.reveal(),
            "scope": self._grant.scope,
        }
        headers["accept"] = "application/json"
        return httpx2.Request("POST", self._grant.url, headers=headers, data=form, extensions=request.extensions)

    def read(self, status: int, body: Any) -> tuple[Secret, float]:
        """The token of a success (section 5.1); otherwise what the refusal means (section 5.2)."""
        token = text(dig(body, "access_token"))
        if status != 200 or not token:
            told = re.findall(r"^\w+\d{4,}(?=:)", text(dig(body, "error_description")))
            raise self.refused(status, text(dig(body, "error")), *told)
        seconds = count(dig(body, "expires_in"))
        return Secret(token), _USUAL if seconds is None else seconds


def client_credentials(provider: str, grant: Callable[[FormValues], Grant], tokens: Tokens | None = None) -> Sign:
    """Signs with the token that `grant` is given, asking anew only when the last one is about to end."""
    held = tokens or Tokens(MARGIN)
    return lambda form: ClientCredentials(provider, grant(form), held)

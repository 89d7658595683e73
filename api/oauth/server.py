"""Authlib's authorization server without I/O: a request and the facts go in, an answer and a grant come out."""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import AuthorizationServer, scope_to_list
from authlib.oauth2.rfc6749.errors import InvalidScopeError, OAuth2Error, UnsupportedGrantTypeError

from api.oauth.client import SentRequest
from api.oauth.form import Sent
from api.oauth.grants import GRANTS, GrantClient, offline
from api.oauth.resources import audience
from domain.model.access import IDENTITY_SCOPES, Scope
from domain.model.issuing import Facts, Grant, Verdict

# Authlib tells at DEBUG what it works on.
logging.getLogger("authlib").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that is not written yet."""

    status: int
    body: dict[str, Any]


class TokenRequest(SentRequest):
    """One request to the token endpoint; `granted` and `replayed` are set by what is found about it."""

    def __init__(self, uri: str, sent: Sent, facts: Facts) -> None:
        super().__init__(uri, sent)
        self.facts = facts
        self.named = GrantClient(sent.client_id, facts)
        self.granted: Grant | None = None
        self.replayed: UUID | None = None


class Issuer(AuthorizationServer):
    """Nothing is stored here, and no token is made: what is granted is minted when it is kept."""

    def __init__(self, issuer: str) -> None:
        """`issuer` is the public address of this installation, without a slash at its end."""
        super().__init__()
        self.issuer = issuer
        for grant, extensions in GRANTS.items():
            self.register_grant(grant, extensions)

    def decide(self, sent: Sent, facts: Facts) -> Verdict[Answer]:
        request = TokenRequest(f"{self.issuer}/oauth/token", sent, facts)
        answer: Answer = self.create_token_response(request)
        return Verdict(answer, request.granted, request.replayed)

    def generate_token(self, client: GrantClient, scope: str | None = None, **_: Any) -> dict[str, Any]:
        """Not a token yet, but what one shall carry."""
        return {"scopes": granted_scopes(client.facts, scope)}

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        facts = request.facts
        bound = facts.source.resource if facts.source else None
        resource = audience(request.form.get("resource"), bound, facts.client, self.issuer)
        request.granted = Grant(token["scopes"], resource, offline(facts))

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def handle_error_response(self, request: TokenRequest, error: OAuth2Error) -> Answer:
        """Authlib would repeat the grant type that was asked for."""
        if isinstance(error, UnsupportedGrantTypeError):
            error = OAuth2Error("The metadata of this server lists the grant types that it takes.", error=error.error)
        answer: Answer = super().handle_error_response(request, error)
        return answer

    def handle_response(self, status: int, body: Any, _headers: Any) -> Answer:
        return Answer(status, dict(body))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Authlib's hook for frameworks with signals; nothing listens here."""


def granted_scopes(facts: Facts, scope: str | None) -> frozenset[Scope]:
    """InvalidScopeError when one is asked for that is unknown or not the client's, and when nothing would be left.

    Without a person it is what the client asks of its own, or all of that. With one, what the person cannot give, or
    gave no more, is left out: the answer tells.
    """
    client = facts.client
    if facts.source is None:
        own = client.scopes - IDENTITY_SCOPES
        granted = known(scope, own) if scope is not None else own
    else:
        granted = known(scope or "", client.scopes | IDENTITY_SCOPES | facts.source.scopes) & facts.allowed
    if not granted - {Scope.OFFLINE_ACCESS}:
        raise InvalidScopeError
    return granted


def known(scope: str, within: frozenset[Scope]) -> frozenset[Scope]:
    """InvalidScopeError when none is named, or one that is not within these."""
    asked = frozenset(scope_to_list(scope))
    if not asked or not asked <= within:
        raise InvalidScopeError
    return frozenset(map(Scope, asked))

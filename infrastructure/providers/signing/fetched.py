"""Tokens that a vendor gives for a while: asked for where none is held, and signed with until they end."""

from abc import abstractmethod
from collections.abc import AsyncGenerator
from typing import Any

import httpx2

from domain.errors import CredentialRejected, UpstreamError, UpstreamUnavailable
from domain.model.secret import Secret
from infrastructure.providers.signing.kept import kept
from infrastructure.providers.signing.tokens import Tokens
from infrastructure.providers.wire.bodies import lenient

_LENGTH = 60
_NOT_THEIRS = (400, 401, 403)


class Fetched(httpx2.Auth):
    """Each scheme has its own question for a token, and its own answer. Most tokens are bearer tokens.

    The address that is asked may not be a tenant's to choose, since it is told a secret.
    """

    def __init__(self, provider: str, tokens: Tokens) -> None:
        self.provider, self.tokens = provider, tokens

    @abstractmethod
    def name(self, request: httpx2.Request) -> bytes:
        """Under which the token for a request is kept; it differs where any part of the question does."""

    @abstractmethod
    def question(self, request: httpx2.Request) -> httpx2.Request:
        """What asks for the token of a request."""

    @abstractmethod
    def read(self, status: int, body: Any) -> tuple[Secret, float]:
        """The token, and the seconds until its end; what `refused` makes of an answer without one."""

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        name = self.name(request)
        token = self.tokens.find(name)
        if token is None:
            told = yield self.question(request)
            token, seconds = self.read(told.status_code, lenient(await kept(told)))
            self.tokens.keep(name, token, seconds)
        answer = yield self.signed(request, token)
        if self.spent(answer):
            self.tokens.forget(name)

    def signed(self, request: httpx2.Request, token: Secret) -> httpx2.Request:
        request.headers["authorization"] = f"Bearer {token.reveal()}"
        return request

    def spent(self, answer: httpx2.Response) -> bool:
        """Whether it says that the token is good no more."""
        return answer.status_code == 401

    def refused(self, status: int, *codes: str, kind: type[UpstreamError] | None = None) -> UpstreamError:
        """Told by its codes alone: words may repeat what was sent."""
        told = ", ".join(code[:_LENGTH] for code in codes if code) or f"status {status}"
        usual = CredentialRejected if status in _NOT_THEIRS else UpstreamUnavailable
        return (kind or usual)(self.provider, status, f"no token was given: {told}", sent=False)

"""Access tokens for a service account, by the JWT bearer grant (RFC 7523), fetched through the client that calls."""

import asyncio
import base64
import binascii
import json
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

from domain.errors import (
    BadRequestUpstream,
    CredentialRejected,
    FieldProblem,
    InvalidForm,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.signing.kept import kept
from infrastructure.providers.signing.tokens import Tokens, name_of
from infrastructure.providers.wire import bodies
from infrastructure.providers.wire.digging import count, dig, text

TOKENS = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
EARLY = 300
"""Seconds before its end from which a token is not used any more."""

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE = 3_600
_DETAIL = 300
_BITS = 4_096
"""The vendor makes keys of half of it; larger ones would take long to sign with."""


class ServiceAccount(httpx2.Auth):
    """Asks `address` for a token where none is kept, and adds it to the request; a refused one is forgotten.

    What is sent is as good as the key for an hour, so `address` may not be a tenant's to choose: the one that a key
    file names is not looked at. A failure to get one is an UpstreamError with `sent` False.
    """

    def __init__(self, provider: str, field: str, key: Secret, address: str, tokens: Tokens) -> None:
        self._provider, self._field, self._key = provider, field, key
        self._address, self._tokens = address, tokens
        self._name = name_of(key.reveal())

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Wants the answer to the first of two requests read before it is sent in."""
        token = self._tokens.find(self._name)
        if token is None:
            token = self._given((yield self._question(request, self.assertion())))
        self._heed((yield _signed(request, token)))

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        token = self._tokens.find(self._name)
        if token is None:
            # To parse a key and sign with it takes tens of milliseconds.
            answer = yield self._question(request, await asyncio.to_thread(self.assertion))
            await kept(answer)
            await answer.aread()
            token = self._given(answer)
        self._heed((yield _signed(request, token)))

    def _heed(self, answer: httpx2.Response) -> None:
        if answer.status_code == 401:
            self._tokens.forget(self._name)

    def _question(self, request: httpx2.Request, assertion: str) -> httpx2.Request:
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/x-www-form-urlencoded",
            "user-agent": request.headers.get("user-agent", ""),
        }
        body = urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()
        return httpx2.Request("POST", self._address, headers=headers, content=body, extensions=request.extensions)

    def assertion(self) -> str:
        """What the account says of itself, signed with its key (RS256, RFC 7518); InvalidForm for no key file."""
        try:
            account = _account(self._key.reveal())
            key = RSA.import_key(account["private_key"])
            if key.size_in_bits() > _BITS:
                raise ValueError
            head = {"typ": "JWT", "alg": "RS256", "kid": account["private_key_id"]}
            said = f"{_packed(head)}.{_packed(self._claims(account['client_email']))}"
            return f"{said}.{_base64(pkcs1_15.new(key).sign(SHA256.new(said.encode())))}"
        except (LookupError, TypeError, ValueError):
            reason = "must be the JSON file of a service account's key, or its base64"
            raise InvalidForm((FieldProblem(self._field, reason),)) from None

    def _claims(self, email: str) -> Mapping[str, Any]:
        now = int(self._tokens.clock())
        return {"iat": now, "exp": now + _LIFE, "iss": email, "aud": self._address, "scope": SCOPE}

    def _given(self, answer: httpx2.Response) -> Secret:
        body = bodies.lenient(answer.content)
        token = text(dig(body, "access_token"))
        if answer.is_success and token.isascii() and token.isprintable() and token:
            kept = Secret(token)
            self._tokens.keep(self._name, kept, count(dig(body, "expires_in")) or 0)
            return kept
        raise self._refused(answer.status_code, body)

    def _refused(self, status: int, body: Any) -> UpstreamError:
        """By RFC 6749, section 5.2; of an answer that is none, nothing is quoted."""
        words = (text(dig(body, "error")), text(dig(body, "error_description")))
        detail = " ".join(": ".join(filter(None, ("no access token", *words))).split())[:_DETAIL]
        kind: type[UpstreamError] = CredentialRejected if 400 <= status < 500 else UpstreamUnavailable
        if status == 429:
            kind = UpstreamRateLimited
        if status < 400:
            kind = BadRequestUpstream
        return kind(self._provider, status, detail, sent=False)


def service_account(
    provider: str, field: str, *, address: str = TOKENS, clock: Callable[[], float] = time.time
) -> Sign:
    """`Authorization: Bearer` with a token for the account whose key file, as base64 or JSON, is in `field`."""
    tokens = Tokens(EARLY, clock)

    def sign(form: FormValues) -> httpx2.Auth | None:
        key = form.get(field)
        return ServiceAccount(provider, field, key, address, tokens) if isinstance(key, Secret) else None

    return sign


def _signed(request: httpx2.Request, token: Secret) -> httpx2.Request:
    request.headers["Authorization"] = f"Bearer {token.reveal()}"
    return request


def _account(key: str) -> Mapping[str, Any]:
    """The key file. ValueError, LookupError or TypeError for what is none."""
    try:
        plain = key.encode() if key.lstrip().startswith("{") else base64.b64decode(key, validate=True)
    except binascii.Error:
        raise ValueError from None
    account = orjson.loads(plain)
    if account["type"] != "service_account" or not isinstance(account["client_email"], str):
        raise ValueError
    return dict(account)


def _packed(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    """In the URL's alphabet, without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

"""The signature bce-auth-v1, and the token for half a day that a pair of access keys is changed into with it."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx2

from domain.model.secret import Secret
from infrastructure.providers.forms import secret_in
from infrastructure.providers.signing.fetched import Fetched
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.signing.tokens import Tokens, name_of
from infrastructure.providers.wire.digging import dig, text

MARGIN = 1_800.0
"""Seconds before its end in which a token is used no more."""

_HALF_A_DAY = 43_200
_GOOD_FOR = 300
_QUERY = {"expireInSeconds": str(_HALF_A_DAY)}


@dataclass(frozen=True, slots=True)
class Pair:
    """The lasting keys."""

    id: Secret
    secret: Secret


def authorization(
    pair: Pair, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], stamp: str, seconds: int
) -> str:
    """Signs `headers`, whose names are in lower case, at `stamp` (YYYY-MM-DDThh:mm:ssZ) for so many seconds."""
    prefix = f"bce-auth-v1/{pair.id.reveal()}/{stamp}/{seconds}"
    asked = sorted(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
    lines = sorted(f"{name}:{quote(value.strip(), safe='')}" for name, value in headers.items())
    canonical = "\n".join([method, quote(path), "&".join(asked), *lines])
    signature = _mac(_mac(pair.secret.reveal(), prefix), canonical)
    return f"{prefix}/{';'.join(sorted(headers))}/{signature}"


def _mac(key: str, said: str) -> str:
    return hmac.new(key.encode(), said.encode(), hashlib.sha256).hexdigest()


class Exchanged(Fetched):
    """Asks `address` for the token of a pair."""

    def __init__(self, provider: str, address: str, pair: Pair, tokens: Tokens) -> None:
        super().__init__(provider, tokens)
        self._address, self._pair = address, pair

    def name(self, request: httpx2.Request) -> bytes:  # noqa: ARG002 - one token is good for all
        return name_of(self._address, self._pair.id.reveal(), self._pair.secret.reveal())

    def question(self, request: httpx2.Request) -> httpx2.Request:
        url = httpx2.URL(self._address, params=_QUERY)
        stamp = datetime.fromtimestamp(self.tokens.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        signed = {"host": url.netloc.decode(), "x-bce-date": stamp}
        claim = authorization(self._pair, "GET", url.path, _QUERY, signed, stamp, _GOOD_FOR)
        kept = {"accept": "application/json", "accept-encoding": "identity", "authorization": claim}
        return httpx2.Request("GET", url, headers=kept | signed, extensions=request.extensions)

    def read(self, status: int, body: Any) -> tuple[Secret, float]:
        token = text(dig(body, "token"))
        if status != 200 or not token:
            raise self.refused(status, text(dig(body, "code")))
        return Secret(token), self.tokens.left(text(dig(body, "expireTime")), _HALF_A_DAY)


def exchanged(provider: str, address: str, id_field: str, secret_field: str) -> Sign:
    """Signs with the token that the pair of keys in these two fields of the form is changed into."""
    tokens = Tokens(MARGIN)
    return lambda form: Exchanged(
        provider, address, Pair(secret_in(form, id_field), secret_in(form, secret_field)), tokens
    )

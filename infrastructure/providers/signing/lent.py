"""Keys that are lent for a while: a pair of lasting keys signs the question for one, as AWS's version 4 does.

Its scheme differs from that in the names of the algorithm, of the headers and of the scope's end.
"""

import hashlib
import hmac
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson

from domain.errors import CredentialRejected, InvalidRange, ModelNotFoundUpstream, UpstreamError, UpstreamUnavailable
from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.wire.bodies import lenient
from infrastructure.providers.wire.digging import count, dig, text

MARGIN = 1_800.0
"""Seconds before its end in which a key is used no more."""

_WEEK = 604_800
_KEPT = 1_024
_ALGORITHM = "HMAC-SHA256"
_SIGNED = "content-type;host;x-content-sha256;x-date"
_TYPE = "application/json; charset=utf-8"
_QUERY = {"Action": "GetApiKey", "Version": "2024-01-01"}
_KINDS = {"ep-m-": "presetendpoint", "ep-": "endpoint"}


@dataclass(frozen=True, slots=True)
class Pair:
    """The lasting keys, and where they are good for."""

    id: Secret
    secret: Secret
    region: str
    service: str


def signed_headers(pair: Pair, host: str, query: Mapping[str, str], body: bytes, stamp: str) -> dict[str, str]:
    """The headers of a POST to the root of `host` at `stamp` (YYYYMMDDThhmmssZ)."""
    digest = hashlib.sha256(body).hexdigest()
    headers = {"content-type": _TYPE, "host": host, "x-content-sha256": digest, "x-date": stamp}
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = "\n".join(["POST", "/", urlencode(sorted(query.items())), lines, _SIGNED, digest])
    scope = f"{stamp[:8]}/{pair.region}/{pair.service}/request"
    told = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = pair.secret.reveal().encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    claim = f"Credential={pair.id.reveal()}/{scope}, SignedHeaders={_SIGNED}, Signature={_mac(key, told).hex()}"
    return {**headers, "authorization": f"{_ALGORITHM} {claim}"}


def _mac(key: bytes, said: str) -> bytes:
    return hmac.new(key, said.encode(), hashlib.sha256).digest()


class Lendings:
    """The keys of one vendor, in memory alone and until they end, by who asked and for what; `now` is in Unix time."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self._held: dict[bytes, tuple[Secret, float]] = {}

    def held(self, pair: Pair, resource: str) -> Secret | None:
        key, end = self._held.get(_digest(pair, resource), (None, 0.0))
        return key if self.now() < end else None

    def keep(self, pair: Pair, resource: str, key: Secret, end: float) -> None:
        while len(self._held) >= _KEPT:
            del self._held[next(iter(self._held))]
        self._held[_digest(pair, resource)] = (key, end - MARGIN)

    def forget(self, pair: Pair, resource: str) -> None:
        self._held.pop(_digest(pair, resource), None)


def _digest(pair: Pair, resource: str) -> bytes:
    """Equal only where the secret is, too: a key is never told to one who could not have asked for it."""
    parts = (pair.id.reveal(), pair.secret.reveal(), pair.region, resource)
    return hashlib.sha256(b"".join(hashlib.sha256(part.encode()).digest() for part in parts)).digest()


class Lent(httpx2.Auth):
    """Asks `address` for the key of the endpoint that a request's body names, where none is held, and signs with it.

    The address may not be a tenant's to choose.
    """

    def __init__(self, provider: str, address: str, pair: Pair, lendings: Lendings) -> None:
        self._provider, self._address, self._pair, self._lendings = provider, address, pair, lendings

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        resource = text(dig(orjson.loads(request.content or b"null"), "model"))
        key = self._lendings.held(self._pair, resource)
        if key is None:
            told = yield self._question(request, resource)
            key = self._read(resource, told.status_code, lenient(await told.aread()))
        request.headers["authorization"] = f"Bearer {key.reveal()}"
        answer = yield request
        if answer.status_code == 401:
            self._lendings.forget(self._pair, resource)

    def _question(self, request: httpx2.Request, resource: str) -> httpx2.Request:
        kind = next((kind for opening, kind in _KINDS.items() if resource.startswith(opening)), None)
        if kind is None:
            raise InvalidRange("model", "must be the name of an endpoint (ep-…) where access keys are used")
        body = orjson.dumps({"DurationSeconds": _WEEK, "ResourceType": kind, "ResourceIds": [resource]})
        url = httpx2.URL(self._address, params=_QUERY)
        stamp = datetime.fromtimestamp(self._lendings.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = signed_headers(self._pair, url.netloc.decode(), _QUERY, body, stamp)
        kept = {"accept": "application/json", "accept-encoding": "identity"}
        return httpx2.Request("POST", url, headers=kept | headers, content=body, extensions=request.extensions)

    def _read(self, resource: str, status: int, body: Any) -> Secret:
        key, end = text(dig(body, "Result", "ApiKey")), count(dig(body, "Result", "ExpiredTime"))
        if status != 200 or not key:
            raise _refusal(self._provider, status, text(dig(body, "ResponseMetadata", "Error", "Code")))
        self._lendings.keep(self._pair, resource, Secret(key), self._lendings.now() + MARGIN if end is None else end)
        return Secret(key)


def lent(provider: str, address: str, service: str, pair: tuple[str, str], region: str) -> Sign:
    """Signs with a key that is lent for each endpoint, to the pair of keys in these two fields of the form."""
    lendings = Lendings()

    def sign(form: FormValues) -> httpx2.Auth:
        access, private = (_secret(form[name]) for name in pair)
        return Lent(provider, address, Pair(access, private, str(form[region]), service), lendings)

    return sign


def _secret(value: Secret | str) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _refusal(provider: str, status: int, code: str) -> UpstreamError:
    """Told by its code alone: its words may repeat what was sent."""
    kind: type[UpstreamError] = CredentialRejected if status in (400, 401, 403) else UpstreamUnavailable
    if "NotFound" in code or "Endpoint" in code:
        kind = ModelNotFoundUpstream
    return kind(provider, status, f"no key was lent: {code[:60] or f'status {status}'}", sent=False)

"""Keys that are lent for a while: a pair of lasting keys signs the question for one, as AWS's version 4 does.

Its scheme differs from that in the names of the algorithm, of the headers and of the scope's end.
"""

import hashlib
import hmac
from collections.abc import AsyncGenerator, Mapping
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
from infrastructure.providers.signing.tokens import Tokens, name_of
from infrastructure.providers.wire.bodies import lenient
from infrastructure.providers.wire.digging import count, dig, text

MARGIN = 1_800.0
"""Seconds before its end in which a key is used no more."""

_WEEK = 604_800
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


class Lent(httpx2.Auth):
    """Asks `address` for the key of the endpoint that a request's body names, where none is held, and signs with it.

    The address may not be a tenant's to choose.
    """

    def __init__(self, provider: str, address: str, pair: Pair, tokens: Tokens) -> None:
        self._provider, self._address, self._pair, self._tokens = provider, address, pair, tokens

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        resource = text(dig(orjson.loads(request.content or b"null"), "model"))
        key = self._tokens.find(self._name(resource))
        if key is None:
            told = yield self._question(request, resource)
            key = self._read(resource, told.status_code, lenient(await told.aread()))
        request.headers["authorization"] = f"Bearer {key.reveal()}"
        answer = yield request
        if answer.status_code == 401:
            self._tokens.forget(self._name(resource))

    def _name(self, resource: str) -> bytes:
        return name_of(self._pair.id.reveal(), self._pair.secret.reveal(), self._pair.region, resource)

    def _question(self, request: httpx2.Request, resource: str) -> httpx2.Request:
        kind = next((kind for opening, kind in _KINDS.items() if resource.startswith(opening)), None)
        if kind is None:
            raise InvalidRange("model", "must be the name of an endpoint (ep-…) where access keys are used")
        body = orjson.dumps({"DurationSeconds": _WEEK, "ResourceType": kind, "ResourceIds": [resource]})
        url = httpx2.URL(self._address, params=_QUERY)
        stamp = datetime.fromtimestamp(self._tokens.clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = signed_headers(self._pair, url.netloc.decode(), _QUERY, body, stamp)
        kept = {"accept": "application/json", "accept-encoding": "identity"}
        return httpx2.Request("POST", url, headers=kept | headers, content=body, extensions=request.extensions)

    def _read(self, resource: str, status: int, body: Any) -> Secret:
        key, end = text(dig(body, "Result", "ApiKey")), count(dig(body, "Result", "ExpiredTime"))
        if status != 200 or not key:
            raise _refusal(self._provider, status, text(dig(body, "ResponseMetadata", "Error", "Code")))
        if end is not None:
            self._tokens.keep(self._name(resource), Secret(key), end - self._tokens.clock())
        return Secret(key)


def lent(provider: str, address: str, service: str, pair: tuple[str, str], region: str) -> Sign:
    """Signs with a key that is lent for each endpoint, to the pair of keys in these two fields of the form."""
    tokens = Tokens(MARGIN)

    def sign(form: FormValues) -> httpx2.Auth:
        access, private = (_secret(form[name]) for name in pair)
        return Lent(provider, address, Pair(access, private, str(form[region]), service), tokens)

    return sign


def _secret(value: Secret | str) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _refusal(provider: str, status: int, code: str) -> UpstreamError:
    """Told by its code alone: its words may repeat what was sent."""
    kind: type[UpstreamError] = CredentialRejected if status in (400, 401, 403) else UpstreamUnavailable
    if "NotFound" in code or "Endpoint" in code:
        kind = ModelNotFoundUpstream
    return kind(provider, status, f"no key was lent: {code[:60] or f'status {status}'}", sent=False)

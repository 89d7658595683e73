"""Keys that are lent for a while: a pair of lasting keys signs the question for one, as AWS's version 4 does.

Its scheme differs from that in the names of the algorithm, of the headers and of the scope's end.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson

from domain.errors import InvalidRange, ModelNotFoundUpstream
from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from infrastructure.providers.forms import secret_in
from infrastructure.providers.signing.fetched import Fetched
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.signing.tokens import Tokens, name_of
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


class Lent(Fetched):
    """Asks `address` for the key of the endpoint that a request's body names."""

    def __init__(self, provider: str, address: str, pair: Pair, tokens: Tokens) -> None:
        super().__init__(provider, tokens)
        self._address, self._pair = address, pair

    def name(self, request: httpx2.Request) -> bytes:
        return name_of(self._pair.id.reveal(), self._pair.secret.reveal(), self._pair.region, _endpoint(request))

    def question(self, request: httpx2.Request) -> httpx2.Request:
        endpoint = _endpoint(request)
        kind = next((kind for opening, kind in _KINDS.items() if endpoint.startswith(opening)), None)
        if kind is None:
            raise InvalidRange("model", "must be the name of an endpoint (ep-…) where access keys are used")
        body = orjson.dumps({"DurationSeconds": _WEEK, "ResourceType": kind, "ResourceIds": [endpoint]})
        url = httpx2.URL(self._address, params=_QUERY)
        stamp = datetime.fromtimestamp(self.tokens.clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = signed_headers(self._pair, url.netloc.decode(), _QUERY, body, stamp)
        kept = {"accept": "application/json", "accept-encoding": "identity"}
        return httpx2.Request("POST", url, headers=kept | headers, content=body, extensions=request.extensions)

    def read(self, status: int, body: Any) -> tuple[Secret, float]:
        """A key without an end is not kept."""
        key, end = text(dig(body, "Result", "ApiKey")), count(dig(body, "Result", "ExpiredTime"))
        if status != 200 or not key:
            code = text(dig(body, "ResponseMetadata", "Error", "Code"))
            missing = "NotFound" in code or "Endpoint" in code
            raise self.refused(status, code, kind=ModelNotFoundUpstream if missing else None)
        return Secret(key), 0 if end is None else end - self.tokens.clock()


def _endpoint(request: httpx2.Request) -> str:
    return text(dig(orjson.loads(request.content or b"null"), "model"))


def lent(provider: str, address: str, service: str, pair: tuple[str, str], region: str) -> Sign:
    """Signs with a key that is lent for each endpoint, to the pair of keys in these two fields of the form."""
    tokens = Tokens(MARGIN)

    def sign(form: FormValues) -> httpx2.Auth:
        access, private = (secret_in(form, name) for name in pair)
        return Lent(provider, address, Pair(access, private, str(form[region]), service), tokens)

    return sign

"""AWS Signature Version 4 over the keys that a tenant entered (AWS's IAM user guide, "Create a signed request")."""

import hashlib
import hmac
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

import httpx2

from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from infrastructure.providers.forms import secret_in

_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNED = frozenset({"accept", "content-type", "host"})
_UNRESERVED = "-_.~"

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key; temporary ones come with a session token."""

    id: Secret
    secret: Secret
    token: Secret | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a signature is good for, on the day of `stamp` (YYYYMMDDThhmmssZ)."""

    stamp: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.stamp[:8]}/{self.region}/{self.service}/aws4_request"


class SigV4(httpx2.Auth):
    """Signs a request as it leaves: method, address, body, and those headers that nothing on the way rewrites."""

    def __init__(self, keys: Keys, region: str, service: str, now: Now = lambda: datetime.now(UTC)) -> None:
        self._keys, self._region, self._service, self._now = keys, region, service, now

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        scope = Scope(self._now().strftime("%Y%m%dT%H%M%SZ"), self._region, self._service)
        request.headers["x-amz-date"] = scope.stamp
        if self._keys.token:
            request.headers["x-amz-security-token"] = self._keys.token.reveal()
        mark = signature(self._keys.secret, scope, string_to_sign(scope, canonical_request(request)))
        claim = f"Credential={self._keys.id.reveal()}/{scope}, SignedHeaders={';'.join(signed_headers(request))}"
        request.headers["authorization"] = f"{_ALGORITHM} {claim}, Signature={mark}"
        yield request


def signed_headers(request: httpx2.Request) -> list[str]:
    """Names in lower case and order."""
    return sorted({n.lower() for n in request.headers if n.lower() in _SIGNED or n.lower().startswith("x-amz")})


def canonical_request(request: httpx2.Request) -> str:
    """What is signed, in AWS's one notation of it. Escapes of the path are escaped once more."""
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    names = signed_headers(request)
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names)
    body = hashlib.sha256(request.content).hexdigest()
    return "\n".join(
        [request.method, quote(path, "/" + _UNRESERVED), _canonical(query), headers, ";".join(names), body]
    )


def string_to_sign(scope: Scope, canonical: str) -> str:
    return "\n".join([_ALGORITHM, scope.stamp, str(scope), hashlib.sha256(canonical.encode()).hexdigest()])


def signature(secret: Secret, scope: Scope, text: str) -> str:
    """In hexadecimal."""
    key = ("AWS4" + secret.reveal()).encode()
    for part in str(scope).split("/"):
        key = _mac(key, part)
    return _mac(key, text).hex()


def keys_in(form: FormValues) -> Keys:
    """The form's aws_access_key_id, aws_secret_access_key and aws_session_token."""
    return Keys(
        secret_in(form, "aws_access_key_id"),
        secret_in(form, "aws_secret_access_key"),
        secret_in(form, "aws_session_token") if form.get("aws_session_token") else None,
    )


def _canonical(query: str) -> str:
    pairs = (
        (quote(name, _UNRESERVED), quote(value, _UNRESERVED))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")

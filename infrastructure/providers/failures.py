"""What went wrong on the way to a vendor, in the domain's words and without a secret."""

import html
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

import aiohttp
import httpx2
import orjson

from domain.errors import (
    BadRequestUpstream,
    EndpointForbidden,
    StreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from domain.model.catalogue import FormValues, secrets_of
from infrastructure.http import ForbiddenAddress

TRANSPORT = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, aiohttp.ClientError, OSError)
"""What a connection that fails can raise, once a request is under way."""

_DETAIL = 500
_BLOT = "••••"
_TELLING = 4
_CORE = 12

_UNSENT: tuple[tuple[type[Exception], type[UpstreamError], str], ...] = (
    (ForbiddenAddress, EndpointForbidden, ""),
    (aiohttp.InvalidUrlClientError, EndpointForbidden, "its host is not written in the usual form"),
    (aiohttp.ClientConnectorDNSError, UpstreamUnavailable, "its name cannot be resolved"),
    (aiohttp.ClientConnectorCertificateError, UpstreamUnavailable, "its TLS certificate cannot be verified"),
    (aiohttp.ClientSSLError, UpstreamUnavailable, "no TLS connection could be agreed"),
    (aiohttp.ClientConnectorError, UpstreamUnavailable, "the connection was refused"),
    (aiohttp.ConnectionTimeoutError, UpstreamTimeout, "no connection within the time limit"),
    (httpx2.UnsupportedProtocol, EndpointForbidden, "its address cannot be used"),
    (httpx2.InvalidURL, EndpointForbidden, "its address cannot be used"),
)
_SENT: tuple[tuple[type[Exception], type[UpstreamError], str], ...] = (
    (aiohttp.ServerTimeoutError, UpstreamTimeout, "it was silent for too long"),
    (aiohttp.ClientConnectionError, UpstreamUnavailable, "it closed the connection without an answer"),
    (aiohttp.ClientResponseError, BadRequestUpstream, "its answer is not HTTP"),
)


def unanswered(provider: str, failure: Exception) -> UpstreamError:
    """What it means that sending failed before a status came."""
    causes = [failure.__cause__ or failure, failure]
    for kind, meaning, detail in _UNSENT:
        if any(isinstance(cause, kind) for cause in causes):
            return meaning(provider, detail=detail, sent=False)
    for kind, meaning, detail in _SENT:
        if any(isinstance(cause, kind) for cause in causes):
            return meaning(provider, detail=detail)
    return UpstreamUnavailable(provider, detail=f"the call failed ({type(causes[0]).__name__})")


def cut(provider: str, status: int, failure: Exception) -> UpstreamError:
    """What it means that reading an answer failed after its status came."""
    cause = failure.__cause__ or failure
    if isinstance(cause, aiohttp.ServerTimeoutError):
        return UpstreamTimeout(provider, status, "its answer paused for too long")
    return StreamBroken(provider, status, "the connection ended before the answer did")


def blotted(text: str, form: FormValues) -> str:
    """`text` without the secrets of `form`, in whatever notation they are echoed, nor one cut off at its end."""
    spellings = sorted({s for secret in secrets_of(form) for s in _spellings(secret)}, key=len, reverse=True)
    for spelling in spellings:
        text = text.replace(spelling, _BLOT)
    for spelling in spellings:
        for length in range(len(spelling) - 1, _TELLING - 1, -1):
            if text.endswith(spelling[:length]):
                return text[:-length] + _BLOT
    return text


def blotted_bytes(body: bytes, form: FormValues) -> bytes:
    """`body` without the secrets of `form`, before anything is quoted from it."""
    return blotted(body.decode(errors="surrogateescape"), form).encode(errors="surrogateescape")


def fit_to_show(failure: UpstreamError, provider: str, form: FormValues) -> UpstreamError:
    """The failure a dialect or adapter made, named after the provider, its text blotted, on one line and short."""
    failure.provider = provider
    text = re.sub(r"\s+", " ", blotted(failure.detail, form)).strip()
    failure.detail = text if len(text) <= _DETAIL else text[: _DETAIL - 1] + "…"
    return failure


def _spellings(secret: str) -> Iterable[str]:
    """As it is, and as JSON, Python, HTML, a path, a query, base64 and hex would write it."""
    raw = secret.encode()
    return (
        *(secret, orjson.dumps(secret)[1:-1].decode(), repr(secret)[1:-1]),
        *(html.escape(secret), html.escape(secret, quote=False)),
        *(quote(secret), quote(secret, safe=""), quote_plus(secret)),
        *(b64encode(raw).decode().rstrip("="), urlsafe_b64encode(raw).decode().rstrip("="), raw.hex()),
        *_inside_base64(raw),
    )


def _inside_base64(raw: bytes) -> Iterable[str]:
    """What of it is the same in the base64 of any text that it is a part of, for each place of a triple to start at."""
    for shift in range(3):
        core = b64encode(b"\0" * shift + raw).decode()[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        if len(core) >= _CORE:
            yield core

"""Where an application may have people sent back to (RFC 8252, OAuth 2.1), and which servers of its own it may name."""

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from domain.errors import InvalidRange

URI_LIMIT = 2_000
URI_COUNT = 20

_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=]|%[0-9A-Fa-f]{2})+")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def check_redirect_uris(uris: Sequence[str], *, public: bool) -> None:
    """InvalidRange("redirectUris") for more than 20, or one that people must not be sent to.

    https anywhere, http on this machine alone; a scheme of the application's own must have a dot, and its application
    no secret. They are compared letter by letter, so there are no wildcards.
    """
    if len(uris) > URI_COUNT:
        raise InvalidRange("redirectUris", f"must have at most {URI_COUNT} entries")
    for uri in uris:
        parts = _checked(uri, "redirectUris")
        if "." in parts.scheme:
            _check_private(parts, public=public)
        else:
            _check_web(parts, "redirectUris")


def check_resource(url: str) -> None:
    """InvalidRange("resource") for what names no resource server (RFC 8707, section 2)."""
    _check_web(_checked(url, "resource"), "resource")


def _checked(uri: str, field: str) -> SplitResult:
    """Absolute, without fragment and userinfo, of the characters of RFC 3986: nobody reads it as something else."""
    if len(uri) > URI_LIMIT:
        raise InvalidRange(field, f"must have at most {URI_LIMIT} characters each")
    if "#" in uri:
        raise InvalidRange(field, "must have no fragment")
    if "*" in uri:
        raise InvalidRange(field, "must have no wildcard: each is compared letter by letter")
    if not _CHARACTERS.fullmatch(uri):
        raise InvalidRange(field, "must be an absolute URI in the characters of RFC 3986")
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        raise InvalidRange(field, "must have a host and a port that can be") from None
    if "@" in parts.netloc or "%" in parts.netloc:
        raise InvalidRange(field, "must have no name or password before its host")
    return parts


def _check_web(parts: SplitResult, field: str) -> None:
    if parts.scheme not in ("https", "http"):
        raise InvalidRange(field, "must be https, or http on localhost, 127.0.0.1 or [::1]")
    if not parts.hostname:
        raise InvalidRange(field, "must name a host")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise InvalidRange(field, "must be https: http is for localhost, 127.0.0.1 and [::1]")


def _check_private(parts: SplitResult, *, public: bool) -> None:
    if not _PRIVATE_SCHEME.fullmatch(parts.scheme) or not parts.path.startswith("/"):
        raise InvalidRange("redirectUris", "must be like com.example.app:/signed-in where the scheme is your own")
    if not public:
        raise InvalidRange("redirectUris", "must be https where the application has a secret or keys of its own")

"""Where an authorization answer may be sent: exactly where the application was registered to get it."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode, urlsplit

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?(?![\d:@])(.*)")
_RUN_IN_THE_BROWSER = frozenset({"javascript", "data", "vbscript", "blob", "file", "about"})


def permitted(uri: str, registered: Iterable[str]) -> bool:
    """An exact match; on a loopback address the port may differ, since native apps take a free one (RFC 8252, 7.3)."""
    if "#" in uri or scheme(uri) in _RUN_IN_THE_BROWSER:
        return False
    return any(uri == known or _same_but_port(uri, known) for known in registered)


def own_to_this_machine(uri: str) -> bool:
    """On a loopback address or of a scheme that any app may claim: nobody can tell which program will get it."""
    return scheme(uri) != "https"


def scheme(uri: str) -> str:
    return uri.partition(":")[0].lower()


def shown(uri: str) -> str:
    """The part of an address that tells a person who is behind it."""
    return urlsplit(uri).netloc if scheme(uri) in ("https", "http") else f"{scheme(uri)}:"


def with_answer(uri: str, answer: Mapping[str, str | None]) -> str:
    """The redirect URI with these parameters behind its own; those that are None are left out."""
    added = urlencode({name: value for name, value in answer.items() if value is not None})
    separator = "" if uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return uri + separator + added


def _same_but_port(uri: str, known: str) -> bool:
    asked, listed = _LOOPBACK.fullmatch(uri), _LOOPBACK.fullmatch(known)
    if asked is None or listed is None or int(asked[2] or 80) > 65_535:
        return False
    return (asked[1], asked[3]) == (listed[1], listed[3])

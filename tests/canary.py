"""Secrets that are easy to find again, and the search for them in all the ways in which they may be written down."""

import base64
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import quote

_SPECIAL = "/+'\"<&%"
"""What URLs, JSON, HTML and Python write in ways of their own; none of it is in the halves."""


def _half() -> str:
    return secrets.token_hex(7)


@dataclass(frozen=True, slots=True)
class Flock:
    """Secrets, each another one, of two halves that all share: either half alone gives any of them away."""

    first: str = field(default_factory=_half)
    second: str = field(default_factory=_half)
    _numbers: Iterator[int] = field(default_factory=count)

    def canary(self) -> str:
        """A new secret. Its last four characters, which may be shown, are of no half."""
        return f"{self.first}{_SPECIAL}{next(self._numbers)}{_SPECIAL}{self.second}tail"

    def found_in(self, text: bytes) -> list[str]:
        """The names of the spellings in which a half is there."""
        return [name for half in (self.first, self.second) for name, written in spellings(half) if written in text]

    def found_among(self, texts: Iterable[bytes]) -> list[tuple[list[str], bytes]]:
        """The texts that give one away, cut short, each with how."""
        every = list(texts)
        if not self.found_in(b"\n".join(every)):
            return []
        return [(names, text[:500]) for text in every if (names := self.found_in(text))]


def spellings(half: str) -> Iterator[tuple[str, bytes]]:
    raw = half.encode()
    yield "plain", raw
    yield "reversed", raw[::-1]
    yield "upper case", half.upper().encode()
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "percent", "".join(f"%{byte:02x}" for byte in raw).encode()
    yield "UTF-16", half.encode("utf-16-le")
    for shift in range(3):
        yield f"base64 at {shift}", _shifted(raw, shift)


def written(secret: str) -> Iterator[str]:
    """The ways in which text may hold a secret, for the search to be tried on."""
    raw = secret.encode()
    yield from (secret, secret[::-1], repr(secret), quote(secret, safe=""), raw.hex(), secret[:20], secret[-20:])
    yield from (base64.b64encode(b"x" * shift + raw).decode() for shift in range(3))
    yield from (base64.urlsafe_b64encode(b"x" * shift + raw).decode() for shift in range(3))


def _shifted(raw: bytes, shift: int) -> bytes:
    """The part of its base64 that is the same whatever stands around it, when it starts at this place of a triple."""
    whole = base64.b64encode(b"\0" * shift + raw)
    return whole[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]

"""Opaque tokens that carry their tenant, so that the first statement about one is already bound to it.

Layout, after GitHub's: a typed prefix, base62 of (tenant, random or id), and a six-character CRC-32 in base62, by which
scanners find leaked tokens offline and malformed ones are refused before any look-up.
"""

import binascii
import functools
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.model.ids import TenantId

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_CHECK = 6
SECRET_BYTES = 32


class Kind(StrEnum):
    """The typed prefixes. An API key carries the id of its client before its random part."""

    ACCESS_TOKEN = "ptn_at_"  # noqa: S105 - a prefix, not a token
    REFRESH_TOKEN = "ptn_rt_"  # noqa: S105
    CODE = "ptn_ac_"
    DEVICE_CODE = "ptn_dc_"
    INVITATION = "ptn_in_"
    API_KEY = "ptn_sk_"
    CLIENT_ID = "ptn_ci_"
    CLIENT_SECRET = "ptn_cs_"  # noqa: S105


_PAYLOADS = {
    **dict.fromkeys(Kind, 16 + SECRET_BYTES),
    Kind.CLIENT_ID: 16 + 16,
    Kind.API_KEY: 16 + 16 + SECRET_BYTES,
}


class PersonalKind(StrEnum):
    """The typed prefixes of what belongs to a person and so to no tenant: 32 random bytes alone."""

    SESSION = "ptn_se_"
    RESET = "ptn_pr_"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a well-formed token says; whether it is valid only its digest in the tenant's rows can tell."""

    tenant_id: TenantId
    rest: bytes


def mint(kind: Kind, tenant_id: TenantId, rest: bytes) -> str:
    """A token of this kind: `rest` is 32 random bytes, the 16 of a client's id, or for an API key both."""
    payload = tenant_id.bytes + rest
    if len(payload) != _PAYLOADS[kind]:
        raise ValueError(f"a {kind.name} has {_PAYLOADS[kind] - 16} bytes beside its tenant")
    body = kind.value + _base62(int.from_bytes(payload), _width(len(payload)))
    return body + _checksum(body)


def parse(kind: Kind, token: str) -> Parsed | None:
    """None for anything that was never minted as this kind: prefix, length, alphabet or checksum are off."""
    size = _PAYLOADS[kind]
    body, check = token[:-_CHECK], token[-_CHECK:]
    if not token.isascii() or not token.startswith(kind.value) or len(body) != len(kind.value) + _width(size):
        return None
    if _checksum(body) != check:
        return None
    number = _number(body.removeprefix(kind.value))
    if number is None or number >= 1 << (8 * size):
        return None
    payload = number.to_bytes(size)
    return Parsed(TenantId(UUID(bytes=payload[:16])), payload[16:])


def mint_personal(kind: PersonalKind, rest: bytes) -> str:
    """A token of this kind; `rest` is 32 random bytes."""
    if len(rest) != SECRET_BYTES:
        raise ValueError(f"a {kind.name} has {SECRET_BYTES} bytes")
    body = kind.value + _base62(int.from_bytes(rest), _width(SECRET_BYTES))
    return body + _checksum(body)


def is_personal(kind: PersonalKind, token: str) -> bool:
    """Whether it may have been minted as this kind."""
    body, check = token[:-_CHECK], token[-_CHECK:]
    size = len(kind.value) + _width(SECRET_BYTES)
    return token.isascii() and token.startswith(kind.value) and len(body) == size and _checksum(body) == check


def digest(token: str) -> bytes:
    """SHA-256 of the whole token: enough for 256 random bits, and all that is stored."""
    return hashlib.sha256(token.encode()).digest()


@functools.cache
def _width(size: int) -> int:
    """Characters of base62 that hold any `size` bytes."""
    return len(_base62((1 << (8 * size)) - 1, 0))


def _base62(number: int, width: int) -> str:
    digits: list[str] = []
    while number:
        number, value = divmod(number, 62)
        digits.append(_ALPHABET[value])
    return "".join(reversed(digits)).rjust(width, "0")


def _number(text: str) -> int | None:
    number = 0
    for character in text:
        value = _VALUES.get(character)
        if value is None:
            return None
        number = number * 62 + value
    return number


def _checksum(body: str) -> str:
    return _base62(binascii.crc32(body.encode()), _CHECK)

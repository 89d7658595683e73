"""The public keys by which a partner proves itself (RFC 7517, RFC 7518, RFC 8037): never a private one."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from domain.errors import InvalidRange

KEY_COUNT = 10
SMALLEST_RSA, LARGEST_RSA = 2_048, 8_192
"""Bits."""

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "r", "t"})
_KEPT = ("kty", "n", "e", "crv", "x", "y", "kid", "use", "alg")
_ALGORITHMS: Mapping[str, frozenset[str]] = {
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "P-256": frozenset({"ES256"}),
    "P-384": frozenset({"ES384"}),
    "Ed25519": frozenset({"EdDSA", "Ed25519"}),
}
_CURVES: Mapping[str, tuple[int, int, int]] = {
    "P-256": (
        32,
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    ),
    "P-384": (
        48,
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    ),
}
"""Of each: the bytes of a coordinate, its prime, and the constant of its equation (FIPS 186-4, D.1.2)."""


def checked_jwks(document: object) -> Mapping[str, Any]:
    """A key set with 1 to 10 public keys and nothing else in it; InvalidRange("jwks") for any other.

    RSA of at least 2048 bits, EC on P-256 or P-384, or Ed25519.
    """
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= KEY_COUNT:
        raise _wrong(f'must be {{"keys": […]}} with 1 to {KEY_COUNT} keys')
    found = [_checked(key) for key in keys]
    named = [key["kid"] for key in found if "kid" in key]
    if len(set(named)) < len(named) or (len(found) > 1 and len(named) < len(found)):
        raise _wrong("must tell its keys apart by kid")
    return {"keys": found}


def _checked(key: object) -> dict[str, str]:
    if not isinstance(key, Mapping):
        raise _wrong("must hold keys that are objects")
    if _PRIVATE & key.keys():
        raise _wrong("must not hold a private key: send the public half, and replace the pair, as it is known now")
    kept = {name: key[name] for name in _KEPT if name in key}
    if not all(isinstance(value, str) and len(value) <= 2_000 for value in kept.values()):
        raise _wrong("must have members that are texts")
    kind = _check_numbers(kept)
    if kept.get("use", "sig") != "sig" or kept.get("alg", next(iter(_ALGORITHMS[kind]))) not in _ALGORITHMS[kind]:
        raise _wrong("must hold keys for signatures, with an algorithm that fits them")
    return kept


def _check_numbers(key: Mapping[str, str]) -> str:
    """What kind of key it is, as the table of algorithms names it."""
    match key.get("kty"), key.get("crv"):
        case "RSA", None:
            modulus, exponent = _number(key, "n"), _number(key, "e")
            if not SMALLEST_RSA <= modulus.bit_length() <= LARGEST_RSA or not modulus & exponent & 1 or exponent < 3:
                raise _wrong(f"must have RSA keys of {SMALLEST_RSA} to {LARGEST_RSA} bits")
            return "RSA"
        case "EC", ("P-256" | "P-384") as curve:
            size, prime, constant = _CURVES[curve]
            x, y = _number(key, "x", size), _number(key, "y", size)
            if max(x, y) >= prime or (y * y - (x * x * x - 3 * x + constant)) % prime:
                raise _wrong("must have EC keys that are points of their curve")
            return curve
        case "OKP", "Ed25519":
            _number(key, "x", 32)
            return "Ed25519"
    raise _wrong("must hold RSA keys, EC keys on P-256 or P-384, or Ed25519 keys")


def _number(key: Mapping[str, str], name: str, size: int | None = None) -> int:
    text = key.get(name, "")
    try:
        octets = b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except (binascii.Error, ValueError):  # the latter for what is not ASCII
        octets = b""
    if not octets or size not in (None, len(octets)):
        raise _wrong(f"must have a {name} in base64url of the right length")
    return int.from_bytes(octets)


def _wrong(reason: str) -> InvalidRange:
    return InvalidRange("jwks", reason)

"""Key sets of partners: public keys that are strong enough, and nothing else."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey

from domain.errors import InvalidRange
from domain.model.jwks import checked_jwks

Jwk = dict[str, Any]

RSA = RSAKey.import_key(rsa.generate_private_key(65_537, 2_048))
P256 = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
P384 = ECKey.import_key(ec.generate_private_key(ec.SECP384R1()))
ED25519 = OKPKey.import_key(ed25519.Ed25519PrivateKey.generate())
EVERY = [RSA, P256, P384, ED25519]


def public(key: Any, **more: Any) -> Jwk:
    return {**key.as_dict(private=False), **more}


@pytest.mark.parametrize("key", EVERY, ids=["rsa", "p-256", "p-384", "ed25519"])
def test_public_keys_are_kept_as_they_are(key: Any) -> None:
    kept = checked_jwks({"keys": [public(key, kid="a", use="sig")]})["keys"]
    assert kept == [{**key.as_dict(private=False), "kid": "a", "use": "sig"}]


def test_what_is_beside_a_key_is_not_kept() -> None:
    (kept,) = checked_jwks({"keys": [public(P256, x5c=["certificate"], note="x")], "more": 1})["keys"]
    assert not {"x5c", "note"} & kept.keys()


@pytest.mark.parametrize("key", EVERY, ids=["rsa", "p-256", "p-384", "ed25519"])
def test_a_private_key_is_refused_and_not_repeated(key: Any) -> None:
    whole = key.as_dict(private=True)
    with pytest.raises(InvalidRange, match="private") as refused:
        checked_jwks({"keys": [whole]})
    assert whole["d"] not in str(refused.value)


def test_a_shared_secret_is_no_key() -> None:
    with pytest.raises(InvalidRange):
        checked_jwks({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})


WEAK = {"kty": "RSA", "e": "AQAB", "n": urlsafe_b64encode(((1 << 2_047) - 1).to_bytes(256)).decode().rstrip("=")}
P521 = ECKey.import_key(ec.generate_private_key(ec.SECP521R1()))


@pytest.mark.parametrize(
    "key",
    [
        WEAK,
        public(P521),
        {**public(P256), "crv": "P-384"},
        {**public(P256), "y": public(P256)["x"]},
        {**public(P256), "x": public(P256)["x"] + "AAAA"},
        {**public(RSA), "e": "Ag"},
        {**public(RSA), "n": "not base64!"},
        {**public(RSA), "n": "ñ"},
        {**public(RSA), "n": 5},
        {name: value for name, value in public(RSA).items() if name != "n"},
        {**public(ED25519), "x": "AAAA"},
        {**public(ED25519), "crv": "X25519"},
        public(RSA, use="enc"),
        public(RSA, alg="HS256"),
        public(RSA, alg="ES256"),
        public(RSA, alg="none"),
        "key",
        None,
        {},
    ],
)
def test_these_are_no_keys_to_prove_oneself_by(key: Any) -> None:
    with pytest.raises(InvalidRange) as refused:
        checked_jwks({"keys": [key]})
    assert refused.value.field == "jwks"


@pytest.mark.parametrize("document", [None, [], {}, "x", {"keys": []}, {"keys": {}}, {"keys": [public(P256)] * 11}])
def test_these_are_no_key_sets(document: Any) -> None:
    with pytest.raises(InvalidRange):
        checked_jwks(document)


def test_several_keys_are_told_apart_by_their_ids() -> None:
    checked_jwks({"keys": [public(RSA, kid="a"), public(P256, kid="b")]})
    for ids in ({}, {"kid": "a"}):
        with pytest.raises(InvalidRange, match="kid"):
            checked_jwks({"keys": [public(RSA, kid="a"), {**public(ED25519), **ids}]})

"""Which stores can be named, and what a name leads to."""

import base64
import hashlib
import hmac

import pytest

from infrastructure.db.engine import address
from infrastructure.db.roles import scram


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("postgresql://u:p@h:5433/d", "postgresql+asyncpg"),
        ("postgres://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+asyncpg"),
        ("sqlite:///portunus.db", "sqlite+aiosqlite"),
    ],
)
def test_the_driver_is_ours_to_choose(given: str, driver: str) -> None:
    assert address(given).drivername == driver


def test_everything_else_of_an_address_stays() -> None:
    url = address("postgres://u:p%40ss@h:5433/d?host=/run")
    assert (url.username, url.password, url.port, url.database, url.query) == ("u", "p@ss", 5433, "d", {"host": "/run"})


def test_another_store_is_refused() -> None:
    with pytest.raises(ValueError, match="postgresql:// or sqlite://"):
        address("mysql://h/d")


def test_a_stored_password_proves_the_server_in_the_exchange_of_rfc_7677() -> None:
    nonce, salt = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ=="
    exchange = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s={salt},i=4096,c=biws,r={nonce}".encode()
    method, rounds_salt, keys = scram("pencil", base64.b64decode(salt)).split("$")
    stored, server = map(base64.b64decode, keys.split(":"))
    assert (method, rounds_salt) == ("SCRAM-SHA-256", f"4096:{salt}")
    signature = hmac.digest(server, exchange, "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    mask = hmac.digest(stored, exchange, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, mask, strict=True))
    assert hashlib.sha256(client_key).digest() == stored


def test_a_password_is_salted_anew_each_time() -> None:
    assert scram("pencil") != scram("pencil")

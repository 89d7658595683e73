"""Passwords: which are taken, and how they are kept."""

import asyncio
import threading
from typing import Literal

import pytest
from argon2 import PasswordHasher

from domain.errors import InvalidRange
from domain.model.passwords import checked_password
from infrastructure.crypto.passwords import AT_ONCE, Argon2Passwords

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "aller Anfang ist schwer",
        "👋🏽" * 3 + "abcdef",
        "correct horse battery staple",
        " leading and trailing blanks ",
        "x" * 1_021 + "abc",
        "portunus is the god of keys",
    ],
)
def test_a_long_password_is_taken_as_it_is(password: str) -> None:
    assert checked_password(password, "ada@portunus.example", "Ada") == password


@pytest.mark.parametrize(
    "password",
    [
        "eleven char",
        "é" * 3,
        "e\u0301" * 11,
        "",
        "abc" * 342,
        "Password1234",
        "correcthorsebatterystaple",
        "aaaaaaaaaaaa",
        "abababababab",
        "portunusportunus",
        "Portunus2026!",
        "ADA@portunus.example",
        "ada lovelace",
    ],
)
def test_short_and_obvious_passwords_are_refused(password: str) -> None:
    with pytest.raises(InvalidRange) as refused:
        checked_password(password, "ada@portunus.example", "Ada Lovelace")
    assert not password or password not in str(refused.value)


def test_the_length_is_that_of_the_normal_form() -> None:
    assert len(checked_password("abcdefghijke\u0301")) == 12


async def test_a_hash_is_argon2id_of_rfc_9106_and_fits_its_password_alone() -> None:
    passwords = Argon2Passwords()
    hashed = await passwords.hashed("a long enough password")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await passwords.fits("a long enough password", hashed)
    assert not await passwords.fits("another long password", hashed)
    assert not passwords.outdated(hashed)
    assert passwords.outdated(CHEAP.hash("a long enough password"))
    passwords.close()


async def test_another_keyboard_types_the_same_password() -> None:
    passwords = Argon2Passwords(CHEAP)
    assert await passwords.fits("cafe\u0301 au lait, twice", await passwords.hashed("caf\u00e9 au lait, twice"))
    passwords.close()


async def test_without_a_hash_as_much_is_computed_and_nothing_fits() -> None:
    class Counting(PasswordHasher):
        verified = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
            Counting.verified += 1
            return super().verify(hash, password)

    passwords = Argon2Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))
    assert not await passwords.fits("nobody's", None)
    assert not await passwords.fits("a long enough password", None)
    assert Counting.verified == 2
    assert not await passwords.fits("a long enough password", "no hash")
    passwords.close()


async def test_only_a_few_are_hashed_at_once() -> None:
    running, most, guard = 0, 0, threading.Lock()
    enough = threading.Barrier(AT_ONCE)

    class Watching(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            nonlocal running, most
            with guard:
                running += 1
                most = max(most, running)
            enough.wait(10)
            with guard:
                running -= 1
            return "hash"

    passwords = Argon2Passwords(Watching())
    await asyncio.gather(*(passwords.hashed("a") for _ in range(4 * AT_ONCE)))
    assert most == AT_ONCE
    passwords.close()

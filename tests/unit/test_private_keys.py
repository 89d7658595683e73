"""Parsed private keys stay for a while, and no longer."""

from uuid import UUID

import pytest
from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey

from domain.model.ids import KeyId, TenantId
from domain.model.tenant import TenantKey
from infrastructure.crypto.private_keys import LEASE, PrivateKeys

PARSED = RSA.construct((3233, 17))


class Parsing:
    """Counts what it parses, by tenant and key; refuses a key that is marked as broken."""

    def __init__(self) -> None:
        self.done: list[tuple[int, int]] = []
        self.seconds = 0.0

    def __call__(self, key: TenantKey) -> RsaKey:
        self.done.append((key.tenant_id.int, key.id.int))
        if key.wrapped_private == b"broken":
            raise ValueError
        return PARSED

    def monotonic(self) -> float:
        return self.seconds


def key(number: int, tenant: int = 1, wrapped: bytes = b"") -> TenantKey:
    return TenantKey(TenantId(UUID(int=tenant)), KeyId(UUID(int=number)), b"", wrapped, "m")


def test_a_key_is_parsed_once_and_again_after_its_lease() -> None:
    parsing = Parsing()
    keys = PrivateKeys(parsing, parsing.monotonic)
    assert keys(key(1)) is keys(key(1)) is PARSED
    parsing.seconds = LEASE - 1
    keys(key(1))
    assert parsing.done == [(1, 1)]
    parsing.seconds = LEASE
    keys(key(1))
    assert parsing.done == [(1, 1), (1, 1)]


def test_keys_whose_lease_is_over_leave_the_memory_when_another_comes() -> None:
    parsing = Parsing()
    keys = PrivateKeys(parsing, parsing.monotonic)
    keys(key(1))
    keys(key(2))
    parsing.seconds = LEASE
    keys(key(3))
    assert keys.kept == 1


def test_using_a_key_does_not_prolong_its_lease() -> None:
    parsing = Parsing()
    keys = PrivateKeys(parsing, parsing.monotonic)
    for parsing.seconds in (0, LEASE / 2, LEASE):
        keys(key(1))
    assert len(parsing.done) == 2


def test_the_key_that_was_used_longest_ago_makes_room() -> None:
    parsing = Parsing()
    keys = PrivateKeys(parsing, parsing.monotonic, room=2)
    for number in (1, 2, 1, 3, 1, 2):
        keys(key(number))
    assert [number for _, number in parsing.done] == [1, 2, 3, 2]


def test_the_same_id_at_another_tenant_is_another_key() -> None:
    parsing = Parsing()
    keys = PrivateKeys(parsing, parsing.monotonic)
    keys(key(1, tenant=1))
    keys(key(1, tenant=2))
    assert parsing.done == [(1, 1), (2, 1)]


def test_a_failure_is_not_remembered() -> None:
    parsing = Parsing()
    keys = PrivateKeys(parsing, parsing.monotonic)
    with pytest.raises(ValueError):  # noqa: PT011 - the parser's own, without words
        keys(key(1, wrapped=b"broken"))
    assert keys(key(1)) is PARSED


def test_the_keys_of_a_tenant_are_forgotten_and_no_others() -> None:
    parsing = Parsing()
    keys = PrivateKeys(parsing, parsing.monotonic)
    for tenant, number in ((1, 1), (1, 2), (2, 1)):
        keys(key(number, tenant))
    keys.forget(TenantId(UUID(int=1)))
    assert keys.kept == 1
    keys(key(1, tenant=2))
    keys(key(1, tenant=1))
    assert parsing.done == [(1, 1), (1, 2), (2, 1), (1, 1)]

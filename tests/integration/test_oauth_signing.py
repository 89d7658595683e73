"""The issuer's keys: made once, announced before they sign, found for as long as anything of theirs is good."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import delete
from uuid_utils.compat import uuid7

from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.crypto.signing import RsaSigner
from infrastructure.db.access_tables import signing_keys
from infrastructure.db.directory import SqlDirectory, directory
from infrastructure.db.engine import open_engine
from tests.databases import Urls
from tests.fakes import FakeClock

OLD, NEW = MasterKeys.of(bytes(32)), MasterKeys.of(b"n" * 32, bytes(32))
LIFETIME = timedelta(minutes=30)
CLAIMS = {"sub": "ada"}


class Issuers:
    """Processes that share a store; each remembers keys for itself."""

    def __init__(self, urls: Urls, threads: ThreadPoolExecutor) -> None:
        self.engine, self.threads, self.clock = open_engine(urls.app), threads, FakeClock()

    def one(self, master_keys: MasterKeys = OLD) -> RsaSigner:
        return RsaSigner(directory(self.engine), master_keys, self.clock, uuid7, LIFETIME, self.threads)

    async def clear(self) -> None:
        """Keys belong to no tenant, so tests that share a database would find one another's."""
        async with SqlDirectory(self.engine) as above:
            await above.signing_keys.connection.execute(delete(signing_keys))


@asynccontextmanager
async def issuers(urls: Urls) -> AsyncIterator[Issuers]:
    with ThreadPoolExecutor(2) as threads:
        there = Issuers(urls, threads)
        await there.clear()
        try:
            yield there
        finally:
            await there.clear()
            await there.engine.dispose()


@pytest.fixture
async def there(sqlite_urls: Urls) -> AsyncIterator[Issuers]:
    async with issuers(sqlite_urls) as built:
        yield built


async def signed(signer: RsaSigner) -> str:
    sign = await signer.ready()
    return await sign(CLAIMS, "JWT")


def kid(token: str) -> str:
    return str(json.loads(urlsafe_b64decode(token.split(".")[0] + "=="))["kid"])


async def published(signer: RsaSigner) -> list[str]:
    return [key["kid"] for key in await signer.public_keys()]


async def test_processes_that_begin_at_once_make_one_key(urls: Urls) -> None:
    async with issuers(urls) as there:
        signers = [there.one() for _ in range(4)]
        tokens = await asyncio.gather(*(signed(signer) for signer in signers))
        (key,) = map(dict, await signers[0].public_keys())
        for token in tokens:
            assert jwt.decode(token, RSAKey.import_key(key), algorithms=["RS256"]).claims == CLAIMS


async def test_a_published_key_is_public_and_of_3072_bits(there: Issuers) -> None:
    (key,) = await there.one().public_keys()
    assert sorted(key) == ["alg", "e", "kid", "kty", "n", "use"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert len(key["n"]) == 512


async def test_a_new_key_is_found_at_once_and_signs_five_minutes_later(urls: Urls) -> None:
    async with issuers(urls) as there:
        signer, other = there.one(), there.one()
        old = kid(await signed(signer))
        new = str(await other.rotate())
        assert await published(signer) == await published(other) == [old, new]
        there.clock.advance(timedelta(seconds=299))
        assert kid(await signed(signer)) == kid(await signed(other)) == old
        there.clock.advance(timedelta(seconds=61))
        assert kid(await signed(signer)) == kid(await signed(other)) == new


async def test_an_old_key_is_found_until_all_that_it_signed_is_over(there: Issuers) -> None:
    signer = there.one()
    old = kid(await signed(signer))
    new = str(await signer.rotate())
    there.clock.advance(timedelta(seconds=360) + LIFETIME - timedelta(seconds=1))
    assert await published(signer) == [old, new]
    there.clock.advance(timedelta(seconds=1))
    assert await published(signer) == [new]
    await signer.rotate()
    async with SqlDirectory(there.engine) as above:
        assert [str(key.id) for key in await above.signing_keys.all()][:1] == [new]


async def test_the_first_key_may_be_made_by_a_rotation(there: Issuers) -> None:
    signer = there.one()
    made = str(await signer.rotate())
    assert kid(await signed(signer)) == made


async def test_rotations_at_once_each_make_a_key(urls: Urls) -> None:
    async with issuers(urls) as there:
        made = await asyncio.gather(*(there.one().rotate() for _ in range(3)))
        assert sorted(await published(there.one())) == sorted(map(str, made))


async def test_a_key_is_wrapped_anew_and_goes_on(there: Issuers) -> None:
    token = await signed(there.one())
    renewed = there.one(NEW)
    assert await renewed.rewrap() == (1, {})
    assert await renewed.rewrap() == (0, {})
    assert kid(await signed(renewed)) == kid(token)
    with pytest.raises(ValueError, match="not configured"):
        await signed(there.one())


async def test_a_key_that_cannot_be_opened_is_counted(there: Issuers) -> None:
    await signed(there.one())
    lost = there.one(MasterKeys.of(b"n" * 32))
    assert await lost.rewrap() == (0, {OLD.first: 1})


async def test_a_key_rests_wrapped_and_bound_to_its_id(there: Issuers) -> None:
    await signed(there.one())
    async with SqlDirectory(there.engine) as above:
        (key,) = await above.signing_keys.all()
        await above.signing_keys.remove(key)
        await above.signing_keys.add(replace(key, id=uuid7()))
    assert b"PRIVATE" not in key.wrapped_private
    with pytest.raises(ValueError, match="not configured"):
        await signed(there.one())

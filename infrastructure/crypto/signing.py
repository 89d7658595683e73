"""The issuer's signing keys: RSA pairs in the directory, whose private halves rest under the operator's master key."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

from domain.model.authorization import SigningKey
from domain.model.ids import behind
from domain.model.signing import LEASE, published, signing
from domain.ports import BeginDirectory, Clock, Fresh, Sign
from infrastructure.crypto.master_keys import MasterKeys

T = TypeVar("T")

ALGORITHM = "RS256"
BITS = 3072
ISSUER = UUID(int=0)
"""In place of a tenant, where a master key wraps."""


@dataclass(slots=True)
class RsaSigner:
    """`lifetime` is the longest of anything that is signed; `threads` are its owner's to close."""

    begin: BeginDirectory
    master_keys: MasterKeys
    clock: Clock
    fresh: Fresh
    lifetime: timedelta
    threads: ThreadPoolExecutor
    _kept: tuple[datetime, Sequence[SigningKey]] | None = field(default=None, repr=False)
    _private: tuple[UUID, RSAKey] | None = field(default=None, repr=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def ready(self) -> Sign:
        """One at a time looks, so that a process makes no key in vain. ValueError for an unknown master key."""
        async with self._turn:
            now = self.clock()
            if self._kept is None or now >= self._kept[0] + LEASE:
                self._kept = now, await self._keys()
            key = signing(self._kept[1], now)
            if self._private is None or self._private[0] != key.id:
                self._private = key.id, await self._off_loop(lambda: RSAKey.import_key(self._unwrapped(key)))
            return partial(self._sign, *self._private)

    async def public_keys(self) -> Sequence[Mapping[str, Any]]:
        """Read anew each time, so that a new key is found as soon as it is there."""
        return [json.loads(key.public) for key in published(await self._keys(), self.clock(), self.lifetime)]

    async def rotate(self) -> UUID:
        pair, now = await self._off_loop(_pair), self.clock()
        async with self.begin() as directory:
            await directory.signing_keys.lock()
            before = await directory.signing_keys.all()
            key = self._wrapped(pair, behind(before[-1].id, self.fresh()) if before else self.fresh())
            await directory.signing_keys.add(key)
            needed = published([*before, key], now, self.lifetime)
            for old in (old for old in before if old not in needed):
                await directory.signing_keys.remove(old)
        self._kept = None
        return key.id

    async def rewrap(self) -> tuple[int, Mapping[str, int]]:
        first, done, left = self.master_keys.first, 0, Counter[str]()
        async with self.begin() as directory:
            await directory.signing_keys.lock()
            for key in await directory.signing_keys.all():
                if key.master_key_id == first:
                    continue
                try:
                    wrapped = self.master_keys.wrap(ISSUER, key.id, self._unwrapped(key))
                except ValueError:
                    left[key.master_key_id] += 1
                    continue
                await directory.signing_keys.put(replace(key, wrapped_private=wrapped, master_key_id=first))
                done += 1
        return done, left

    async def _keys(self) -> Sequence[SigningKey]:
        """Oldest first. Of those who find none at once, all but one throw away the key that they made."""
        async with self.begin() as directory:
            keys = await directory.signing_keys.all()
        if keys:
            return keys
        pair = await self._off_loop(_pair)
        async with self.begin() as directory:
            await directory.signing_keys.lock()
            if not await directory.signing_keys.all():
                await directory.signing_keys.add(self._wrapped(pair, self.fresh()))
            return await directory.signing_keys.all()

    def _wrapped(self, pair: rsa.RSAPrivateKey, key_id: UUID) -> SigningKey:
        private = pair.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        marks = {"kid": str(key_id), "use": "sig", "alg": ALGORITHM}
        public = {**RSAKey.import_key(private).as_dict(private=False), **marks}
        wrapped = self.master_keys.wrap(ISSUER, key_id, private)
        return SigningKey(key_id, json.dumps(public), wrapped, self.master_keys.first, self.clock())

    def _unwrapped(self, key: SigningKey) -> bytes:
        try:
            return self.master_keys.unwrap(key.master_key_id, ISSUER, key.id, key.wrapped_private)
        except (KeyError, ValueError):
            raise ValueError("a signing key is wrapped under a master key that is not configured") from None

    async def _sign(self, key_id: UUID, private: RSAKey, claims: Mapping[str, Any], kind: str) -> str:
        header = {"alg": ALGORITHM, "kid": str(key_id), "typ": kind}
        return await self._off_loop(lambda: jwt.encode(header, dict(claims), private, [ALGORITHM]))

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


def _pair() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, BITS)

"""The vault: key pairs made, forms sealed and opened, all in threads so that the event loop never waits for RSA."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

import orjson
from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from domain.errors import CredentialUnreadable
from domain.model.catalogue import FormValues
from domain.model.credential import SealContext, Sealed
from domain.model.ids import KeyId, TenantId
from domain.model.secret import Secret
from domain.model.tenant import TenantKey
from infrastructure.crypto import envelope
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.crypto.private_keys import PrivateKeys

T = TypeVar("T")

BITS = 3072
"""128 bits of strength (NIST SP 800-57, part 1, table 2)."""


@dataclass(slots=True)
class RsaVault:
    """RSA-3072 pairs whose private halves rest under the operator's master key, and envelopes under the public ones."""

    master_keys: MasterKeys
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "vault"))
    _private: PrivateKeys = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._private = PrivateKeys(self._imported)

    @property
    def master_key_id(self) -> str:
        return self.master_keys.first

    async def keypair(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey:
        return await self._off_loop(lambda: self._generate(tenant_id, key_id))

    async def rewrapped(self, key: TenantKey) -> TenantKey:
        return await self._off_loop(lambda: self._rewrap(key))

    async def seal(self, key: TenantKey, context: SealContext, values: FormValues) -> Sealed:
        sealed = await self._off_loop(
            lambda: envelope.seal(RSA.import_key(key.public), key.id, context, _written(values))
        )
        return Sealed(key.id, sealed)

    async def open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        return await self._off_loop(lambda: self._open(key, context, sealed))

    def forget(self, tenant_id: TenantId) -> None:
        self._private.forget(tenant_id)

    def close(self) -> None:
        """Waits for what runs, at most for one generation of a key; drops what has not begun."""
        self.threads.shutdown(cancel_futures=True)

    def _generate(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey:
        # OpenSSL makes a pair in a quarter of pycryptodome's time; all else is pycryptodome's.
        pair = rsa.generate_private_key(65_537, BITS)
        private = pair.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        public = pair.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        wrapped = self.master_keys.wrap(tenant_id, key_id, private)
        return TenantKey(tenant_id, key_id, public, wrapped, self.master_keys.first)

    def _rewrap(self, key: TenantKey) -> TenantKey:
        try:
            private = self._unwrapped(key)
        except (ValueError, KeyError):
            raise CredentialUnreadable from None
        wrapped = self.master_keys.wrap(key.tenant_id, key.id, private)
        return replace(key, wrapped_private=wrapped, master_key_id=self.master_keys.first)

    def _open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        try:
            return _read(envelope.unseal(self._private(key), key.id, context, sealed.envelope))
        except (ValueError, KeyError, TypeError, IndexError):
            raise CredentialUnreadable from None

    def _imported(self, key: TenantKey) -> RsaKey:
        return RSA.import_key(self._unwrapped(key))

    def _unwrapped(self, key: TenantKey) -> bytes:
        return self.master_keys.unwrap(key.master_key_id, key.tenant_id, key.id, key.wrapped_private)

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


def _written(values: FormValues) -> bytes:
    """Which of the values are secrets is part of what is sealed."""
    secrets = {name: value.reveal() for name, value in values.items() if isinstance(value, Secret)}
    public = {name: value for name, value in values.items() if isinstance(value, str)}
    return orjson.dumps({"secret": secrets, "public": public})


def _read(plaintext: bytes) -> FormValues:
    form = orjson.loads(plaintext)
    return {**form["public"], **{name: Secret(value) for name, value in form["secret"].items()}}

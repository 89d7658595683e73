"""The vault: key pairs made, forms sealed and opened, all in threads so that the event loop never waits for RSA."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey

from domain.errors import CredentialUnreadable
from domain.model.catalogue import FormValues
from domain.model.credential import SealContext, Sealed
from domain.model.ids import KeyId, TenantId
from domain.model.secret import Secret
from domain.model.tenant import TenantKey
from infrastructure.crypto import envelope
from infrastructure.crypto.master_keys import MasterKeys

T = TypeVar("T")

BITS = 3072
_KEPT = 1_000


@dataclass(slots=True)
class RsaVault:
    """Parsed private keys are kept in memory, at most 1,000: importing one costs tens of milliseconds."""

    master_keys: MasterKeys
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "vault"))
    _private: OrderedDict[KeyId, RsaKey] = field(default_factory=OrderedDict)

    async def keypair(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey:
        return await self._off_loop(lambda: self._generate(tenant_id, key_id))

    async def seal(self, key: TenantKey, context: SealContext, values: FormValues) -> Sealed:
        sealed = await self._off_loop(
            lambda: envelope.seal(RSA.import_key(key.public), key.id, context, _written(values))
        )
        return Sealed(key.id, sealed)

    async def open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        return await self._off_loop(lambda: self._open(key, context, sealed))

    def close(self) -> None:
        self.threads.shutdown(cancel_futures=True)

    def _generate(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey:
        pair = RSA.generate(BITS)
        wrapped = self.master_keys.wrap(tenant_id, key_id, pair.export_key("DER"))
        public = pair.public_key().export_key("DER")
        return TenantKey(tenant_id, key_id, public, wrapped, self.master_keys.first)

    def _open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        try:
            return _read(envelope.open_(self._unwrapped(key), sealed.key_id, context, sealed.envelope))
        except (ValueError, KeyError, TypeError, IndexError):
            raise CredentialUnreadable from None

    def _unwrapped(self, key: TenantKey) -> RsaKey:
        kept = self._private.get(key.id)
        if kept is None:
            der = self.master_keys.unwrap(key.master_key_id, key.tenant_id, key.id, key.wrapped_private)
            kept = self._private[key.id] = RSA.import_key(der)
            if len(self._private) > _KEPT:
                self._private.popitem(last=False)
        return kept

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

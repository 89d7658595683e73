"""The operator's master keys, which wrap the tenants' private keys; a KMS would take this module's place."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from Crypto.Cipher import AES
from Crypto.Cipher._mode_gcm import GcmMode
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from Crypto.Random import get_random_bytes

KEY_BYTES = 32
_NONCE = 12
_TAG = 16


@dataclass(frozen=True, slots=True, repr=False)
class MasterKeys:
    """By id; the first one wraps, all unwrap, so that a key can be replaced while the old one is still in use.

    Wrapping is AES-256-GCM under a key derived per tenant (HKDF-SHA-256, RFC 5869), bound to the wrapped key's id.
    """

    keys: dict[str, bytes]

    @classmethod
    def of(cls, *keys: bytes) -> "MasterKeys":
        """ValueError unless there is at least one key and each has 32 bytes."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError("a master key has exactly 32 bytes")
        return cls({hashlib.sha256(b"portunus master key id" + key).hexdigest()[:16]: key for key in keys})

    @property
    def first(self) -> str:
        return next(iter(self.keys))

    def wrap(self, tenant_id: UUID, key_id: UUID, private: bytes) -> bytes:
        nonce = get_random_bytes(_NONCE)
        sealed, tag = self._cipher(self.first, tenant_id, key_id, nonce).encrypt_and_digest(private)
        return nonce + tag + sealed

    def unwrap(self, master_key_id: str, tenant_id: UUID, key_id: UUID, wrapped: bytes) -> bytes:
        """KeyError for an unknown master key, ValueError when the wrapping does not fit."""
        nonce, tag, sealed = wrapped[:_NONCE], wrapped[_NONCE : _NONCE + _TAG], wrapped[_NONCE + _TAG :]
        return self._cipher(master_key_id, tenant_id, key_id, nonce).decrypt_and_verify(sealed, tag)

    def _cipher(self, master_key_id: str, tenant_id: UUID, key_id: UUID, nonce: bytes) -> GcmMode:
        key = HKDF(self.keys[master_key_id], KEY_BYTES, tenant_id.bytes, SHA256, context=b"portunus tenant key")
        cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
        cipher.update(key_id.bytes)
        return cipher

"""The envelope of a credential's form: a fresh data key under the tenant's public key, the form under the data key.

Layout, version 1: "PTN" 0x01, key id (16), length of the wrapped data key (2, big endian), wrapped data key, nonce
(12), tag (16), ciphertext. RSA-OAEP (RFC 8017) with SHA-256 wraps, AES-256-GCM seals; the associated data is the header
and the context (tenant, credential, version), so an envelope opens nowhere but where it was made.
"""

import struct
from dataclasses import dataclass
from uuid import UUID

from Crypto.Cipher import AES, PKCS1_OAEP
from Crypto.Hash import SHA256
from Crypto.PublicKey.RSA import RsaKey
from Crypto.Random import get_random_bytes

from domain.model.credential import SealContext

_MAGIC = b"PTN\x01"
_HEAD = struct.Struct(">4s16sH")
_DATA_KEY = 32
_NONCE = 12
_TAG = 16


@dataclass(frozen=True, slots=True)
class _Parts:
    head: bytes
    wrapped: bytes
    nonce: bytes
    tag: bytes
    sealed: bytes


def seal(public: RsaKey, key_id: UUID, context: SealContext, plaintext: bytes) -> bytes:
    """Needs the public half of the key only."""
    data_key = get_random_bytes(_DATA_KEY)
    wrapped = PKCS1_OAEP.new(public, hashAlgo=SHA256).encrypt(data_key)
    head = _HEAD.pack(_MAGIC, key_id.bytes, len(wrapped))
    nonce = get_random_bytes(_NONCE)
    cipher = AES.new(data_key, AES.MODE_GCM, nonce=nonce)
    cipher.update(head + _bound_to(context))
    sealed, tag = cipher.encrypt_and_digest(plaintext)
    return head + wrapped + nonce + tag + sealed


def unseal(private: RsaKey, key_id: UUID, context: SealContext, envelope: bytes) -> bytes:
    """ValueError when anything does not fit: version, key, context, or a single changed bit."""
    parts = _parts(envelope)
    if parts.head != _HEAD.pack(_MAGIC, key_id.bytes, len(parts.wrapped)):
        raise ValueError("another version or another key")
    data_key = PKCS1_OAEP.new(private, hashAlgo=SHA256).decrypt(parts.wrapped)
    cipher = AES.new(data_key, AES.MODE_GCM, nonce=parts.nonce)
    cipher.update(parts.head + _bound_to(context))
    return cipher.decrypt_and_verify(parts.sealed, parts.tag)


def _parts(envelope: bytes) -> _Parts:
    head, rest = envelope[: _HEAD.size], envelope[_HEAD.size :]
    if len(head) < _HEAD.size:
        raise ValueError("too short")
    size = _HEAD.unpack(head)[2]
    wrapped, rest = rest[:size], rest[size:]
    if len(wrapped) < size or len(rest) < _NONCE + _TAG:
        raise ValueError("too short")
    return _Parts(head, wrapped, rest[:_NONCE], rest[_NONCE : _NONCE + _TAG], rest[_NONCE + _TAG :])


def _bound_to(context: SealContext) -> bytes:
    return context.tenant_id.bytes + context.credential_id.bytes + struct.pack(">Q", context.version)

"""The vault against an independent implementation, against tampering, and against showing what it keeps."""

import asyncio
import json
import os
import struct
import traceback
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from Crypto.PublicKey import RSA
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from domain.errors import CredentialUnreadable
from domain.model.catalogue import FormValues
from domain.model.credential import SealContext, Sealed
from domain.model.ids import CredentialId, KeyId, TenantId
from domain.model.secret import Secret
from domain.model.tenant import TenantKey
from infrastructure.crypto import envelope
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.crypto.vault import RsaVault

CANARY = "sk-canary-0123456789"
FORM: FormValues = {"api_key": Secret(CANARY), "base_url": "https://vendor.example/ø", "empty": ""}
MASTER = bytes(range(32))
TENANT, OTHER_TENANT = TenantId(UUID(int=1)), TenantId(UUID(int=2))
CONTEXT = SealContext(TENANT, CredentialId(UUID(int=3)), 1)
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
HEAD = struct.Struct(">4s16sH")


@pytest.fixture(scope="module")
def vault() -> Iterator[RsaVault]:
    opened = RsaVault(MasterKeys.of(MASTER))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def keys(vault: RsaVault) -> tuple[TenantKey, TenantKey]:
    """Of two tenants."""

    async def made() -> tuple[TenantKey, TenantKey]:
        first = vault.keypair(TENANT, KeyId(UUID(int=10)))
        return await asyncio.gather(first, vault.keypair(OTHER_TENANT, KeyId(UUID(int=11))))

    return asyncio.run(made())


@pytest.fixture(scope="module")
def key(keys: tuple[TenantKey, TenantKey]) -> TenantKey:
    return keys[0]


def bound_to(context: SealContext) -> bytes:
    return context.tenant_id.bytes + context.credential_id.bytes + struct.pack(">Q", context.version)


def unwrapped(key: TenantKey) -> rsa.RSAPrivateKey:
    """The private half, by `cryptography` alone."""
    derived = HKDF(hashes.SHA256(), 32, key.tenant_id.bytes, b"portunus tenant key").derive(MASTER)
    nonce, tag, sealed = key.wrapped_private[:12], key.wrapped_private[12:28], key.wrapped_private[28:]
    private = load_der_private_key(AESGCM(derived).decrypt(nonce, sealed + tag, key.id.bytes), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return private


def opened_elsewhere(private: rsa.RSAPrivateKey, context: SealContext, sealed: bytes) -> tuple[bytes, Any]:
    """(data key, form), by `cryptography` alone."""
    size = HEAD.unpack(sealed[:22])[2]
    wrapped, nonce, tag, rest = sealed[22 : 22 + size], *_cut(sealed[22 + size :], 12, 16)
    data_key = private.decrypt(wrapped, OAEP)
    return data_key, json.loads(AESGCM(data_key).decrypt(nonce, rest + tag, sealed[:22] + bound_to(context)))


def sealed_elsewhere(key: TenantKey, context: SealContext, form: Any) -> bytes:
    public = load_der_public_key(key.public)
    assert isinstance(public, rsa.RSAPublicKey)
    data_key, nonce = os.urandom(32), os.urandom(12)
    wrapped = public.encrypt(data_key, OAEP)
    head = HEAD.pack(b"PTN\x01", key.id.bytes, len(wrapped))
    sealed = AESGCM(data_key).encrypt(nonce, json.dumps(form).encode(), head + bound_to(context))
    return head + wrapped + nonce + sealed[-16:] + sealed[:-16]


def _cut(data: bytes, *sizes: int) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


async def unreadable(vault: RsaVault, key: TenantKey, context: SealContext, sealed: Sealed) -> bool:
    try:
        await vault.open(key, context, sealed)
    except CredentialUnreadable:
        return True
    return False


async def test_a_form_comes_back_with_its_secrets_still_wrapped(vault: RsaVault, key: TenantKey) -> None:
    sealed = await vault.seal(key, CONTEXT, FORM)
    assert sealed.key_id == key.id
    assert await vault.open(key, CONTEXT, sealed) == FORM


async def test_a_form_larger_than_rsa_could_hold_comes_back(vault: RsaVault, key: TenantKey) -> None:
    form: FormValues = {"service_account": Secret("x" * 100_000)}
    assert await vault.open(key, CONTEXT, await vault.seal(key, CONTEXT, form)) == form


async def test_another_implementation_opens_the_envelope(vault: RsaVault, key: TenantKey) -> None:
    sealed = await vault.seal(key, CONTEXT, FORM)
    _, form = opened_elsewhere(unwrapped(key), CONTEXT, sealed.envelope)
    assert form == {"secret": {"api_key": CANARY}, "public": {"base_url": "https://vendor.example/ø", "empty": ""}}


async def test_the_envelope_of_another_implementation_opens(vault: RsaVault, key: TenantKey) -> None:
    form = {"secret": {"api_key": CANARY}, "public": {"region": "eu"}}
    sealed = Sealed(key.id, sealed_elsewhere(key, CONTEXT, form))
    assert await vault.open(key, CONTEXT, sealed) == {"api_key": Secret(CANARY), "region": "eu"}


def test_an_envelope_of_the_first_version_opens_for_ever() -> None:
    """Made once by `cryptography`, with a key that was made for this file alone."""
    vector = json.loads((Path(__file__).parent / "data/envelope_v1.json").read_text())
    context = SealContext(TenantId(UUID(vector["tenant"])), CredentialId(UUID(vector["credential"])), vector["version"])
    private = RSA.import_key(b64decode(vector["private"]))
    opened = envelope.unseal(private, UUID(vector["key"]), context, b64decode(vector["envelope"]))
    assert opened == vector["plaintext"].encode()


async def test_the_pair_is_rsa_of_3072_bits(key: TenantKey) -> None:
    assert unwrapped(key).key_size == 3072


async def test_sealing_needs_the_public_half_alone(vault: RsaVault, key: TenantKey) -> None:
    half = replace(key, wrapped_private=b"", master_key_id="")
    assert await vault.open(key, CONTEXT, await vault.seal(half, CONTEXT, FORM)) == FORM


async def test_data_key_nonce_and_wrapping_are_new_each_time(vault: RsaVault, key: TenantKey) -> None:
    envelopes = [(await vault.seal(key, CONTEXT, FORM)).envelope for _ in range(20)]
    private = unwrapped(key)
    data_keys = {opened_elsewhere(private, CONTEXT, e)[0] for e in envelopes}
    nonces = {e[22 + 384 : 22 + 384 + 12] for e in envelopes}
    wrappings = {e[22 : 22 + 384] for e in envelopes}
    assert (len(data_keys), len(nonces), len(wrappings)) == (20, 20, 20)


async def test_the_tenants_private_keys_are_wrapped_with_new_nonces(keys: tuple[TenantKey, TenantKey]) -> None:
    first, second = (key.wrapped_private[:12] for key in keys)
    assert first != second


async def test_no_byte_of_an_envelope_can_be_changed(vault: RsaVault, key: TenantKey) -> None:
    sealed = (await vault.seal(key, CONTEXT, {"k": Secret("v")})).envelope
    changed = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]
    attempts = [unreadable(vault, key, CONTEXT, Sealed(key.id, e)) for e in changed]
    assert await asyncio.gather(*attempts) == [True] * len(sealed)


async def test_no_envelope_can_be_cut_or_lengthened(vault: RsaVault, key: TenantKey) -> None:
    sealed = (await vault.seal(key, CONTEXT, {"k": Secret("v")})).envelope
    others = [b"", b"\0", *(sealed[:n] for n in (3, 21, 22, 100, 406, 420, 434, len(sealed) - 1)), sealed + b"\0"]
    assert [await unreadable(vault, key, CONTEXT, Sealed(key.id, e)) for e in others] == [True] * len(others)


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(CONTEXT, tenant_id=OTHER_TENANT),
        replace(CONTEXT, credential_id=CredentialId(UUID(int=4))),
        replace(CONTEXT, version=2),
    ],
    ids=["tenant", "credential", "version"],
)
async def test_an_envelope_does_not_open_as_anothers(vault: RsaVault, key: TenantKey, elsewhere: SealContext) -> None:
    sealed = await vault.seal(key, CONTEXT, FORM)
    assert await unreadable(vault, key, elsewhere, sealed)


async def test_another_tenants_key_does_not_open_it(vault: RsaVault, keys: tuple[TenantKey, TenantKey]) -> None:
    mine, others = keys
    sealed = await vault.seal(mine, CONTEXT, FORM)
    assert await unreadable(vault, others, CONTEXT, sealed)
    assert await unreadable(vault, others, CONTEXT, Sealed(others.id, sealed.envelope))


async def test_a_private_key_does_not_unwrap_as_anothers(vault: RsaVault, key: TenantKey) -> None:
    sealed = await vault.seal(key, CONTEXT, FORM)
    for moved in (replace(key, tenant_id=OTHER_TENANT), replace(key, id=KeyId(UUID(int=99)))):
        assert await unreadable(vault, moved, CONTEXT, sealed)


async def test_another_master_key_opens_nothing(vault: RsaVault, key: TenantKey) -> None:
    sealed = await vault.seal(key, CONTEXT, FORM)
    stranger = RsaVault(MasterKeys.of(bytes(32)))
    assert await unreadable(stranger, key, CONTEXT, sealed)
    assert await unreadable(stranger, replace(key, master_key_id=stranger.master_keys.first), CONTEXT, sealed)
    stranger.close()


async def test_an_old_master_key_still_unwraps_and_the_first_one_wraps(vault: RsaVault, key: TenantKey) -> None:
    sealed = await vault.seal(key, CONTEXT, FORM)
    renewed = RsaVault(MasterKeys.of(b"n" * 32, MASTER))
    assert await renewed.open(key, CONTEXT, sealed) == FORM
    newer = renewed.master_keys.wrap(TENANT, key.id, b"private")
    assert renewed.master_keys.unwrap(renewed.master_keys.first, TENANT, key.id, newer) == b"private"
    assert renewed.master_keys.first != key.master_key_id
    renewed.close()


async def test_a_key_that_is_wrapped_anew_needs_the_old_master_key_no_more(vault: RsaVault, key: TenantKey) -> None:
    sealed = await vault.seal(key, CONTEXT, FORM)
    both, new, old = (RsaVault(MasterKeys.of(*masters)) for masters in ((b"n" * 32, MASTER), (b"n" * 32,), (MASTER,)))
    renewed = await both.rewrapped(key)
    assert (renewed.id, renewed.public, renewed.master_key_id) == (key.id, key.public, both.master_key_id)
    assert await new.open(renewed, CONTEXT, sealed) == FORM
    assert await unreadable(old, renewed, CONTEXT, sealed)
    with pytest.raises(CredentialUnreadable):
        await new.rewrapped(key)
    with pytest.raises(CredentialUnreadable):
        await both.rewrapped(replace(key, tenant_id=OTHER_TENANT))
    for made in (both, new, old):
        made.close()


async def test_a_vault_forgets_a_tenants_private_keys(vault: RsaVault, key: TenantKey) -> None:
    await vault.open(key, CONTEXT, await vault.seal(key, CONTEXT, FORM))
    kept = vault._private.kept
    vault.forget(TENANT)
    assert vault._private.kept < kept


async def test_a_refusal_says_nothing_of_what_is_kept(vault: RsaVault, key: TenantKey) -> None:
    sealed = await vault.seal(key, CONTEXT, FORM)
    with pytest.raises(CredentialUnreadable) as refusal:
        await vault.open(key, replace(CONTEXT, version=2), sealed)
    told = "".join(traceback.format_exception(refusal.value)) + repr(refusal.value) + str(refusal.value)
    assert CANARY not in told
    assert "MAC" not in told
    assert refusal.value.__suppress_context__


async def test_the_vault_does_not_show_its_keys(vault: RsaVault) -> None:
    shown = repr(vault) + repr(vault.master_keys) + str(vault.master_keys)
    assert MASTER.hex() not in shown
    assert repr(MASTER) not in shown
    assert "_private" not in shown


async def test_an_envelope_contains_no_secret_in_clear(vault: RsaVault, key: TenantKey) -> None:
    sealed = await vault.seal(key, CONTEXT, FORM)
    assert CANARY.encode() not in sealed.envelope
    assert b"vendor.example" not in sealed.envelope
    assert unwrapped(key).private_numbers().d.to_bytes(384)[:16] not in key.wrapped_private


async def test_the_event_loop_turns_while_a_pair_is_made(vault: RsaVault) -> None:
    making = asyncio.create_task(vault.keypair(TENANT, KeyId(UUID(int=12))))
    turns = 0
    while not making.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 1


@pytest.mark.parametrize("keys", [(), (b"short",), (bytes(32), b"x" * 31), (bytes(33),)])
def test_master_keys_have_exactly_32_bytes(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="exactly 32 bytes"):
        MasterKeys.of(*keys)

"""Tokens say which tenant they belong to, and whether they were ever minted, without a look-up."""

import hashlib
import re
import zlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.ids import TenantId
from domain.model.tokens import Kind, PersonalKind, digest, is_personal, mint, mint_personal, parse

TENANT = TenantId(UUID("0192f0c4-7a3b-7cc1-9e0a-112233445566"))
TOKEN = mint(Kind.ACCESS_TOKEN, TENANT, bytes(range(32)))
SIZES = {Kind.CLIENT_ID: 16, Kind.API_KEY: 48}
WIDTHS = {16: 43, 32: 65, 48: 86}


def size(kind: Kind) -> int:
    return SIZES.get(kind, 32)


@given(st.sampled_from(Kind), st.uuids(), st.data())
def test_what_was_minted_is_read_back(kind: Kind, tenant: UUID, data: st.DataObject) -> None:
    rest = data.draw(st.binary(min_size=size(kind), max_size=size(kind)))
    token = mint(kind, TenantId(tenant), rest)
    parsed = parse(kind, token)
    assert parsed is not None
    assert (parsed.tenant_id, parsed.rest) == (tenant, rest)
    assert re.fullmatch(r"ptn_[a-z]{2}_[0-9A-Za-z]+", token)
    assert len(token) == 7 + WIDTHS[size(kind)] + 6


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_the_length_does_not_depend_on_the_content(byte: int) -> None:
    extreme = mint(Kind.ACCESS_TOKEN, TenantId(UUID(bytes=bytes([byte]) * 16)), bytes([byte]) * 32)
    assert len(extreme) == len(TOKEN)


def test_a_scanner_can_check_the_last_six_characters_by_itself() -> None:
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    checksum = sum(alphabet.index(c) * 62**i for i, c in enumerate(reversed(TOKEN[-6:])))
    assert checksum == zlib.crc32(TOKEN[:-6].encode())


@pytest.mark.parametrize("position", range(len(TOKEN)))
def test_one_changed_character_makes_it_malformed(position: int) -> None:
    other = "0" if TOKEN[position] != "0" else "1"
    assert parse(Kind.ACCESS_TOKEN, TOKEN[:position] + other + TOKEN[position + 1 :]) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "ptn_at_",
        TOKEN[:-1],
        TOKEN + "0",
        " " + TOKEN,
        TOKEN + "\n",
        TOKEN.upper(),
        "ptn_at_" + "é" * 71,
        "ptn_at_" + "\ud800" * 71,
    ],
    ids=["empty", "prefix", "short", "long", "blank", "newline", "case", "foreign letters", "lone surrogate"],
)
def test_what_was_never_minted_is_none(token: str) -> None:
    assert parse(Kind.ACCESS_TOKEN, token) is None


def test_a_number_beyond_the_payload_is_none_even_with_a_right_checksum() -> None:
    body = "ptn_at_" + "z" * 65
    number, check = zlib.crc32(body.encode()), ""
    while number:
        number, value = divmod(number, 62)
        check = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[value] + check
    assert parse(Kind.ACCESS_TOKEN, body + check.rjust(6, "0")) is None


def test_one_kind_is_not_taken_for_another() -> None:
    secret = mint(Kind.CLIENT_SECRET, TENANT, bytes(32))
    assert parse(Kind.ACCESS_TOKEN, secret) is None
    assert parse(Kind.CLIENT_SECRET, secret) is not None


@given(st.text())
def test_any_text_is_refused_without_an_error(text: str) -> None:
    assert parse(Kind.ACCESS_TOKEN, text) is None
    assert parse(Kind.ACCESS_TOKEN, "ptn_at_" + text) is None


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_only_the_right_number_of_bytes_is_minted(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        mint(Kind.ACCESS_TOKEN, TENANT, bytes(length))


def test_the_digest_is_of_the_whole_token() -> None:
    assert digest(TOKEN) == hashlib.sha256(TOKEN.encode()).digest()
    assert digest(TOKEN) != digest(TOKEN[:-1])


def test_a_token_of_a_person_has_a_prefix_and_a_checksum_and_no_tenant() -> None:
    token = mint_personal(PersonalKind.SESSION, bytes(range(32)))
    assert re.fullmatch(r"ptn_se_[0-9A-Za-z]{49}", token)
    assert is_personal(PersonalKind.SESSION, token)
    assert not is_personal(PersonalKind.RESET, token)
    for at in (7, 20, 40):
        assert not is_personal(PersonalKind.SESSION, token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :])
    with pytest.raises(ValueError, match="32 bytes"):
        mint_personal(PersonalKind.RESET, b"")

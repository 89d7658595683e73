"""What an operator sets is checked at once, and never repeated."""

from base64 import b64encode
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from infrastructure.settings import Settings

CANARY = "canary-0123456789"
KEY = b64encode(bytes(range(32))).decode()
OTHER_KEY = b64encode(bytes(32)).decode()


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PORTUNUS_{name.upper()}", raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"PORTUNUS_{name.upper()}", value)
    return Settings()


def test_without_a_setting_it_is_an_embedded_store_on_this_machine() -> None:
    settings = Settings()
    assert settings.database_url == settings.owner_url == "sqlite:///portunus.db"
    assert settings.issuer == "http://127.0.0.1:8080"
    assert settings.token_lifetime.total_seconds() == 3_600
    assert (settings.allowed_networks, settings.platform_keys, settings.ide) == ([], {}, False)


def test_everything_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch,
        migration_url="postgresql://owner@db/portunus",
        allowed_networks="127.0.0.0/8, ::1/128",
        platform_keys='{"openai": {"openai_api_key": "k"}}',
        token_seconds="60",
    )
    assert settings.owner_url == "postgresql://owner@db/portunus"
    assert settings.allowed_networks == [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    assert settings.platform_keys["openai"]["openai_api_key"].get_secret_value() == "k"
    assert settings.token_lifetime.total_seconds() == 60


@pytest.mark.parametrize(
    "variables",
    [
        {"platform_keys": f'{{"openai": "{CANARY}"}}'},
        {"platform_keys": f'{{"openai": {{"key": ["{CANARY}"]}}}}'},
        {"platform_keys": f"{{{CANARY}"},
        {"allowed_networks": CANARY},
        {"token_seconds": CANARY},
        {"token_seconds": "59"},
        {"issuer": f"https://user:{CANARY}@portunus.example"},
        {"call_seconds": "900", "hold_seconds": "900"},
    ],
    ids=lambda variables: ",".join(variables),
)
def test_a_wrong_setting_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as refusal:
        given(monkeypatch, **variables)
    assert CANARY not in str(refusal.value) + repr(refusal.value)


def test_platform_keys_that_are_no_json_are_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match=r"platform_keys\n.*must be JSON"):
        given(monkeypatch, platform_keys="openai=k")


def test_no_secret_is_in_the_settings_when_they_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch,
        database_url=f"postgresql://app:{CANARY}@db/portunus",
        migration_url=f"postgresql://owner:{CANARY}@db/portunus",
        master_key=CANARY,
        platform_keys=f'{{"openai": {{"key": "{CANARY}"}}}}',
    )
    assert CANARY not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://portunus.example",
        "https://portunus.example:8443",
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:8080",
    ],
)
def test_the_issuer_is_an_origin_without_its_last_slash(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    assert given(monkeypatch, issuer=issuer).issuer == issuer
    assert given(monkeypatch, issuer=issuer + "/").issuer == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "portunus.example",
        "http://portunus.example",
        "https://portunus.example/tenants",
        "https://a.example?b",
        "https:///",
    ],
)
def test_an_issuer_to_which_secrets_cannot_travel_safely_is_refused(
    monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    with pytest.raises(ValidationError):
        given(monkeypatch, issuer=issuer)


def test_master_keys_come_from_the_environment_or_a_file_in_their_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = [bytes(range(32)), bytes(32)]
    assert given(monkeypatch, master_key=f"{KEY}, {OTHER_KEY}").master_keys() == expected
    file = tmp_path / "master"
    file.write_text(f"{OTHER_KEY},{KEY}\n")
    assert given(monkeypatch, master_key_file=str(file)).master_keys() == expected[::-1]


@pytest.mark.parametrize(
    "value", ["", ",", CANARY, "é" * 8, KEY[:-4], f"{KEY},{CANARY}", b64encode(bytes(31)).decode()]
)
def test_a_master_key_that_is_none_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(ValueError, match="PORTUNUS_MASTER_KEY") as refusal:
        given(monkeypatch, master_key=value).master_keys()
    assert CANARY not in str(refusal.value)

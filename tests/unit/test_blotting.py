"""What a vendor says is shown without the secrets it may have echoed."""

from base64 import b64decode, b64encode

import pytest

from domain.errors import BadRequestUpstream
from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from infrastructure.providers.failures import blotted, blotted_bytes, fit_to_show

KEY = 'sk-"a/b\\c+d ~1'
FORM: FormValues = {"key": Secret(KEY), "second": Secret("hunter2"), "address": "https://vendor.test"}


@pytest.mark.parametrize(
    "echo",
    [
        *(KEY, 'sk-\\"a/b\\\\c+d ~1', 'sk-"a/b\\\\c+d ~1', "sk-%22a%2Fb%5Cc%2Bd%20~1", "sk-%22a%2Fb%5Cc%2Bd+~1"),
        *("sk-%22a/b%5Cc%2Bd%20~1", "sk-&quot;a/b\\c+d ~1", "c2stImEvYlxjK2QgfjE", "736b2d22612f625c632b64207e31"),
    ],
    ids=["plain", "JSON", "Python", "path", "query", "URL", "HTML", "base64", "hex"],
)
def test_a_secret_is_blotted_in_any_spelling(echo: str) -> None:
    assert blotted(f"<{echo}> and <{echo}>", FORM) == "<••••> and <••••>"


@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_a_secret_in_the_base64_of_more_than_itself_is_blotted(before: str) -> None:
    told = blotted(b64encode(f"{before}{KEY}:more".encode()).decode(), FORM)
    assert "••••" in told
    assert not any(KEY[1:-1] in b64decode(part + "==", validate=False).decode("latin-1") for part in told.split("••••"))


def test_every_secret_is_blotted_and_nothing_else() -> None:
    assert blotted(f"hunter2 at https://vendor.test with {KEY}!", FORM) == "•••• at https://vendor.test with ••••!"


@pytest.mark.parametrize("length", range(4, len(KEY)))
def test_a_secret_that_a_cut_left_at_the_end_is_blotted(length: int) -> None:
    assert blotted(f"the key {KEY[:length]}", FORM) == "the key ••••"


def test_bytes_that_are_no_text_pass_unchanged() -> None:
    assert blotted_bytes(b"\xff hunter2 \xfe", FORM) == "\udcff •••• \udcfe".encode(errors="surrogateescape")


def test_a_secret_inside_another_leaves_nothing_behind() -> None:
    assert blotted("key sk-12345-6789 and sk-12345.", {"a": Secret("sk-12345"), "b": Secret("sk-12345-6789")}) == (
        "key •••• and ••••."
    )


def test_a_shown_failure_is_named_short_and_on_one_line() -> None:
    failure = fit_to_show(BadRequestUpstream("", 400, "hunter2\r\n\t" + "x " * 1000), "plain", FORM)
    assert failure.provider == "plain"
    assert failure.detail.startswith("•••• x x")
    assert len(failure.detail) == 500

"""What refusals mean whoever sends them, and how long they ask to wait."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    ContextTooLong,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from infrastructure.providers.catalogue.refusals import FILE, refusals
from infrastructure.providers.dialects.refusals import USUAL, Phrase, Refusals
from infrastructure.providers.dialects.waits import wait
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import ErrorReply

NOW = "Mon, 23 Nov 2026 12:00:00 GMT"
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "detail", "loc", "msg"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(st.integers(200, 599), JSON)
def test_any_body_is_some_refusal_on_one_short_line(status: int, body: Any) -> None:
    failure = USUAL("acme", ErrorReply(status, {}, body))
    assert isinstance(failure, UpstreamError)
    assert failure.provider == "acme"
    assert len(failure.detail) <= 300
    assert len(failure.detail.splitlines()) <= 1


@pytest.mark.parametrize("cut", ['{"detail":[{"msg":"too long","input":"my secret plan', '["my secret plan'])
def test_a_refusal_cut_off_in_its_json_is_not_quoted(cut: str) -> None:
    failure = USUAL("acme", ErrorReply(422, {}, cut))
    assert failure.detail == "a refusal too long to read"
    assert USUAL("acme", ErrorReply(422, {}, "too long")).detail == "too long"


def test_a_vendors_own_words_come_first() -> None:
    reader = Refusals({"1301": (ContentRefused, 400)})
    body = {"error": {"code": "1301", "message": "sensitive"}}
    assert type(reader("acme", ErrorReply(400, {}, body))) is ContentRefused
    assert type(USUAL("acme", ErrorReply(400, {}, body))) is not ContentRefused


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"error": {"code": 503, "message": "x"}}, 503, UpstreamUnavailable),
        ({"error": {"code": "429", "message": "x"}}, 429, UpstreamRateLimited),
        ({"error": {"type": "overloaded_error"}}, 529, UpstreamUnavailable),
        ({"error": {"type": "api_error"}}, 500, UpstreamUnavailable),
        ({"error": "it broke"}, 200, UpstreamUnavailable),
    ],
)
def test_an_error_inside_a_success_has_the_status_that_it_names(body: Any, status: int, kind: type) -> None:
    failure = USUAL("acme", ErrorReply(200, {}, body))
    assert (failure.status, type(failure)) == (status, kind)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT", "date": NOW}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30", "date": NOW}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT", "date": NOW}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e300"}, None),
        ({"retry-after": "Mon, 23 Nov 99999999999999999999 12:00:00 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 99 Foo 2026 99:99:99 GMT"}, None),
    ],
)
def test_a_wait_is_read_in_seconds(headers: Mapping[str, str], seconds: float | None) -> None:
    assert wait(headers) == seconds


def test_a_wait_until_a_date_is_measured_from_now_without_the_vendors_clock() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    seconds = wait({"retry-after": until})
    assert seconds is not None
    assert 3000 < seconds <= 3600


OWN = Refusals(
    {"7": (ContentRefused, 400), "8": (ContentRefused, 400), "9": (BadRequestUpstream, 400)},
    families={r"Limit\..*": (UpstreamRateLimited, 429)},
    code=("told", "number"),
    message=("told", "words"),
)


@pytest.mark.parametrize("number", [0, "0", None, "", 0.0])
def test_a_zero_is_a_success(number: object) -> None:
    assert not OWN.failed({"told": {"number": number, "words": "fine"}})
    assert OWN.failed({"told": {"number": number}, "error": "it broke"})


@pytest.mark.parametrize(
    ("number", "words", "kind"),
    [
        (7, "no", ContentRefused),
        ("8", "no", ContentRefused),
        (9, "no", BadRequestUpstream),
        (9, "the context window is full", ContextTooLong),
        ("Limit.Minute", "no", UpstreamRateLimited),
        ("Limit", "no", UpstreamUnavailable),
    ],
)
def test_a_vendors_number_is_read_where_it_stands(number: object, words: str, kind: type) -> None:
    body = {"told": {"number": number, "words": words}}
    assert OWN.failed(body)
    failure = OWN("acme", ErrorReply(200, {}, body))
    assert (type(failure), failure.detail) == (kind, words)


def test_a_family_is_known_by_the_whole_word() -> None:
    body = {"error": {"code": "NoLimit.Minute", "message": "x"}}
    assert type(OWN("acme", ErrorReply(400, {}, body))) is BadRequestUpstream


def test_only_what_may_be_tried_again_says_how_long_to_wait() -> None:
    headers = {"retry-after": "3"}
    assert USUAL("acme", ErrorReply(429, headers, None)).retry_after == 3.0
    assert USUAL("acme", ErrorReply(400, headers, None)).retry_after is None


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (429, "out of calls for this MONTH", UpstreamPaymentRequired),
        (429, "out of calls for this minute", UpstreamRateLimited),
        (500, "out of calls for this month", UpstreamUnavailable),
        (498, "whatever", ContentRefused),
    ],
)
def test_a_vendors_own_phrases_count_more_than_its_words(status: int, said: str, kind: type[UpstreamError]) -> None:
    phrases = (Phrase(UpstreamPaymentRequired, "this month$", 429), Phrase(ContentRefused, status=498))
    reader = Refusals({"slow": (UpstreamRateLimited, 429)}, phrases=phrases)
    body = {"error": {"code": "slow" if status == 429 else "", "message": said}}
    assert type(reader("acme", ErrorReply(status, {}, body))) is kind


def test_a_vendors_refusals_are_read_from_the_catalogue() -> None:
    assert set(tomllib.loads(FILE.read_text(encoding="utf-8"))) <= ADAPTERS.keys()
    trial = ErrorReply(429, {}, {"message": "You are limited to 1000 API calls / month."})
    assert type(refusals("cohere")("cohere", trial)) is UpstreamPaymentRequired


@pytest.mark.parametrize(
    "rule",
    [
        '{ means = "BAD_LUCK", status = 400 }',
        '{ means = "CONTENT_REFUSED", words = "7" }',
        "{ status = 400 }",
        "{ why = 1 }",
    ],
)
def test_a_rule_that_means_nothing_is_refused(tmp_path: Path, rule: str) -> None:
    file = tmp_path / "refusals.toml"
    file.write_text(f"[acme]\nrules = [{rule}]\n")
    with pytest.raises(ValueError, match=r"refusals\.toml: acme"):
        refusals("acme", file)

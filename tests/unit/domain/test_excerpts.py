"""Texts made short: one line, within the limit, and no character as readers see it is cut in two."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model.excerpts import excerpt, folded, headed

FAMILY = "👨‍👩‍👧‍👦"
WHOLE = {
    "joined emoji": FAMILY,
    "skin tone": "👍🏽",
    "flag": "🇯🇵",
    "accents": "e\u0301\u0323",
    "Devanagari conjunct": "क्ष",
    "Hangul letters": "\u1112\u1161\u11ab",
    "keycap": "1\ufe0f\u20e3",
    "flag of tags": "🏴\U000e0067\U000e0062\U000e007f",
}


def test_white_space_becomes_one_space_and_control_characters_go() -> None:
    assert folded("  a\r\n\tb\u2028c\x00d\u202ee\x07 \x07f\ud800 ") == "a b cde f"


def test_what_joins_letters_stays() -> None:
    assert folded(f"{FAMILY} می\u200cخواهم") == f"{FAMILY} می\u200cخواهم"


def test_a_short_text_is_left_whole() -> None:
    assert headed("Plan a trip", 11) == "Plan a trip"
    assert excerpt("Plan a trip", 11) == "Plan a trip"


def test_a_title_is_cut_between_words() -> None:
    assert headed("Plan a trip, to Berlin", 12) == "Plan a trip…"
    assert headed("Plan a trip to Berlin", 11) == "Plan a trip…"
    assert headed("計画を立ててください", 4) == "計画を立…"
    assert headed("Donaudampfschifffahrtsgesellschaft", 10) == "Donaudampf…"


def test_marks_alone_are_cut_too() -> None:
    assert headed("." * 30, 10) == "." * 10 + "…"


@pytest.mark.parametrize("seen", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("limit", range(2, 40))
def test_a_character_as_readers_see_it_stays_whole(seen: str, limit: int) -> None:
    head = headed(seen * 40, limit).removesuffix("…")
    assert head == seen * (len(head) // len(seen)) or limit < len(seen)


@pytest.mark.parametrize("seen", WHOLE.values(), ids=WHOLE)
def test_both_ends_of_an_excerpt_are_whole(seen: str) -> None:
    for limit in range(60, 100):
        head, tail = excerpt(seen * 200, limit).split(" […] ")
        assert head == seen * (len(head) // len(seen))
        assert tail == seen * (len(tail) // len(seen))


def test_an_excerpt_has_the_beginning_and_the_end() -> None:
    text = "Summarise this:\n" + "lorem ipsum " * 10_000 + "\nin French, please."
    short = excerpt(text, 300)
    assert short.startswith("Summarise this: lorem")
    assert short.endswith("in French, please.")
    assert " […] " in short
    assert len(short) <= 300


def test_an_endless_heap_of_accents_is_cut_all_the_same() -> None:
    assert len(headed("e" + "\u0301" * 10_000, 75)) == 76


@settings(deadline=None)
@given(st.text(st.characters(codec=None)), st.integers(40, 200))
def test_any_text_fits(text: str, limit: int) -> None:
    for short, most in ((headed(text, limit), limit + 1), (excerpt(text, limit), limit)):
        assert len(short) <= most
        assert short == " ".join(short.split())
        short.encode()

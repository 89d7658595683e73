"""Icons are self-contained pictures of initials that everybody can read, each with a colour of its own."""

from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from api.graphql.icons import colour, contrast_with_white, initials, monogram
from infrastructure.providers.registry import catalogue

SVG = "{http://www.w3.org/2000/svg}"
LABELS = [provider.label.en for provider in catalogue().providers]
HOSTILE = ["<script>alert(1)</script>", "\"' onload=x", "&amp;", "…", "", "零一万物", "a#b%c"]


def drawn(label: str) -> ET.Element:
    kind, _, picture = monogram(label).partition(",")
    assert kind == "data:image/svg+xml"
    assert not set(picture) & set('"<>#\n')
    return ET.fromstring(unquote(picture))  # noqa: S314 - drawn by us


@pytest.mark.parametrize("label", [*LABELS, *HOSTILE])
def test_a_picture_has_a_title_and_nothing_but_itself(label: str) -> None:
    svg = drawn(label)
    assert (svg.get("role"), svg.findtext(f"{SVG}title")) == ("img", label)
    assert [child.tag.removeprefix(SVG) for child in svg] == ["title", "rect", "text"]
    assert all(len(child) == 0 and not {"href", "src"} & set(child.attrib) for child in svg)
    assert svg.findtext(f"{SVG}text") == initials(label)


@pytest.mark.parametrize("label", LABELS)
def test_white_letters_stand_out_from_the_colour(label: str) -> None:
    channels = [int(colour(label)[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    assert contrast_with_white((channels[0], channels[1], channels[2])) >= 4.5


def test_each_vendor_has_a_picture_of_its_own() -> None:
    assert len({colour(label) for label in LABELS}) == len(LABELS)
    assert len({monogram(label) for label in LABELS}) == len(LABELS)


def test_a_picture_is_always_the_same_and_drawn_once() -> None:
    assert monogram("Acme") is monogram("Acme")


@pytest.mark.parametrize(
    ("label", "letters"),
    [("OpenAI", "Op"), ("NVIDIA NIM", "NN"), ("together.ai", "TA"), ("01.AI", "0A"), ("x", "X"), ("…", "")],
)
def test_initials_are_of_two_words_or_the_first_letters_of_one(label: str, letters: str) -> None:
    assert initials(label) == letters

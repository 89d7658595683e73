"""Which language is shown: the argument's, else the best that the request accepts, else English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.graphql.languages import accepted_language
from domain.model.labels import Language
from tests.graphql_house import House

LABEL = '{ provider(id: "acme") { label } }'


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("ja", "ja"),
        ("JA-jp", "ja"),
        ("zh-Hans", "zh"),
        ("zh-Hant-TW, en", "zh"),
        ("en;q=0.8, ja", "ja"),
        ("fr, ja;q=0.1, zh;q=0.2", "zh"),
        ("ja, zh", "ja"),
        ("fr;q=1, *;q=0.5, ja;q=0.1", "ja"),
        ("ja;q=0", "en"),
        ("ja;q=0, zh;q=0.001", "zh"),
        ("ja;q=much, zh;q=0.5", "zh"),
        ("jav, zhx", "en"),
    ],
)
def test_the_preferred_of_our_languages_is_found(header: str | None, language: str) -> None:
    assert accepted_language(header) == language


@given(st.text(max_size=60))
def test_any_header_has_an_answer(header: str) -> None:
    assert accepted_language(header) in Language


@pytest.mark.parametrize(("language", "label"), [(Language.JA, "アクメ"), (Language.ZH, "Acme"), (Language.EN, "Acme")])
async def test_words_are_shown_in_the_language_of_the_request(language: Language, label: str) -> None:
    house = House()
    context = house.context()
    context.language = language
    result = await house.schema.execute(LABEL, None, context)
    assert result.data == {"provider": {"label": label}}


async def test_a_language_that_is_asked_for_goes_first_and_one_request_does_not_change_the_next() -> None:
    house = House()
    japanese = house.context()
    japanese.language = Language.JA
    document = '{ provider(id: "acme") { en: label(language: EN) ja: label } }'
    assert (await house.schema.execute(document, None, japanese)).data == {"provider": {"en": "Acme", "ja": "アクメ"}}
    assert await house.data(LABEL) == {"provider": {"label": "Acme"}}

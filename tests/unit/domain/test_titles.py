"""A title is found wherever a model put it, and nothing that is none is taken for one."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model.events import Finish
from domain.model.titles import LONGEST_TITLE, title_in
from tests.unit.domain import answers
from tests.unit.domain.answers import answer

TITLE = "Berlin to Prague by Train with Bicycles"
FOUND = {
    "JSON": '{"title": "Trip to Berlin"}',
    "JSON in a fence": '```json\n{"title": "Trip to Berlin"}\n```',
    "JSON in prose": 'Sure! Here you go: {"title": "Trip to Berlin"} I hope you like it [1].',
    "a draft before it": '{"title": "Travel"} is vague. Better: {"title": "Trip to Berlin"}',
    "more fields": '{"language": "English", "reason": "They travel", "Title": "Trip to Berlin"}',
    "another name that tells": '{"language": "English", "conversation_title": "Trip to Berlin"}',
    "a name close to it": '{"title_language": "English", "title": "Trip to Berlin"}',
    "a foreign name": '{"标题": "Trip to Berlin"}',
    "the wrong name": '{"Language Type": "English", "Your Output": "Trip to Berlin"}',
    "the only field": '{"result": "Trip to Berlin"}',
    "an inner object": '{"response": {"title": "Trip to Berlin"}}',
    "a list": '{"titles": ["Trip to Berlin", "Berlin tour"]}',
    "a list of objects": '[{"title": "Trip to Berlin"}]',
    "no closing bracket": '{"title": "Trip to Berlin"',
    "a comma too many": '{"title": "Trip to Berlin",}',
    "single quotes": "{'title': \"Trip to Berlin\"}",
    "no quotes around the name": '{title: "Trip to Berlin"}',
    "curly quotes": "{“title”: “Trip to Berlin”}",
    "a label": "Title: Trip to Berlin",
    "a label in bold": "**Title:** Trip to Berlin",
    "a label in French": "Titre : « Trip to Berlin »",
    "a sentence": 'A good title for this would be "Trip to Berlin".',
    "a bare line": "Trip to Berlin",
    "a bare line in quotes": '  "Trip to Berlin"\n',
    "a bare line in bold": "**Trip to Berlin**",
    "a heading": "# Trip to Berlin",
    "a lead-in": "Here is the title:\n\nTrip to Berlin",
    "line breaks": '{"title": "Trip\n to\\nBerlin"}',
    "control characters": '{"title": "\\u202eTrip to\\u0000 Berlin"}',
    "quotes inside": '{"title": "\\"Trip to Berlin\\""}',
    "a thought before it": '<think>Hm, "title": "Nothing"</think>Trip to Berlin',
    "a thought behind it": '{"title": "Trip to Berlin"}<think>Was that all?</think>',
    "thoughts in turns": '<thinking>One.</thinking><THINK>Two.</THINK>{"title": "Trip to Berlin"}',
    "a thought without beginning": 'I should name it.\n</think>\n{"title": "Trip to Berlin"}',
    "a thought without end": '<think>Let me see, maybe {"title": "Trip to Berlin"} will do',
    "an end mark": "Trip to Berlin<|im_end|>",
}
NOT_FOUND = {
    "empty": "",
    "white space": " \n\t ",
    "the form itself": '{"title": "…"}',
    "an empty title": '{"title": ""}',
    "no text": '{"title": 7, "name": null}',
    "cut within the title": '{"title": "Trip to Ber',
    "prose": "I am sorry, but as a language model I cannot name conversations that I have not seen.",
    "several lines": "Trip to Berlin\nBerlin by train\nPrague",
    "debris of JSON": '": Trip to Berlin',
    "brackets only": "[[[[{{{{",
    "marks only": "— … !",
    "thoughts only": answers.CUT_IN_THOUGHT,
    "a tool call written out": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Tokyo"}}\n</tool_call>',
    "an empty thought": "<think></think>",
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_a_title_is_found(text: str) -> None:
    assert title_in(answer(text)) == "Trip to Berlin"


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_is_no_title_is_not_taken_for_one(text: str) -> None:
    assert title_in(answer(text)) is None


@pytest.mark.parametrize(
    "text", [answers.QWEN, answers.R1_WITHOUT_OPENING, answers.OPEN_WEIGHTS, answers.MAGISTRAL], ids=range(4)
)
def test_reasoning_models_are_understood(text: str) -> None:
    assert title_in(answer(text)) == TITLE


def test_an_answer_that_landed_among_the_thoughts_is_found() -> None:
    assert title_in(answer(reasoning='So: {"title": "Trip to Berlin"}')) == "Trip to Berlin"
    assert title_in(answer(reasoning="Trip to Berlin")) is None


def test_an_answer_in_the_arguments_of_a_tool_is_found() -> None:
    assert title_in(answer(arguments='{"title": "Trip to Berlin"}')) == "Trip to Berlin"
    assert title_in(answer(arguments='{"city": "Berlin"}')) is None


def test_the_words_of_a_filter_are_no_title() -> None:
    assert title_in(answer("I cannot help with that.", finish=Finish.CONTENT_FILTER)) is None


def test_a_title_about_thoughts_keeps_its_marks() -> None:
    assert title_in(answer('{"title": "What <think> means"}')) == "What <think> means"


def test_a_long_title_is_cut_between_words() -> None:
    title = title_in(answer(json.dumps({"title": "word " * 100})))
    assert title == "word " * 14 + "word…"


@pytest.mark.parametrize("piece", ["[", '{"a":', "<think>", '"title" "', "'", "title: ", "\n"])
def test_endless_nonsense_is_survived(piece: str) -> None:
    title = title_in(answer(piece * 50_000))
    assert title is None or valid(title)


def test_a_number_too_long_for_python_is_survived() -> None:
    assert title_in(answer("[" + "9" * 5_000 + "]")) is None


def valid(title: str) -> bool:
    return (
        0 < len(title.removesuffix("…")) <= LONGEST_TITLE
        and title == " ".join(title.split())
        and not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in title)
        and bool(title.encode())
    )


PIECES = st.sampled_from(
    ["<think>", "</think>", '{"title": "', '"}', "[", "{", "]", "}", "```", "\n", '"', ":", "title", "\\"]
)
ANYTHING = st.one_of(
    st.text(st.characters(codec=None)), st.lists(PIECES | st.text(max_size=9), max_size=30).map("".join)
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["title", "name", "Title"]), inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_any_answer_gives_a_valid_title_or_none(text: str, reasoning: str, arguments: str) -> None:
    title = title_in(answer(text, reasoning=reasoning, arguments=arguments))
    assert title is None or valid(title)


@settings(deadline=None)
@given(JSON)
def test_any_json_gives_a_valid_title_or_none(value: object) -> None:
    title = title_in(answer(json.dumps(value)))
    assert title is None or valid(title)


PROSE = st.text(st.characters(exclude_characters='{}[]<>"', exclude_categories=["Cs"]), max_size=200)
WORDS = st.lists(st.text("abcdefgåßж日本", min_size=1, max_size=9), min_size=1, max_size=6).map(" ".join)


@settings(deadline=None)
@given(WORDS, PROSE, PROSE, st.none() | PROSE, st.booleans(), st.booleans())
def test_good_json_is_found_in_whatever_surrounds_it(
    title: str, before: str, behind: str, thought: str | None, fenced: bool, escaped: bool
) -> None:
    written = json.dumps({"title": title}, ensure_ascii=escaped)
    if fenced:
        written = f"\n```json\n{written}\n```\n"
    thinking = "" if thought is None else f"<think>{thought}</think>"
    assert title_in(answer(thinking + before + written + behind)) == title

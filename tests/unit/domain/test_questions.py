"""Questions are found wherever a model put them, and only those that are fit to be asked."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model.events import Finish
from domain.model.questions import LONGEST_QUESTION, questions_in
from tests.unit.domain import answers
from tests.unit.domain.answers import answer
from tests.unit.domain.test_titles import ANYTHING, JSON, PROSE

ABC = ("How far is it?", "What's the price?", "Tell me about lifts")
ABC_JSON = json.dumps(ABC)
FOUND = {
    "JSON": f'{{"questions": {ABC_JSON}}}',
    "a list alone": ABC_JSON,
    "a fence": f"```\n{ABC_JSON}\n```",
    "prose around it": f"Sure [see 1]: {ABC_JSON} — ask away, [friend]!",
    "the wrong name": f'{{"language": "English", "items": {ABC_JSON}}}',
    "a draft before it": f'{{"questions": ["No?"]}} or rather {{"questions": {ABC_JSON}}}',
    "objects": json.dumps([{"id": str(at), "question": text} for at, text in enumerate(ABC)]),
    "objects in a list by name": json.dumps({"questions": [{"text": text} for text in ABC]}),
    "objects by another name": json.dumps({"items": [{"question": text} for text in ABC]}),
    "numbered fields": json.dumps({str(at): text for at, text in enumerate(ABC)}),
    "named fields": json.dumps({f"question{at}": text for at, text in enumerate(ABC)}),
    "numbers inside the strings": json.dumps({"questions": [f"{at}. {text}" for at, text in enumerate(ABC, 1)]}),
    "twice the same": json.dumps({"questions": [ABC[0], "how far is it", *ABC[1:]]}),
    "what is no text": json.dumps({"questions": [None, 3, "", "…", *ABC]}),
    "a comma too many": f'{{"questions": {ABC_JSON[:-1]},]}}',
    "no closing bracket": f'{{"questions": {ABC_JSON[:-1]}',
    "cut in the next": f'{{"questions": {ABC_JSON[:-1]}, "And wha',
    "single quotes": "['How far is it?', 'What's the price?', 'Tell me about lifts']",
    "a numbered list": "Here they are:\n1. How far is it?\n2) What's the price?\n3、 Tell me about lifts",
    "a bulleted list": "- How far is it?\n* **What's the price?**\n• Tell me about lifts\n\nGood luck!",
    "labelled lines": "Q1: How far is it?\nQ2: What's the price?\nQuestion 3: Tell me about lifts",
    "a thought before it": f"<think>1. What?\n2. Who?\n</think>{ABC_JSON}",
    "a thought without beginning": f"1. What?</think>{ABC_JSON}",
    "a thought without end": f'<think>Perhaps {{"questions": {ABC_JSON}}}',
}
NOT_FOUND = {
    "empty": "",
    "the form itself": '{"questions": ["…", "…"]}',
    "an empty list": '{"questions": []}',
    "prose": "I am sorry, I cannot do that.",
    "a quotation": 'He said "hello", and left.',
    "thoughts only": "<think>\n1. What?\n2. Who?",
    "too long": json.dumps({"questions": ["why " * 60 + "?"]}),
    "brackets only": "[[[[{{{{",
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_questions_are_found(text: str) -> None:
    assert questions_in(answer(text), 3) == ABC


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_are_no_questions_is_not_taken_for_some(text: str) -> None:
    assert questions_in(answer(text), 3) == ()


@pytest.mark.parametrize("text", [answers.LLAMA_QUESTIONS, answers.QWEN_QUESTIONS], ids=["Llama", "Qwen"])
def test_golden_answers_are_understood(text: str) -> None:
    costs, seats, lifts = questions_in(answer(text), 3)
    assert costs == "How much does a bicycle ticket cost?"
    assert seats == "Do I need a seat reservation?"
    assert lifts == "Which stations have lifts?"


def test_questions_in_prose_are_taken_without_what_is_around_them() -> None:
    text = "You may wonder: is it far? Is it dear?\nThat is all."
    assert questions_in(answer(text), 3) == ("You may wonder: is it far?", "Is it dear?")


def test_numbers_that_belong_to_a_question_stay() -> None:
    text = json.dumps(["3.5 inches, is that enough?", "-5 degrees, is that cold?"])
    assert questions_in(answer(text), 3) == ("3.5 inches, is that enough?", "-5 degrees, is that cold?")


def test_no_more_than_wanted_are_taken() -> None:
    assert questions_in(answer(ABC_JSON), 2) == ABC[:2]


def test_what_the_user_asked_is_not_suggested() -> None:
    assert questions_in(answer(ABC_JSON), 3, asked=["HOW FAR is it"]) == ABC[1:]


def test_questions_that_landed_elsewhere_are_found() -> None:
    whole = json.dumps({"questions": ABC})
    assert questions_in(answer(reasoning=f"So: {whole}"), 3) == ABC
    assert questions_in(answer(arguments=whole), 3) == ABC
    assert questions_in(answer(arguments='{"city": "Berlin"}'), 3) == ()


def test_the_words_of_a_filter_are_no_questions() -> None:
    assert questions_in(answer("May I help otherwise?", finish=Finish.CONTENT_FILTER), 3) == ()


@pytest.mark.parametrize("piece", ["[", '["', "'", "['a' ", '"\\', "1. ", "a? ", "<think>", "\n"])
def test_endless_nonsense_is_survived(piece: str) -> None:
    assert valid(questions_in(answer(piece * 50_000), 10), 10)


def valid(questions: tuple[str, ...], count: int) -> bool:
    keys = {question.casefold() for question in questions}
    return len(keys) == len(questions) <= count and all(
        0 < len(q) <= LONGEST_QUESTION and q == " ".join(q.split()) and q.encode() for q in questions
    )


@settings(deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING, st.integers(1, 10))
def test_any_answer_gives_valid_questions(text: str, reasoning: str, arguments: str, count: int) -> None:
    assert valid(questions_in(answer(text, reasoning=reasoning, arguments=arguments), count), count)


@settings(deadline=None)
@given(JSON, st.integers(1, 10))
def test_any_json_gives_valid_questions(value: Any, count: int) -> None:
    assert valid(questions_in(answer(json.dumps(value)), count), count)


ASKED = (
    st.text("abcdefgåßж日本 ", min_size=1, max_size=60).filter(str.strip).map(lambda text: " ".join(text.split()) + "?")
)


@settings(deadline=None)
@given(st.lists(ASKED, min_size=1, max_size=5, unique_by=lambda q: q.replace(" ", "").casefold()), PROSE, PROSE, PROSE)
def test_good_json_is_found_in_whatever_surrounds_it(asked: list[str], thought: str, before: str, behind: str) -> None:
    text = f"<think>{thought}</think>{before}{json.dumps({'questions': asked})}{behind}"
    assert questions_in(answer(text), 5) == tuple(asked)

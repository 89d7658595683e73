"""Naming a conversation and suggesting questions: one metered call each, and a result whatever the model answers."""

import json
from dataclasses import replace

import pytest

from domain.errors import (
    ContentRefused,
    DomainError,
    Forbidden,
    InvalidRange,
    NoDefaultModel,
    NotPermitted,
    QuotaExhausted,
    UpstreamRateLimited,
    UpstreamTimeout,
)
from domain.model.access import Scope
from domain.model.calls import ChatCall, Message, Role, TextPart
from domain.model.conversation import NamingCall, Origin, SuggestionCall
from domain.model.events import ChatAnswer, Finish
from domain.model.quota import Outcome, Unit
from domain.model.selection import KeySource
from domain.usecases.credentials import NewCredential
from tests.unit.domain import answers
from tests.unit.domain.answers import answer
from tests.unit.domain.samples import TENANT, ref
from tests.unit.usecases.house import House
from tests.unit.usecases.test_inference import outcomes

ASKED = "How do I get from Berlin to Prague\nby train, and may I take my bicycle along on it?"
SHORTENED = "How do I get from Berlin to Prague by train, and may I take my bicycle…"
TURNS = (Message(Role.USER, (TextPart(ASKED),)), Message(Role.ASSISTANT, (TextPart("Take the EC 171; yes."),)))
NAMING, SUGGESTING = NamingCall(TURNS), SuggestionCall(TURNS)
QUESTIONS = ("What does it cost?", "How long does it take?", "Do I need a seat?")
GOOD = answer(json.dumps({"questions": QUESTIONS}))
USELESS = {
    "empty": answer(""),
    "thoughts only": answer(answers.CUT_IN_THOUGHT, finish=Finish.LENGTH),
    "reasoning only": answer(reasoning="Let me think. " * 500, finish=Finish.LENGTH),
    "a tool call only": answer(arguments='{"city": "Prague"}', finish=Finish.TOOL_CALLS),
    "prose": answer("I am sorry, but I am just a small model and have no idea what you want me to do with all this."),
    "broken JSON": answer('{"title": ["questions": [[['),
    "a filter": answer("I can't help with that?", finish=Finish.CONTENT_FILTER),
    "endless": answer("[" * 100_000),
}


def charged_once(house: House, outcome: Outcome = Outcome.SUCCEEDED, used: int = 1) -> bool:
    return outcomes(house) == [outcome] and (house.pot.used, house.pot.held) == (used, 0)


def asked_of(house: House) -> ChatCall:
    (call,) = house.gateway.asked
    assert isinstance(call, ChatCall)
    return call


async def test_a_conversation_gets_the_models_title() -> None:
    house = House([answer(answers.QWEN)])
    named = await house.conversations.name(house.actor(), NAMING)
    assert (named.title, named.origin) == ("Berlin to Prague by Train with Bicycles", Origin.MODEL)
    assert (named.receipt.model, named.receipt.paid_by) == (ref("newer"), KeySource.PLATFORM)
    assert (named.usage.output, named.warnings) == (30, ())
    assert charged_once(house)


async def test_questions_are_suggested() -> None:
    house = House([GOOD])
    suggested = await house.conversations.suggest(house.actor(), SUGGESTING)
    assert (suggested.questions, suggested.origin, suggested.warnings) == (QUESTIONS, Origin.MODEL, ())
    assert suggested.receipt.model == ref("newer")
    assert charged_once(house)


@pytest.mark.parametrize("useless", USELESS.values(), ids=USELESS)
async def test_a_useless_answer_gives_the_first_words_as_the_title(useless: ChatAnswer) -> None:
    house = House([useless])
    named = await house.conversations.name(house.actor(), NAMING)
    assert (named.title, named.origin) == (SHORTENED, Origin.FALLBACK)
    assert named.warnings == ("the answer held no title; the first words stand in for it",)
    assert charged_once(house)


@pytest.mark.parametrize("useless", USELESS.values(), ids=USELESS)
async def test_a_useless_answer_gives_no_questions(useless: ChatAnswer) -> None:
    house = House([useless])
    suggested = await house.conversations.suggest(house.actor(), SUGGESTING)
    assert (suggested.questions, suggested.origin) == ((), Origin.FALLBACK)
    assert suggested.warnings == ("the answer held 0 of 3 questions",)
    assert charged_once(house)


async def test_fewer_questions_than_wanted_are_told() -> None:
    again = json.dumps({"questions": [ASKED, *QUESTIONS[:2]]})
    house = House([replace(answer(again), warnings=("max_tokens was left out",))])
    suggested = await house.conversations.suggest(house.actor(), replace(SUGGESTING, count=5))
    assert (suggested.questions, suggested.origin) == (QUESTIONS[:2], Origin.MODEL)
    assert suggested.warnings == ("max_tokens was left out", "the answer held 2 of 5 questions")


async def test_a_very_long_conversation_is_sent_short() -> None:
    house = House([answer(""), answer("")])
    turns = tuple(replace(turn, parts=(TextPart("Hello. " + "on and on " * 10_000),)) for turn in TURNS * 20)
    named = await house.conversations.name(house.actor(), NamingCall(turns))
    await house.conversations.suggest(house.actor(), SuggestionCall(turns))
    assert named.title.startswith("Hello. on and on")
    assert len(named.title) <= 76
    assert [call.size() < 8_000 for call in house.gateway.asked if isinstance(call, ChatCall)] == [True, True]


async def test_the_model_is_asked_in_the_plainest_form() -> None:
    house = House([GOOD])
    await house.conversations.suggest(house.actor(), replace(SUGGESTING, instruction="Ask about money."))
    call = asked_of(house)
    assert [message.role for message in call.messages] == [Role.USER]
    assert "Ask about money." in call.messages[0].text
    assert (call.knobs.max_tokens, call.knobs.temperature, call.features()) == (100, None, frozenset())


async def test_a_named_model_is_the_one_that_is_asked() -> None:
    house = House([answer("Train to Prague")])
    named = await house.conversations.name(house.actor(), replace(NAMING, model=ref("old")))
    assert (named.title, named.receipt.model) == ("Train to Prague", ref("old"))


async def test_a_model_of_the_tenants_own_is_asked_on_its_key() -> None:
    house = House()
    new = NewCredential("home", "llama", {"address": "https://h.example", "context_size": "900"}, ref("llama", "home"))
    await house.credentials.add(house.actor(), new)
    house.gateway.asked.clear()
    house.gateway.script.append(answer("Train to Prague"))
    named = await house.conversations.name(house.actor(), replace(NAMING, model=ref("llama", "home")))
    assert named.receipt.paid_by is KeySource.OWN
    assert asked_of(house).knobs.max_tokens == 225
    assert charged_once(house, used=0)


@pytest.mark.parametrize(
    ("failure", "outcome", "used"),
    [
        (UpstreamTimeout("acme"), Outcome.BROKEN, 1),
        (UpstreamRateLimited("acme", 429), Outcome.REFUSED, 0),
        (ContentRefused("acme", 400), Outcome.REFUSED, 0),
    ],
)
async def test_a_failure_of_the_vendor_is_reported_and_not_tried_again(
    failure: DomainError, outcome: Outcome, used: int
) -> None:
    for job in ("name", "suggest"):
        house = House([failure])
        with pytest.raises(type(failure)):
            await run(house, job)
        assert charged_once(house, outcome, used)


@pytest.mark.parametrize("job", ["name", "suggest"])
async def test_an_exhausted_trial_is_reported_before_the_vendor_is_asked(job: str) -> None:
    house = House([GOOD], granted=1)
    await run(house, job)
    with pytest.raises(QuotaExhausted):
        await run(house, job)
    assert charged_once(house)


@pytest.mark.parametrize("job", ["name", "suggest"])
async def test_without_a_default_model_that_is_reported(job: str) -> None:
    house = House([GOOD])
    house.rows(TENANT).pots.clear()
    with pytest.raises(NoDefaultModel):
        await run(house, job)
    assert house.gateway.asked == []


async def test_a_trial_of_tokens_holds_little_and_is_settled_at_the_count() -> None:
    house = House([GOOD], granted=10_000, unit=Unit.TOKENS)
    await house.conversations.suggest(house.actor(), SUGGESTING)
    assert charged_once(house, used=120)


async def test_what_is_refused_costs_nothing() -> None:
    house = House([GOOD])
    with pytest.raises(InvalidRange):
        await house.conversations.name(house.actor(), NamingCall(()))
    with pytest.raises(InvalidRange):
        await house.conversations.suggest(house.actor(), replace(SUGGESTING, count=11))
    with pytest.raises(NotPermitted):
        await house.conversations.name(house.actor(), replace(NAMING, model=ref("best")))
    for job in ("name", "suggest"):
        with pytest.raises(Forbidden):
            await run(house, job, Scope.QUOTAS_READ)
    assert house.gateway.asked == []
    assert outcomes(house) == []


async def run(house: House, job: str, *scopes: Scope) -> None:
    actor = house.actor(*scopes)
    if job == "name":
        await house.conversations.name(actor, NAMING)
    else:
        await house.conversations.suggest(actor, SUGGESTING)

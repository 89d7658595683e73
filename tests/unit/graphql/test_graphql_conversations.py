"""Naming a conversation and suggesting questions, through the schema."""

from typing import Any

import pytest

from domain import errors
from domain.model.access import Scope
from domain.model.calls import ChatCall
from tests.fakes import FakeGateway
from tests.graphql_house import House, tenant_id
from tests.unit.domain.answers import LLAMA_QUESTIONS, QWEN, answer

NAME = """mutation Name($input: NameConversationInput!) { nameConversation(input: $input) { __typename
  ... on NameConversationPayload { title origin warnings usage { input output } }
  ... on Receipt { callId paidBy credentialId model { name } }
  ... on Problem { code message } ... on InvalidRange { field } } }"""
SUGGEST = """mutation Suggest($input: SuggestQuestionsInput!) { suggestQuestions(input: $input) { __typename
  ... on SuggestQuestionsPayload { questions origin warnings usage { input output } }
  ... on Receipt { callId paidBy credentialId model { name } }
  ... on Problem { code message } ... on InvalidRange { field } } }"""
TURNS: list[dict[str, Any]] = [
    {"role": "USER", "content": "How do I get to Prague?"},
    {"role": "ASSISTANT", "parts": [{"text": "By train."}]},
]


async def named(house: House, **given: Any) -> Any:
    return (await house.data(NAME, None, input={"messages": TURNS, **given}))["nameConversation"]


async def suggested(house: House, **given: Any) -> Any:
    return (await house.data(SUGGEST, None, input={"messages": TURNS, **given}))["suggestQuestions"]


async def test_a_conversation_is_named() -> None:
    house = House(FakeGateway(answer(QWEN)))
    shown = await named(house)
    (record,) = house.store.rows[tenant_id(1)].records.values()
    assert shown == {
        "__typename": "NameConversationPayload",
        "title": "Berlin to Prague by Train with Bicycles",
        "origin": "MODEL",
        "warnings": [],
        "usage": {"input": 90, "output": 30},
        "callId": str(record.id),
        "paidBy": "PLATFORM",
        "credentialId": None,
        "model": {"name": "writer:7b"},
    }


async def test_a_useless_answer_still_gives_a_title() -> None:
    shown = await named(House(FakeGateway(answer(""))))
    assert (shown["title"], shown["origin"]) == ("How do I get to Prague?", "FALLBACK")
    assert shown["warnings"] == ["the answer held no title; the first words stand in for it"]


async def test_questions_are_suggested() -> None:
    house = House(FakeGateway(answer(LLAMA_QUESTIONS)))
    shown = await suggested(house)
    assert shown["questions"][0] == "How much does a bicycle ticket cost?"
    assert len(shown["questions"]) == 3
    assert (shown["origin"], shown["warnings"]) == ("MODEL", [])
    assert (shown["usage"], shown["model"]) == ({"input": 90, "output": 30}, {"name": "writer:7b"})


async def test_a_useless_answer_gives_no_questions() -> None:
    shown = await suggested(House(FakeGateway(answer("<think>Hm"))))
    assert (shown["questions"], shown["origin"]) == ([], "FALLBACK")


async def test_every_wish_reaches_the_call() -> None:
    house = House(FakeGateway(answer(LLAMA_QUESTIONS)))
    await house.credential(1)
    scribe = {"provider": "acme", "name": "scribe"}
    shown = await suggested(house, model=scribe, count=1, instruction="Ask about money.")
    (call,) = house.gateway.asked
    assert isinstance(call, ChatCall)
    prompt = call.messages[0].text
    assert "Ask about money." in prompt
    assert "User: How do I get to Prague?\nAssistant: By train." in prompt
    assert (shown["model"], shown["paidBy"], len(shown["questions"])) == ({"name": "scribe"}, "OWN", 1)


async def test_input_out_of_range_is_a_problem() -> None:
    house = House()
    assert (await named(house, messages=[]))["field"] == "messages"
    assert (await suggested(house, messages=[{"role": "SYSTEM", "content": "Be kind."}]))["field"] == "messages"
    assert (await suggested(house, count=0))["field"] == "count"
    assert (await suggested(house, instruction="x" * 2_001))["field"] == "instruction"


@pytest.mark.parametrize(
    "refusal",
    [
        errors.QuotaExhausted("trial", "calls", 0, 1),
        errors.NoDefaultModel("llm"),
        errors.NoCredential("acme"),
        errors.ContextTooLong("acme", 400),
        errors.ContentRefused("acme", 400),
        errors.UpstreamRateLimited("acme", 429, retry_after=2.0),
        errors.UpstreamTimeout("acme"),
    ],
    ids=lambda refusal: refusal.code,
)
async def test_a_call_that_fails_is_a_problem(refusal: errors.DomainError) -> None:
    for ask in (named, suggested):
        assert (await ask(House(FakeGateway(refusal))))["code"] == refusal.code


async def test_it_takes_the_scope_of_a_chat() -> None:
    house = House()
    reader = house.actor(Scope.QUOTAS_READ)
    for document in (NAME, SUGGEST):
        assert await house.codes(document, reader, input={"messages": TURNS}) == ["FORBIDDEN"]

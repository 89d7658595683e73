"""A text that no database keeps is refused before anything runs, except where only a model reads it."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)

from api.graphql.texts import is_kept
from domain.model.calls import ChatCall, TextPart
from tests.fakes import FakeGateway
from tests.graphql_documents import FIELDS
from tests.graphql_house import ANSWER, House

POISON = "a\x00b"
CONTENT = {
    "ChatInput.stop",
    "EmbedInput.texts",
    "MessageInput.content",
    "PartInput.text",
    "RerankInput.documents",
    "RerankInput.query",
    "SpeakInput.text",
    "SuggestQuestionsInput.instruction",
    "ToolCallInput.arguments",
    "ToolInput.description",
    "TranscribeInput.prompt",
}
"""What only a model reads."""


def places(kind: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every text in a type of input: the path to it, the input field that it is, and a value that has POISON there."""
    named = get_named_type(kind)
    listed = is_list_type(get_nullable_type(kind))
    path = f"{path}[0]" if listed else path
    if isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            for at, where, value in places(field.type, f"{path}.{name}"):
                yield at, where or f"{named.name}.{name}", [{name: value}] if listed else {name: value}
    elif named.name in ("String", "ID"):
        yield path, "", [POISON] if listed else POISON


TEXTS = [
    pytest.param(name, argument, path, value, id=f"{name}.{argument}{path}")
    for name, root in FIELDS.items()
    for argument, declared in root.field.args.items()
    for path, where, value in places(declared.type)
    if where not in CONTENT
]


async def codes_and_messages(house: House, document: str, variables: dict[str, Any]) -> list[tuple[str, str]]:
    stream = await house.schema.stream(document, variables, house.context())
    answers = [answer async for answer in stream]
    return [((e.extensions or {})["code"], e.message) for answer in answers for e in answer.errors or ()]


@pytest.mark.parametrize(("name", "argument", "path", "value"), TEXTS)
async def test_a_variable_with_such_a_text_is_refused_wherever_it_is(
    name: str, argument: str, path: str, value: Any
) -> None:
    house = House()
    root = FIELDS[name]
    needed = {argument, *(each for each, known in root.field.args.items() if is_required_argument(known))}
    document = root.document(sorted(needed), "" if is_leaf_type(get_named_type(root.field.type)) else "{ __typename }")
    at = f" at {path}" if path else ""
    said = f"Variable '${argument}' has invalid value{at}: A text must have no U+0000 and no lone surrogate."
    assert await codes_and_messages(house, document, {argument: value}) == [("BAD_USER_INPUT", said)]
    assert house.store.begun == 0


async def test_a_secret_is_such_a_text_as_well() -> None:
    house = House()
    sent = {"provider": "acme", "fields": [{"name": "base", "value": POISON}]}
    document = FIELDS["checkCredential"].document(["input"], "{ __typename }")
    ((code, message),) = await codes_and_messages(house, document, {"input": sent})
    assert (code, "fields[0].value: A text must have no U+0000" in message) == ("BAD_USER_INPUT", True)


def test_content_is_what_the_table_says() -> None:
    every = {where for root in FIELDS.values() for a in root.field.args.values() for _, where, _ in places(a.type)}
    assert every > CONTENT


LITERALS = [
    '{ credentials(provider: "a\\u0000b") { nodes { id } } }',
    '{ call(callId: "\\u0000") { id } }',
    '{ calls(filter: {providers: ["a", "\\u0000"]}) { nodes { id } } }',
    '{ nodes(ids: "\\u0000") { id } }',
    'query Q($p: String = "\\u0000") { credentials(provider: $p) { nodes { id } } }',
    '{ provider(id: "acme") { models(search: "\\u0000") { nodes { id } } } }',
]


@pytest.mark.parametrize("document", LITERALS)
async def test_such_a_text_in_the_document_is_refused(document: str) -> None:
    house = House()
    ((code, message),) = await codes_and_messages(house, document, {})
    assert code == "BAD_USER_INPUT"
    assert message.endswith("A text must have no U+0000 and no lone surrogate.")
    assert house.store.begun == 0


CHATS = [
    'mutation { chat(input: {messages: [{role: USER, content: "a\\u0000b"}]}) { __typename } }',
    'mutation { chat(input: {messages: [{role: USER, parts: [{text: "a\\u0000b"}]}]}) { __typename } }',
]


@pytest.mark.parametrize("document", CHATS)
async def test_what_only_a_model_reads_may_be_any_text(document: str) -> None:
    house = House(FakeGateway(ANSWER))
    assert (await house.data(document))["chat"] == {"__typename": "ChatPayload"}
    assert_asked(house)


async def test_content_in_variables_may_be_any_text_too() -> None:
    house = House(FakeGateway(ANSWER))
    document = "mutation C($input: ChatInput!) { chat(input: $input) { __typename } }"
    sent = {"messages": [{"role": "USER", "content": POISON}], "stop": [POISON]}
    assert (await house.data(document, input=sent))["chat"] == {"__typename": "ChatPayload"}
    assert_asked(house)


def assert_asked(house: House) -> None:
    """The model was given the text as it is."""
    (call,) = house.gateway.asked
    assert isinstance(call, ChatCall)
    assert call.messages[0].parts == (TextPart(POISON),)


@pytest.mark.parametrize(("text", "kept"), [("", True), ("a\n\x01é😀", True), ("\x00", False), ("a\ud800", False)])
def test_lone_surrogates_are_such_texts_too(text: str, kept: bool) -> None:
    assert is_kept(text) is kept

"""Top-level errors: their codes, and that neither they nor the log repeat what was sent."""

import logging
from typing import Any

import pytest

from api.graphql.context import Context
from api.graphql.schema import build_schema
from tests.fakes import FakeGateway
from tests.graphql_house import CHAT, OPTIONS, House

CANARY = "sk-canary-7c1f"
CHECK = "mutation C($input: CheckCredentialInput!) { checkCredential(input: $input) { __typename } }"
ASK = "mutation A($input: ChatInput!) { chat(input: $input) { __typename } }"
FIELD = {"name": "api_key", "value": CANARY}

MALFORMED: list[tuple[str, Any]] = [
    (f'{{ provider(id: "{CANARY}) {{ name }} }}', None),
    (f'{{ "{CANARY}" }}', None),
    (f'{{ """{CANARY}""" }}', None),
    (f'{{ provider(id: {{ key: "{CANARY}" }}) {{ name }} }}', None),
    (f'{{ provider(id: ["{CANARY}"]) {{ name }} }}', None),
    (f'{{ provider(id: "x", key: "{CANARY}") {{ name }} }}', None),
    (f'{{ providers(first: "{CANARY}") {{ nodes {{ name }} }} }}', None),
    (f'{{ providers(type: "{CANARY}") {{ nodes {{ name }} }} }}', None),
    (f'{{ models(after: "{CANARY}") {{ nodes {{ name }} }} }}', None),
    (f'query ($n: Int = "{CANARY}") {{ providers(first: $n) {{ nodes {{ name }} }} }}', None),
    (f'{{ viewer {{ id @include(if: "{CANARY}") }} }}', None),
    (
        f'mutation {{ checkCredential(input: {{fields: [{{name: "k", value: "{CANARY}"}}]}}) {{ __typename }} }}',
        None,
    ),
    (f'mutation {{ checkCredential(input: {{provider: "acme", apiKey: "{CANARY}"}}) {{ __typename }} }}', None),
    (f'mutation {{ checkCredential(input: "{CANARY}") {{ __typename }} }}', None),
    (
        f'mutation {{ chat(input: {{messages: [{{parts: [{{text: "{CANARY}", image: null}}]}}]}}) {{ __typename }} }}',
        None,
    ),
    (CHECK, CANARY),
    (CHECK, [CANARY]),
    (CHECK, {"provider": "acme", "fields": CANARY}),
    (CHECK, {"provider": "acme", "fields": [CANARY]}),
    (CHECK, {"provider": "acme", "fields": [FIELD | {"value": [CANARY]}]}),
    (CHECK, {"provider": "acme", "fields": [FIELD | {"value": {"key": CANARY}}]}),
    (CHECK, {"provider": "acme", "fields": [FIELD | {"extra": CANARY}]}),
    (CHECK, {"provider": "acme", "fields": [{"value": CANARY}]}),
    (CHECK, {"provider": [CANARY], "fields": [FIELD]}),
    (CHECK, {"provider": "acme", "fields": [FIELD], "apiKey": CANARY}),
    (CHECK, {"provider": "acme", "fields": [FIELD], "model": {"name": "x", "type": CANARY}}),
    (
        CHECK,
        {"provider": "acme", "fields": [FIELD], "model": {"name": "x", "type": f"' does not exist in '{CANARY}' enum"}},
    ),
    (ASK, {**CHAT, "temperature": CANARY}),
    (ASK, {**CHAT, "maxTokens": CANARY}),
    (ASK, {**CHAT, "seed": CANARY}),
    (ASK, {**CHAT, "stop": {"a": CANARY}}),
    (ASK, {**CHAT, "toolChoice": CANARY}),
    (ASK, {"messages": [{"role": "USER", "parts": [{"text": CANARY, "image": {"url": CANARY}}]}]}),
    (ASK, {"messages": [{"role": "USER", "parts": [{"text": None}]}], "model": CANARY}),
    (ASK, {"messages": [{"role": CANARY, "content": CANARY}]}),
]


@pytest.mark.parametrize(("document", "given"), MALFORMED)
async def test_no_error_repeats_what_was_sent(document: str, given: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    variables = {} if given is None else {"input": given}
    result = await House().run(document, None, **variables)
    assert result.errors
    told = [error.formatted for error in result.errors]
    assert all(error["extensions"]["code"] != "INTERNAL_SERVER_ERROR" for error in told)
    assert CANARY not in str(told)
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    ("document", "given", "code", "message"),
    [
        ("{ viewer {", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        ('{ "x" }', None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found String"),
        ("{ viewers { id } }", None, "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'viewers' on type 'Query'."),
        (
            '{ providers(first: "x") { nodes { id } } }',
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "Int cannot represent non-integer value.",
        ),
        (
            'mutation { checkCredential(input: {provider: "a", fields: [{name: "k", value: "v"}]}) { __typename } }',
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "Send a Secret as a variable, not inside the document.",
        ),
        (
            CHECK,
            {"provider": "acme", "fields": [{"name": "api_key", "value": 5}]},
            "BAD_USER_INPUT",
            "Variable '$input' has invalid value at .fields[0].value: A Secret must be a string.",
        ),
        (
            CHECK,
            {"provider": "acme", "fields": [], "key": 1},
            "BAD_USER_INPUT",
            "Variable '$input' has invalid value: Expected value of type 'CheckCredentialInput' not to include unknown"
            " field 'key'.",
        ),
        (
            CHECK,
            None,
            "BAD_USER_INPUT",
            "Variable '$input' has invalid value: Expected value of non-null type 'CheckCredentialInput!' not to be"
            " None.",
        ),
        (
            ASK,
            {**CHAT, "maxTokens": 2**40},
            "BAD_USER_INPUT",
            "Variable '$input' has invalid value at .maxTokens: Int cannot represent non 32-bit signed integer value.",
        ),
        (
            ASK,
            {**CHAT, "seed": 2**70},
            "BAD_USER_INPUT",
            "Variable '$input' has invalid value at .seed: A BigInt must be a whole number of at most 63 bits.",
        ),
    ],
)
async def test_errors_say_what_is_wrong(document: str, given: Any, code: str, message: str) -> None:
    result = await House().run(document, None, input=given)
    assert result.errors is not None
    (error,) = result.errors
    assert ((error.extensions or {})["code"], error.message) == (code, message)


async def test_names_are_not_guessed_at() -> None:
    for document in (
        "{ viewe { id } }",
        "{ viewer { idd } }",
        '{ provider(idd: "x") { name } }',
        "{ models(type: LLMM) { nodes { id } } }",
    ):
        result = await House().run(document)
        assert "Did you mean" not in str(result.errors)


async def test_the_unforeseen_is_masked_and_logged_by_type_and_correlation_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    house = House(FakeGateway())  # its script is empty: it fails in a way that no error of the domain describes
    chat = {"messages": [{"role": "USER", "content": CANARY}]}
    result = await house.run(ASK, None, input=chat)
    assert result.errors is not None
    (error,) = result.errors
    extensions = error.extensions or {}
    assert extensions["code"] == "INTERNAL_SERVER_ERROR"
    assert "IndexError" not in error.message
    (record,) = (r for r in caplog.records if r.name == "portunus.graphql")
    assert "IndexError" in record.getMessage()
    assert extensions["correlationId"] in record.getMessage()
    assert CANARY not in caplog.text


async def test_without_a_caller_a_field_is_refused() -> None:
    house = House()
    nobody = Context(house.usecases, house.context().seal)
    result = await house.schema.execute("{ viewer { id } }", context_value=nobody)
    assert [error.extensions for error in result.errors or ()] == [{"code": "UNAUTHENTICATED"}]


async def test_a_document_with_several_operations_needs_a_name() -> None:
    house = House()
    document = "query A { viewer { id } } query B { viewer { clientId } }"
    assert await house.codes(document) == ["BAD_USER_INPUT"]
    result = await house.schema.execute(document, context_value=house.context(), operation_name="B")
    assert list((result.data or {})["viewer"]) == ["clientId"]


@pytest.mark.parametrize("document", ["{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'])
async def test_introspection_can_be_switched_off(document: str) -> None:
    house = House()
    closed = await build_schema(introspection=False).execute(document, context_value=house.context())
    assert [error.extensions for error in closed.errors or ()] == [{"code": "FORBIDDEN"}]
    assert (await house.data(document)) != {}
    typename = await build_schema(introspection=False).execute("{ __typename }", context_value=house.context())
    assert typename.data == {"__typename": "Query"}


def test_the_key_of_the_cursors_is_not_in_the_repr_of_the_options() -> None:
    assert "cursors" not in repr(OPTIONS)

"""Mutations: what they change, and which refusals come back as data."""

from typing import Any

import pytest

from api.graphql.problems import SHOWN
from domain import errors
from domain.model.access import Scope
from domain.model.calls import ChatCall, ImagePart, Knobs, Role, TextPart, ToolChoice
from domain.model.secret import Secret
from tests.fakes import FakeGateway
from tests.graphql_house import ANSWER, CHAT, EMBEDDINGS, HOME, House, tenant_id

ADD = """mutation Add($input: AddCredentialInput!) { addCredential(input: $input) { __typename
  ... on AddCredentialPayload { credential { id name model { name } fields { name value secret } } }
  ... on InvalidForm { problems { field reason } } ... on Problem { code message } } }"""
CHECK = """mutation Check($input: CheckCredentialInput!) { checkCredential(input: $input) { __typename
  ... on CheckCredentialPayload { endpoint provedAt } ... on Problem { code } } }"""
REMOVE = """mutation Remove($input: RemoveCredentialInput!) { removeCredential(input: $input) { __typename
  ... on RemoveCredentialPayload { credential { name } } ... on Problem { code } } }"""
SET_DEFAULT = """mutation Set($input: SetDefaultModelInput!) { setDefaultModel(input: $input) { __typename
  ... on SetDefaultModelPayload { defaultModel { automatic model { name } } } ... on Problem { code } } }"""
CLEAR_DEFAULT = """mutation Clear($input: ClearDefaultModelInput!) { clearDefaultModel(input: $input) {
  ... on ClearDefaultModelPayload { defaultModel { automatic model { name } } } } }"""
PREFER = """mutation Prefer($input: SetPreferredSourceInput!) { setPreferredSource(input: $input) { __typename
  ... on SetPreferredSourcePayload { provider source } ... on Problem { code } } }"""
OPEN = """mutation Open($input: OpenTenantInput!) { openTenant(input: $input) { __typename
  ... on OpenTenantPayload { tenant { name } clientId clientSecret } ... on Problem { code } } }"""
ASK = """mutation Chat($input: ChatInput!) { chat(input: $input) { __typename
  ... on ChatPayload { text reasoning toolCalls { id name arguments } finishReason rawFinishReason warnings
    usage { input output cachedInput reasoning } callId paidBy credentialId model { provider name type } }
  ... on UpstreamProblem { provider status detail retryAfter retryable }
  ... on QuotaExhausted { pot unit free asked refillsAt }
  ... on Problem { code message } } }"""
EMBED = """mutation Embed($input: EmbedInput!) { embed(input: $input) { __typename
  ... on EmbedPayload { vectors usage { input } paidBy } ... on Problem { code } } }"""

FORM = [{"name": "api_key", "value": "sk-a-good-key-1234"}]
MODEL = {"provider": "acme", "name": "scribe"}


async def test_a_credential_is_added_and_then_listed_masked() -> None:
    house = House()
    await house.credential(1)
    added = (await house.data(ADD, None, input={"provider": "acme", "name": "main", "fields": FORM}))["addCredential"]
    assert {"name": "api_key", "value": "••••1234", "secret": True} in added["credential"]["fields"]
    listed = await house.data("{ credentials { nodes { name } } }")
    assert [c["name"] for c in listed["credentials"]["nodes"]] == ["key 1", "main"]
    assert house.gateway.asked[0]["api_key"] == Secret("sk-a-good-key-1234")  # type: ignore[index]  # a probe's form


async def test_a_hosted_model_gets_a_credential_of_its_own() -> None:
    house = House()
    await house.credential(1)
    fields = [{"name": "address", "value": "https://models.example"}]
    model = {"name": "llama", "type": "LLM"}
    given = {"provider": HOME.id, "name": "here", "fields": fields, "model": model}
    added = (await house.data(ADD, None, input=given))["addCredential"]
    assert added["credential"]["model"] == {"name": "llama"}


async def test_a_wrong_form_names_its_fields_and_not_their_values() -> None:
    fields = [{"name": "apikey", "value": "sk-wrong-place"}, {"name": "mode", "value": "sk-not-an-option"}]
    refused = await House().data(ADD, None, input={"provider": "acme", "name": "x", "fields": fields})
    problem = refused["addCredential"]
    assert problem["__typename"] == "InvalidForm"
    assert {p["field"] for p in problem["problems"]} == {"apikey", "api_key", "mode"}
    assert "sk-" not in str(problem)


async def test_a_field_that_comes_twice_is_refused() -> None:
    given = {"provider": "acme", "name": "x", "fields": [*FORM, *FORM]}
    refused = (await House().data(ADD, None, input=given))["addCredential"]
    assert refused["problems"] == [{"field": "api_key", "reason": "is given more than once"}]


async def test_checking_a_credential_stores_nothing() -> None:
    house = House()
    checked = (await house.data(CHECK, None, input={"provider": "acme", "fields": FORM}))["checkCredential"]
    assert checked["endpoint"] == "https://acme.example:443"
    assert (await house.data("{ credentials { nodes { id } } }"))["credentials"]["nodes"] == []


async def test_a_removed_credential_is_gone_and_removing_it_again_is_a_problem() -> None:
    house = House()
    await house.credential(1)
    (shown,) = (await house.data("{ credentials { nodes { id } } }"))["credentials"]["nodes"]
    removed = (await house.data(REMOVE, None, input=shown))["removeCredential"]
    again = (await house.data(REMOVE, None, input=shown))["removeCredential"]
    assert removed["credential"] == {"name": "key 1"}
    assert again == {"__typename": "NotFound", "code": "NOT_FOUND"}


async def test_anothers_credential_cannot_be_removed() -> None:
    house = House()
    await house.credential(1, tenant=2)
    (shown,) = (await house.data("{ credentials { nodes { id } } }", house.actor(tenant=2)))["credentials"]["nodes"]
    assert (await house.data(REMOVE, None, input=shown))["removeCredential"]["code"] == "NOT_FOUND"
    assert len(house.store.rows[tenant_id(2)].credentials) == 1


async def test_a_default_is_chosen_and_cleared() -> None:
    house = House()
    chosen = (await house.data(SET_DEFAULT, None, input={"model": {**MODEL, "type": "LLM"}}))["setDefaultModel"]
    cleared = (await house.data(CLEAR_DEFAULT, None, input={"type": "LLM"}))["clearDefaultModel"]
    assert chosen["defaultModel"] == {"automatic": False, "model": {"name": "scribe"}}
    assert cleared["defaultModel"] == {"automatic": True, "model": {"name": "writer:7b"}}


async def test_the_preferred_source_decides_who_pays() -> None:
    house = House(FakeGateway(ANSWER))
    await house.credential(1)
    await house.data(PREFER, None, input={"provider": "acme", "source": "PLATFORM"})
    assert (await house.data(ASK, None, input=CHAT))["chat"]["paidBy"] == "PLATFORM"


async def test_opening_a_tenant_gives_its_client_once() -> None:
    opened = (await House().data(OPEN, None, input={"name": "New"}))["openTenant"]
    assert opened["tenant"] == {"name": "New"}
    assert opened["clientId"].startswith("ptn_ci_")
    assert opened["clientSecret"].startswith("ptn_cs_")


async def test_a_chat_answers_whole() -> None:
    house = House(FakeGateway(ANSWER))
    answer = (await house.data(ASK, None, input=CHAT))["chat"]
    assert answer["text"] == "Hello."
    assert answer["toolCalls"] == [{"id": "call_1", "name": "open", "arguments": '{"door": 1}'}]
    assert answer["usage"] == {"input": 7, "output": 2**33, "cachedInput": None, "reasoning": None}
    assert (answer["finishReason"], answer["rawFinishReason"]) == ("STOP", "stop")
    assert (answer["paidBy"], answer["credentialId"]) == ("PLATFORM", None)
    assert answer["model"] == {"provider": "acme", "name": "writer:7b", "type": "LLM"}
    assert answer["warnings"] == ["seed was left out"]


async def test_every_part_of_a_chat_reaches_the_call() -> None:
    house = House(FakeGateway(ANSWER))
    await house.credential(1)
    schema = {"type": "object", "properties": {"door": {"type": "integer"}}}
    image = {"inline": {"data": "aGk=", "mediaType": "image/png"}}
    given = {
        "model": {"provider": "acme", "name": "writer:7b"},
        "messages": [
            {"role": "SYSTEM", "content": "Be brief."},
            {
                "role": "USER",
                "content": "Look:",
                "parts": [{"image": {"url": "https://x.example/a.png"}}, {"image": image}, {"text": "and?"}],
            },
            {"role": "ASSISTANT", "toolCalls": [{"id": "c1", "name": "open", "arguments": "{}"}]},
            {"role": "TOOL", "content": "done", "toolCallId": "c1", "toolName": "open"},
        ],
        "tools": [{"name": "open", "description": "Opens.", "parameters": schema}],
        "toolChoice": "REQUIRED",
        "responseSchema": {"name": "answer", "schema": schema},
        "temperature": 0.5,
        "topP": 0.9,
        "maxTokens": 64,
        "stop": ["END"],
        "seed": 2**40,
        "presencePenalty": 1,
        "frequencyPenalty": -1,
    }
    await house.data(ASK, None, input=given)
    (call,) = house.gateway.asked
    assert isinstance(call, ChatCall)
    assert [m.role for m in call.messages] == [Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL]
    assert call.messages[1].parts == (
        TextPart("Look:"),
        ImagePart(url="https://x.example/a.png"),
        ImagePart(media_type="image/png", data="aGk="),
        TextPart("and?"),
    )
    assert call.messages[2].tool_calls[0].name == "open"
    assert (call.messages[3].tool_call_id, call.messages[3].tool_name) == ("c1", "open")
    assert call.tools[0].parameters == schema
    assert call.tool_choice is ToolChoice.REQUIRED
    assert call.response_schema is not None
    assert call.response_schema.schema == schema
    assert call.knobs == Knobs(0.5, 0.9, 64, ("END",), 2**40, 1, -1)


async def test_texts_become_vectors_each_given_as_one_value() -> None:
    house = House(FakeGateway(EMBEDDINGS))
    answer = (await house.data(EMBED, None, input={"texts": ["hi"]}))["embed"]
    assert answer["vectors"] == [(0.25, -1.5, 3.0)]
    assert answer["usage"] == {"input": 3}


@pytest.mark.parametrize(
    ("part", "why"), [({}, "exactly one"), ({"text": "a", "image": {"url": "https://x.example"}}, "exactly one")]
)
async def test_a_part_is_one_thing(part: Any, why: str) -> None:
    result = await House().run(ASK, None, input={"messages": [{"role": "USER", "parts": [part]}]})
    assert result.errors is not None
    assert why in result.errors[0].message
    assert (result.errors[0].extensions or {})["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("parameters", [[], "text", 5, None])
async def test_a_tools_parameters_are_a_json_object(parameters: Any) -> None:
    given = {**CHAT, "tools": [{"name": "t", "parameters": parameters}]}
    result = await House().run(ASK, None, input=given)
    refused = result.errors is not None or (result.data or {})["chat"]["code"] == "INVALID_RANGE"
    assert refused


async def test_json_nested_too_deeply_is_refused() -> None:
    nested: Any = {}
    for _ in range(200):
        nested = {"a": nested}
    given = {**CHAT, "tools": [{"name": "t", "parameters": nested}]}
    assert await House().codes(ASK, None, input=given) == ["BAD_USER_INPUT"]


REFUSALS: list[errors.DomainError] = [
    errors.InvalidRange("x", "must be y"),
    errors.UnsupportedFeature("tools", "acme/x"),
    errors.QuotaExhausted("trial", "tokens", 2**33, 2**34),
    errors.NoCredential("acme"),
    errors.NoDefaultModel("llm"),
    errors.NotPermitted("acme/x"),
    errors.NotFound("credential"),
    errors.CredentialUnreadable(),
    errors.CredentialRejected("acme", 401, "no", None),
    errors.UpstreamPaymentRequired("acme", 402),
    errors.UpstreamRateLimited("acme", 429, "slow", 1.5),
    errors.ContextTooLong("acme", 400),
    errors.ContentRefused("acme", 400),
    errors.BadRequestUpstream("acme", 400),
    errors.ModelNotFoundUpstream("acme", 404),
    errors.UpstreamUnavailable("acme", sent=False),
    errors.UpstreamTimeout("acme"),
    errors.StreamBroken("acme"),
    errors.EndpointForbidden("acme"),
    errors.UpstreamError("acme", 418),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
async def test_every_refusal_of_a_chat_is_data(refusal: errors.DomainError) -> None:
    house = House(FakeGateway(refusal))
    answer = (await house.data(ASK, None, input=CHAT))["chat"]
    assert answer["__typename"] == SHOWN[type(refusal)].__name__
    assert (answer["code"], answer["message"]) == (refusal.code, refusal.message)
    if isinstance(refusal, errors.UpstreamError):
        shown = (answer["provider"], answer["status"], answer["detail"], answer["retryAfter"], answer["retryable"])
        assert shown == (refusal.provider, refusal.status, refusal.detail, refusal.retry_after, refusal.retryable)
    if isinstance(refusal, errors.QuotaExhausted):
        assert (answer["free"], answer["asked"]) == (2**33, 2**34)


async def test_a_refusal_that_a_union_does_not_have_is_a_top_level_error() -> None:
    house = House(FakeGateway(errors.ContextTooLong("acme")))
    given = {"provider": "acme", "fields": FORM}
    assert (await house.data(CHECK, None, input=given))["checkCredential"]["__typename"] == "UpstreamRefused"
    house = House(FakeGateway(errors.QuotaExhausted("trial", "calls", 0, 1)))
    assert await house.codes(CHECK, None, input=given) == ["QUOTA_EXHAUSTED"]


@pytest.mark.parametrize(
    ("document", "given", "typename"),
    [
        (ADD, {"provider": "nobody", "name": "x", "fields": FORM}, "NotFound"),
        (ADD, {"provider": "acme", "name": "key 1", "fields": FORM}, "DuplicateName"),
        (ADD, {"provider": "acme", "name": " ", "fields": FORM}, "InvalidRange"),
        (ADD, {"provider": "home", "name": "x", "fields": []}, "InvalidRange"),
        (CHECK, {"provider": "nobody", "fields": FORM}, "NotFound"),
        (REMOVE, {"id": "nonsense"}, "NotFound"),
        (SET_DEFAULT, {"model": {"provider": "acme", "name": "unknown", "type": "LLM"}}, "NotFound"),
        (PREFER, {"provider": "nobody", "source": "OWN"}, "NotFound"),
        (OPEN, {"name": ""}, "InvalidRange"),
        (ASK, {"messages": []}, "InvalidRange"),
        (ASK, {**CHAT, "model": {"provider": "nobody", "name": "x"}}, "NoCredential"),
        (EMBED, {"texts": []}, "InvalidRange"),
    ],
)
async def test_expected_refusals_are_data(document: str, given: Any, typename: str) -> None:
    house = House()
    await house.credential(1)
    (result,) = (await house.data(document, None, input=given)).values()
    assert result["__typename"] == typename


@pytest.mark.parametrize(
    ("document", "given", "needs"),
    [
        (ADD, {"provider": "acme", "name": "x", "fields": FORM}, Scope.CREDENTIALS_WRITE),
        (CHECK, {"provider": "acme", "fields": FORM}, Scope.CREDENTIALS_WRITE),
        (REMOVE, {"id": "Q3JlZGVudGlhbDowMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDE="}, Scope.CREDENTIALS_WRITE),
        (SET_DEFAULT, {"model": {**MODEL, "type": "LLM"}}, Scope.DEFAULTS_WRITE),
        (CLEAR_DEFAULT, {"type": "LLM"}, Scope.DEFAULTS_WRITE),
        (PREFER, {"provider": "acme", "source": "OWN"}, Scope.QUOTAS_WRITE),
        (OPEN, {"name": "x"}, Scope.TENANTS_OPEN),
        (ASK, CHAT, Scope.MODELS_INVOKE),
        (EMBED, {"texts": ["x"]}, Scope.MODELS_INVOKE),
    ],
)
async def test_changing_needs_its_scope(document: str, given: Any, needs: Scope) -> None:
    house = House()
    result = await house.run(document, house.actor(*(set(Scope) - {needs})), input=given)
    assert result.errors is not None
    assert result.errors[0].extensions == {"code": "FORBIDDEN", "needs": needs}
    assert house.gateway.asked == []

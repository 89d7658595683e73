"""Our requests to Amazon Bedrock equal those of botocore 1.44.5 (sdk_requests.json, recorded on loopback) and satisfy
its service models (*_model.json).

Left out of the comparison: `toolChoice: {"auto": {}}`, which is the default and not sent; a tool result's `status`,
which not every model takes; `accept`, which we always send and sign; and Cohere's `truncate`, since we have a text
refused rather than cut.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import InvalidForm, InvalidRange, UnsupportedFeature
from domain.model.calls import (
    ChatCall,
    EmbedCall,
    EmbedPurpose,
    ImagePart,
    Knobs,
    Message,
    ResponseSchema,
    Role,
    TextPart,
    ToolCall,
    ToolChoice,
)
from domain.model.catalogue import ModelType
from domain.model.rerank import RerankCall
from domain.ports import Target
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import amazon
from tests.contract import recordings as rec
from tests.contract.service_model import satisfies

ID = "aws_bedrock"
ADAPTER = ADAPTERS[ID]
KEYED = {"auth_method": "API_Key", "bedrock_api_key": "bedrock-api-key-dummy"}
NOVA = "us.amazon.nova-2-lite-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/0j6r4a8fn6ze"
TOOL = rec.weather("Current weather of a city")
EVERY = Knobs(temperature=0.2, top_p=0.9, max_tokens=64, stop=("END",))
CASES: list[tuple[str, str, ChatCall]] = [
    ("chat", NOVA, replace(rec.asking("Hello", system="Be brief."), knobs=EVERY)),
    ("chat_stream_tool", NOVA, replace(rec.asking("Weather in Paris?"), tools=(TOOL,))),
    ("chat_tool_result", NOVA, rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "tooluse_1")),
    ("chat_vision", NOVA, rec.asking(rec.pixel(), "What is this?")),
    ("chat_arn", PROFILE, rec.asking("Hello")),
]


def target(model: str = NOVA, kind: ModelType = ModelType.LLM, **form: str) -> Target:
    return rec.target(ID, model, {**(KEYED if "auth_method" in form else amazon.PAIR), **form}, kind)


def render(call: ChatCall, model: str = NOVA, *, stream: bool = False) -> Request:
    assert ADAPTER.chat
    return ADAPTER.chat.render(target(model), call, stream=stream)


def body_of(call: ChatCall, model: str = NOVA) -> Any:
    body = render(call, model).json
    satisfies(ID, "runtime_model.json", "ConverseRequest", body)
    return body


@pytest.mark.parametrize(("name", "model", "call"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_is_the_sdks(name: str, model: str, call: ChatCall) -> None:
    theirs = amazon.theirs(ID, name)
    theirs.body.get("toolConfig", {}).pop("toolChoice", None)
    for block in (block for message in theirs.body["messages"] for block in message["content"]):
        block.get("toolResult", {}).pop("status", None)
    request = render(call, model, stream="stream" in name)
    assert amazon.ours(ID, target(model).form, request) == theirs
    satisfies(ID, "runtime_model.json", "ConverseRequest", request.json)


@pytest.mark.parametrize("call_id", ["call 1", "c" * 65])
def test_ids_of_calls_that_another_vendor_made_become_such_as_this_one_takes(call_id: str) -> None:
    """Its service model, to which `body_of` holds them, has 64 characters of some kinds."""
    _, asked, answered = body_of(rec.after_tool("Weather?", "Oslo", "5C", TOOL, call_id))["messages"]
    assert asked["content"][0]["toolUse"]["toolUseId"] == answered["content"][0]["toolResult"]["toolUseId"] != call_id


def test_an_api_key_is_a_bearer_token() -> None:
    goal = target("amazon.nova-lite-v1:0", auth_method="API_Key")
    assert ADAPTER.chat
    headers = ("authorization", "content-type")
    sent = rec.sent(ADAPTER, goal.form, ADAPTER.chat.render(goal, rec.asking("Hello"), stream=False), headers)
    theirs = rec.calls(ID)["chat_api_key"]["request"]
    assert ADAPTER.base_url(goal.form) + sent.path == theirs["url"]
    assert (sent.headers, sent.body) == (theirs["headers"], theirs["body"])


def test_a_form_asks_for_one_way_in_and_never_takes_the_hosts_own() -> None:
    (way, *_) = ADAPTER.form
    assert way.options == ("Access_Secret_Key", "API_Key")
    with pytest.raises(InvalidForm):
        target(aws_access_key_id="", aws_secret_access_key="")
    with pytest.raises(InvalidForm):
        rec.target(ID, NOVA, {"auth_method": "API_Key"})
    with pytest.raises(InvalidForm):
        rec.target(ID, NOVA, {"auth_method": "IAM_Role"})


def test_temporary_keys_send_their_session_token() -> None:
    assert rec.signed(ADAPTER, target(aws_session_token="SESSION").form)["x-amz-security-token"] == "SESSION"


@pytest.mark.parametrize(
    ("form", "base"),
    [
        ({}, "https://bedrock-runtime.us-east-1.amazonaws.com"),
        ({"aws_region": "eu-central-1"}, "https://bedrock-runtime.eu-central-1.amazonaws.com"),
        ({"bedrock_endpoint_url": "https://vpce-1.example"}, "https://vpce-1.example"),
    ],
    ids=range(3),
)
def test_calls_go_to_the_forms_region_or_address(form: dict[str, str], base: str) -> None:
    assert ADAPTER.base_url(rec.target(ID, NOVA, {**amazon.PAIR, **form}).form) == base


@pytest.mark.parametrize("region", ["", "evil.example/", "us-east-1.evil.example"])
def test_no_region_leads_elsewhere(region: str) -> None:
    if region:
        with pytest.raises(InvalidForm):
            target(aws_region=region)
    else:
        assert target(aws_region="").form["aws_region"] == "us-east-1"


def test_texts_for_titan_go_one_by_one() -> None:
    name = "amazon.titan-embed-text-v2:0"
    goal = target(name, ModelType.EMBEDDING)
    assert ADAPTER.embed
    assert ADAPTER.embed.batch(goal) == 1
    request = ADAPTER.embed.render(goal, EmbedCall(("hello",), dimensions=256))
    assert amazon.ours(ID, goal.form, request) == amazon.theirs(ID, "embedding_titan")
    first = ADAPTER.embed.render(target("amazon.titan-embed-text-v1"), EmbedCall(("hello",), dimensions=256))
    assert (first.json, len(first.warnings)) == ({"inputText": "hello"}, 1)


def test_texts_for_cohere_go_together_and_by_their_purpose() -> None:
    goal = target("cohere.embed-multilingual-v3", ModelType.EMBEDDING)
    assert ADAPTER.embed
    assert ADAPTER.embed.batch(goal) == 96
    request = ADAPTER.embed.render(goal, EmbedCall(("hello",)))
    assert request.json
    assert request.json["truncate"] == "NONE"
    ours = amazon.ours(ID, goal.form, replace(request, json={k: v for k, v in request.json.items() if k != "truncate"}))
    assert ours == amazon.theirs(ID, "embedding_cohere", "truncate")
    call = EmbedCall(("a", "b"), dimensions=256, purpose=EmbedPurpose.QUERY)
    later = ADAPTER.embed.render(target("global.cohere.embed-v4:0", ModelType.EMBEDDING), call)
    sized = {"texts": ["a", "b"], "input_type": "search_query", "truncate": "NONE", "output_dimension": 256}
    assert (later.json, later.warnings) == (sized, ())


def test_texts_for_nova_say_what_for() -> None:
    goal = target("amazon.nova-2-multimodal-embeddings-v1:0", ModelType.EMBEDDING)
    assert ADAPTER.embed
    request = ADAPTER.embed.render(goal, EmbedCall(("a",), dimensions=1024))
    text = {"truncationMode": "NONE", "value": "a"}
    params = {"embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": 1024, "text": text}
    assert request.json == {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params}


def test_documents_are_ranked_as_the_sdk_asks() -> None:
    goal = target("cohere.rerank-v3-5:0", ModelType.RERANK, aws_region="us-west-2")
    assert ADAPTER.rerank
    request = ADAPTER.rerank.render(goal, RerankCall("q", ("a", "b"), top_n=1))
    satisfies(ID, "agent_model.json", "RerankRequest", request.json)
    theirs = amazon.theirs(ID, "rerank")
    ours = amazon.ours(ID, goal.form, request)
    assert (ours.method, ours.path, ours.body) == (theirs.method, theirs.path, theirs.body)
    assert callable(request.base)
    assert request.base(goal.form) == "https://bedrock-agent-runtime.us-west-2.amazonaws.com"


def test_reranking_needs_a_key_pair() -> None:
    assert ADAPTER.rerank
    with pytest.raises(UnsupportedFeature):
        ADAPTER.rerank.render(target("cohere.rerank-v3-5:0", auth_method="API_Key"), RerankCall("q", ("a",)))


def test_the_probe_lists_models_free_of_charge() -> None:
    form = ADAPTER.provider().checked(amazon.PAIR, None)
    request = ADAPTER.probe(None, form)
    assert amazon.ours(ID, form, request) == amazon.theirs(ID, "models")
    assert callable(request.base)
    assert request.base(form) == "https://bedrock.us-east-1.amazonaws.com"


def test_the_probe_is_a_word_where_the_form_names_a_model() -> None:
    form = ADAPTER.provider().checked({**KEYED, "model_for_validation": NOVA}, None)
    request = ADAPTER.probe(None, form)
    satisfies(ID, "runtime_model.json", "ConverseRequest", request.json)
    assert (request.path, request.base) == ("model/us.amazon.nova-2-lite-v1%3A0/converse", None)
    assert request.json
    assert request.json["inferenceConfig"] == {"maxTokens": 5}


def test_a_schema_travels_as_text() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    format_ = body_of(replace(rec.asking("x"), response_schema=ResponseSchema("r", schema)))["outputConfig"][
        "textFormat"
    ]
    assert format_["type"] == "json_schema"
    assert json.loads(format_["structure"]["jsonSchema"]["schema"]) == schema


def test_what_the_api_lacks_is_left_out_with_a_warning() -> None:
    request = render(replace(rec.asking("x"), knobs=Knobs(seed=7, presence_penalty=0.1, frequency_penalty=0.1)))
    assert [w.split()[0] for w in request.warnings] == ["seed", "presence_penalty", "frequency_penalty"]
    assert request.json
    assert "inferenceConfig" not in request.json


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("us.anthropic.claude-sonnet-5-5", False),
        ("eu.anthropic.claude-opus-4-7", False),
        ("global.anthropic.claude-opus-4-6-v1", True),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", True),
        ("amazon.nova-pro-v1:0", True),
    ],
)
def test_sampling_is_left_out_where_it_is_refused(model: str, takes: bool) -> None:
    request = render(replace(rec.asking("x"), knobs=Knobs(temperature=0.2, top_p=0.9, max_tokens=5)), model)
    assert request.json
    assert request.json["inferenceConfig"].keys() == {"maxTokens"} | ({"temperature", "topP"} if takes else set())
    assert len(request.warnings) == (0 if takes else 2)


def test_a_makers_own_parameters_stand_apart() -> None:
    assert body_of(replace(rec.asking("x"), knobs=Knobs(extra={"top_k": 5})))["additionalModelRequestFields"] == {
        "top_k": 5
    }


def test_thinking_is_asked_for_where_the_service_and_the_maker_have_it() -> None:
    knobs = Knobs(extra={"effort": "low", "include_thoughts": True, "top_k": 5})
    body = body_of(replace(rec.asking("x"), knobs=knobs))
    assert body["outputConfig"] == {"effort": "low"}
    assert body["additionalModelRequestFields"] == {
        "top_k": 5,
        "thinking": {"type": "adaptive", "display": "summarized"},
    }
    silent = body_of(replace(rec.asking("x"), knobs=Knobs(extra={"include_thoughts": False})))
    assert not {"outputConfig", "additionalModelRequestFields"} & silent.keys()


def test_turns_alternate_and_results_come_first() -> None:
    calls = (ToolCall("a", "f", "{}"), ToolCall("b", "g", ""))
    turns = (
        rec.saying(Role.SYSTEM, "One."),
        rec.saying(Role.USER, "Go"),
        Message(Role.ASSISTANT, (TextPart("Calling."),), calls),
        rec.saying(Role.USER, " ", "And then?"),
        Message(Role.TOOL, (TextPart("1"),), tool_call_id="a"),
        Message(Role.TOOL, (rec.pixel(),), tool_call_id="b"),
        rec.saying(Role.SYSTEM, "Two."),
        rec.saying(Role.ASSISTANT, ""),
    )
    body = body_of(ChatCall(turns, tools=(TOOL,)))
    assert body["system"] == [{"text": "One.\n\nTwo."}]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [next(iter(block)) for block in body["messages"][1]["content"]] == ["text", "toolUse", "toolUse"]
    assert [next(iter(block)) for block in body["messages"][2]["content"]] == ["toolResult", "toolResult", "text"]


def test_a_tool_can_be_demanded_but_only_forbidden_before_the_first_call() -> None:
    asked = replace(rec.asking("x"), tools=(TOOL,))
    assert body_of(replace(asked, tool_choice=ToolChoice.REQUIRED))["toolConfig"]["toolChoice"] == {"any": {}}
    assert "toolConfig" not in body_of(replace(asked, tool_choice=ToolChoice.NONE))
    after = replace(rec.after_tool("W?", "Paris", "18C", TOOL, "t1"), tool_choice=ToolChoice.NONE)
    assert "toolConfig" in body_of(after)
    assert len(render(after).warnings) == 1


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (ImagePart("https://example.com/a.png"), UnsupportedFeature),
        (ImagePart(media_type="image/tiff", data="eA=="), InvalidRange),
        (ImagePart(), InvalidRange),
    ],
    ids=range(3),
)
def test_an_image_that_cannot_be_sent_is_refused(image: ImagePart, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        render(rec.asking(image))


@pytest.mark.parametrize("role", [Role.SYSTEM, Role.ASSISTANT])
def test_an_image_where_none_can_be_is_refused(role: Role) -> None:
    with pytest.raises(UnsupportedFeature):
        render(ChatCall((Message(role, (rec.pixel(),)),)))

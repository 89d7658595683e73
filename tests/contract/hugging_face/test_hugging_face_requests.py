"""Our requests to Hugging Face equal those of its own client: to the router (sdk_requests.json: huggingface_hub for
Python 1.33.0, whose traffic was diverted to loopback; x-capture-origin is where it was meant to go) and to inference
endpoints (sdk_requests_endpoint.json, sdk_requests_endpoint_more.json). Chats satisfy OpenAI's OpenAPI, and where they
have neither tools nor a schema also that of the server behind most endpoints (request_schemas.json:
huggingface/text-generation-inference at db931fc), which documents these under other names than it reads.

Left out of the comparison: `stream: false` and `tool_choice: "auto"`, which are the default and not sent; the client's
`accept: */*`; that it embeds one text as a bare string; and, where its caller did not ask for it, `truncate: false`,
since a text that is too long is to be refused and not cut.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import InvalidForm, InvalidRange
from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema
from domain.model.catalogue import Feature, ModelRef, ModelType
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "hugging_face"
ADAPTER = ADAPTERS[ID]
HUB = {"huggingfacehub_api_token": "<key>"}
OWN = {**HUB, "huggingfacehub_api_type": "inference_endpoints", "huggingfacehub_endpoint_url": "https://x.example"}
ROUTER, ENDPOINT, MORE = "sdk_requests.json", "sdk_requests_endpoint.json", "sdk_requests_endpoint_more.json"
HEADERS = ("authorization", "content-type")
MODEL = "meta-llama/Llama-3.1-8B-Instruct"
TOOL = rec.weather("Weather by city")
HELLO = rec.asking("Hello")
CALLING = replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,))
TUNED = replace(HELLO, knobs=Knobs(temperature=0.2, top_p=0.9, max_tokens=64, stop=("END",), seed=7))
STRUCTURED = replace(rec.asking("a?"), response_schema=ResponseSchema("ans", client.CLOSED))
CASES: list[tuple[str, str, ChatCall]] = [
    (ROUTER, "chat_completion provider=auto", replace(HELLO, knobs=Knobs(max_tokens=64))),
    (ROUTER, "chat_completion provider=auto stream + tool", CALLING),
    (ENDPOINT, "chat_completion", TUNED),
    (ENDPOINT, "chat_completion stream + tool", CALLING),
    (MORE, "chat_completion vision", rec.asking("What is this?", rec.pixel())),
    (MORE, "chat_completion tool result turn", rec.after_tool("Weather in Tokyo?", "Tokyo", "sunny", TOOL, "0")),
    (MORE, "chat_completion json_schema", STRUCTURED),
]


def theirs(file: str, name: str, *without: str) -> rec.Sent:
    """The last request of a call: before it, the client may look up who serves the model."""
    call = rec.calls(ID, file)[name]
    return rec.recorded({"request": call["requests"][-1]}, without=without, headers=HEADERS)


@pytest.mark.parametrize(("file", "name", "call"), CASES, ids=[f"{file} {name}" for file, name, _ in CASES])
def test_a_chat_request_is_the_clients(file: str, name: str, call: ChatCall) -> None:
    stream = "stream" in name
    expected = theirs(file, name, "tool_choice", *(() if stream else ("stream",)))
    form = HUB if file == ROUTER else OWN
    ours = rec.asked(ID, form, expected.body["model"], call, stream=stream, headers=HEADERS)
    assert ours == expected
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)
    if not (call.tools or call.response_schema):
        rec.valid(ID, "ChatRequest", ours.body)


@pytest.mark.parametrize("form", [HUB, {**OWN, "endpoint_server": "openai_compatible"}], ids=["router", "vLLM"])
def test_other_servers_take_a_schema_as_openai_does(form: dict[str, str]) -> None:
    body = rec.asked(ID, form, MODEL, STRUCTURED).body
    rec.valid("openai", "CreateChatCompletionRequest", body)
    assert body["response_format"]["json_schema"] == {"name": "ans", "strict": True, "schema": client.CLOSED}


@pytest.mark.parametrize(
    ("file", "name", "form", "model"),
    [
        (ROUTER, "hf-inference feature_extraction", HUB, "intfloat/multilingual-e5-large"),
        (ENDPOINT, "feature_extraction", OWN, "mine"),
    ],
    ids=["router", "endpoint"],
)
def test_texts_to_embed_are_the_clients(file: str, name: str, form: dict[str, str], model: str) -> None:
    ours = rec.embedded(ID, form, model, EmbedCall(("hello",)), HEADERS)
    assert ours.body.pop("truncate") is False
    expected = theirs(file, name)
    assert ours == replace(expected, body={"inputs": [expected.body["inputs"]]})


def test_two_texts_as_shorter_vectors_and_not_cut_are_the_clients() -> None:
    ours = rec.embedded(ID, OWN, "mine", EmbedCall(("a", "b"), dimensions=256), HEADERS)
    assert ours == theirs(MORE, "feature_extraction of two texts")


def test_each_kind_has_its_address() -> None:
    origin = rec.calls(ID)["chat_completion provider=auto"]["requests"][0]["headers"]["x-capture-origin"]
    assert ADAPTER.base_url(rec.target(ID, "x", HUB).form) == origin
    for end in ("", "/", "/v1", "/v1/"):
        form = rec.target(ID, "x", {**OWN, "huggingfacehub_endpoint_url": f"https://x.example{end}"}).form
        assert ADAPTER.base_url(form) == "https://x.example"


def test_only_an_own_endpoint_has_an_address_and_only_the_router_a_bill() -> None:
    with pytest.raises(InvalidForm, match="huggingfacehub_endpoint_url"):
        rec.target(ID, "x", {**HUB, "huggingfacehub_api_type": "inference_endpoints"})
    with pytest.raises(InvalidForm, match="huggingfacehub_endpoint_url"):
        rec.target(ID, "x", {**OWN, "huggingfacehub_api_type": "hosted_inference_api"})
    with pytest.raises(InvalidForm, match="endpoint_server"):
        rec.target(ID, "x", {**HUB, "endpoint_server": "openai_compatible"})
    with pytest.raises(InvalidForm, match="bill_to"):
        rec.target(ID, "x", {**OWN, "bill_to": "acme"})
    assert rec.signed(ADAPTER, rec.target(ID, "x", {**HUB, "bill_to": "acme"}).form)["x-hf-bill-to"] == "acme"
    assert "x-hf-bill-to" not in rec.signed(ADAPTER, rec.target(ID, "x", HUB).form)


@pytest.mark.parametrize("name", ["../../v1", "a/..", "./a", "a/b/c", "a/b?c", "a/b:fastest", "a/%2e%2e", ""])
def test_no_name_of_a_model_leads_out_of_its_task(name: str) -> None:
    with pytest.raises(InvalidRange):
        rec.embedded(ID, HUB, name, EmbedCall(("a",)))


def probed(form: dict[str, str], kind: ModelType) -> rec.Sent:
    goal = rec.target(ID, "owner/mine", form, kind)
    return rec.sent(ADAPTER, goal.form, ADAPTER.probe(goal, goal.form), HEADERS)


def test_the_probe_calls_the_very_model() -> None:
    chat: Any = probed(HUB, ModelType.LLM)
    assert (chat.path, chat.body["model"], chat.body["max_tokens"]) == ("/v1/chat/completions", "owner/mine", 5)
    paths = [probed(form, ModelType.EMBEDDING).path for form in (HUB, OWN)]
    assert paths == ["/hf-inference/models/owner/mine/pipeline/feature-extraction", "/"]


def test_the_form_says_what_a_model_can_do() -> None:
    public = {"function_calling_type": "tool_call", "vision_support": "support"}
    row = ADAPTER.provider().hosted(ModelRef(ID, MODEL, ModelType.LLM), public)
    assert row.features == {Feature.TOOLS, Feature.VISION, Feature.STREAMING}

"""Our requests to Triton equal those that a real server answered (recorded_real_triton.json: Triton 2.51.0), and say
what LiteLLM's say (third_party_requests_litellm.json); the official client knows the models' list (sdk_requests.json:
tritonclient 2.73.0) and how texts become vectors (sdk_requests_infer.json), as KServe's OpenAPI has it
(request_schemas.json: kserve/open-inference-protocol at d49cc23). What no recording has, the body for vLLM, is written
after the README of triton-inference-server/vllm_backend at 8de0c14 and its src/utils/request.py.
"""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.calls import ChatCall, EmbedCall, Knobs, Message, ResponseSchema, Role
from domain.model.catalogue import ModelType
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import JSON
from tests.contract import recordings as rec

ID = "nvidia_triton"
ADAPTER = ADAPTERS[ID]
FORM = {"server_url": "http://127.0.0.1:8000", "completion_type": "completion"}
FORM_OF_VECTORS = {"server_url": FORM["server_url"]}
EMBEDDING, TEXTS = ModelType.EMBEDDING, EmbedCall(("ab", "abcd"))
WHOLE = {**FORM, "stream": "false"}
LITELLM = "third_party_requests_litellm.json"
EXCHANGES = {e["name"]: e["request"] for e in rec.load(ID, "recorded_real_triton.json")["exchanges"]}
SCALARS = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
SCHEMA = {  # $generate_request of docs/protocol/extension_generate.md
    "type": "object",
    "required": ["text_input"],
    "properties": {"id": {"type": "string"}, "text_input": {"type": "string"}, "parameters": SCALARS},
}
EVERY = Knobs(0.5, 0.9, 3, ("END", "\n"), 7, 0.1, 0.2)


def ours(call: ChatCall, model: str = "ensemble", **form: str) -> rec.Sent:
    return rec.asked(ID, {**FORM, **form}, model, call, headers=("authorization",))


def flat(body: Any) -> Any:
    """A parameter may stand in `parameters` or beside it: the server reads both alike."""
    top = {name: value for name, value in body.items() if name not in ("id", "parameters")}
    return {**top, **body.get("parameters", {})}


def test_a_whole_answer_is_asked_for_as_the_server_took_it() -> None:
    call = replace(rec.asking("hello big wide world"), knobs=Knobs(temperature=0.5, max_tokens=3))
    assert ours(call, stream="false") == rec.recorded(EXCHANGES["generate"])


def test_a_stream_is_asked_for_as_the_server_took_it() -> None:
    theirs = rec.recorded(EXCHANGES["generate_stream_decoupled"])
    sent = ours(rec.asking("hello big wide world"), "stream_llm")
    assert replace(sent, body=flat(sent.body)) == replace(theirs, body=flat(theirs.body))


@pytest.mark.parametrize(("name", "stream"), [("completion generate", "false"), ("completion generate stream", "true")])
def test_a_widely_used_client_says_the_same(name: str, stream: str) -> None:
    theirs = rec.recorded(rec.calls(ID, LITELLM)[name])
    sent = ours(replace(rec.asking("Be brief. Hello"), knobs=Knobs(max_tokens=64)), stream=stream)
    assert replace(sent, body=flat(sent.body)) == replace(theirs, body=flat(theirs.body))


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("stream", "way"), [("true", "generate_stream"), ("false", "generate")])
def test_the_form_says_how_a_model_is_asked_whatever_a_call_wants(streamed: bool, stream: str, way: str) -> None:
    assert ADAPTER.chat
    goal = rec.target(ID, "ensemble", {**FORM, "stream": stream})
    request = ADAPTER.chat.render(goal, rec.asking("hi"), stream=streamed)
    assert request.path == f"v2/models/ensemble/{way}"
    assert request.accept == ("text/event-stream" if stream == "true" else JSON)
    assert request.json == {"text_input": "hi", "parameters": {"stream": stream == "true"}}


@pytest.mark.parametrize("backend", ["other", "vllm"])
def test_every_body_is_as_the_guide_says(backend: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(ours(replace(rec.asking("x"), knobs=EVERY), backend=backend).body)


def test_a_model_gets_its_stop_words_as_an_input_and_the_rest_as_parameters() -> None:
    body = ours(replace(rec.asking("x"), knobs=EVERY)).body
    assert (body["max_tokens"], body["stop_words"]) == (3, ["END", "\n"])
    assert body["parameters"] == {
        "stream": True,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }


def test_vllm_gets_its_sampling_as_one_text_and_is_asked_for_reason_and_counts() -> None:
    body = ours(replace(rec.asking("x"), knobs=EVERY), backend="vllm", stream="false").body
    assert json.loads(body.pop("sampling_parameters")) == {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 3,
        "stop": ["END", "\n"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }
    assert body == {
        "text_input": "x",
        "stream": False,
        "exclude_input_in_output": True,
        "return_finish_reason": True,
        "return_num_input_tokens": True,
        "return_num_output_tokens": True,
    }


TURNS = ChatCall(
    (
        rec.saying(Role.SYSTEM, "Be brief."),
        rec.saying(Role.USER, "Hello"),
        rec.saying(Role.ASSISTANT, "Hi."),
        rec.saying(Role.USER, "ping"),
    )
)


def test_turns_stand_on_lines_of_their_own_with_their_roles_where_the_model_chats() -> None:
    assert ours(TURNS, completion_type="chat").body["text_input"] == (
        "System: Be brief.\nUser: Hello\nAssistant: Hi.\nUser: ping"
    )
    assert ours(TURNS).body["text_input"] == "Be brief.\nHello\nHi.\nping"


TOOL = rec.weather("Weather by city")


@pytest.mark.parametrize(
    "call",
    [
        replace(rec.asking("x"), tools=(TOOL,)),
        rec.after_tool("Weather?", "Tokyo", "sunny", TOOL, "c1"),
        ChatCall((Message(Role.TOOL, rec.saying(Role.USER, "sunny").parts, tool_call_id="c1"),)),
        replace(rec.asking("x"), response_schema=ResponseSchema("a", {"type": "object"})),
        rec.asking("What is this?", rec.pixel()),
    ],
    ids=["tools", "calls", "result", "schema", "image"],
)
def test_what_is_no_text_is_refused_before_anything_is_sent(call: ChatCall) -> None:
    with pytest.raises(UnsupportedFeature):
        ours(call)


def test_a_key_is_for_a_proxy_and_need_not_be() -> None:
    assert ours(rec.asking("x")).headers == {}
    assert ours(rec.asking("x"), api_key="<key>").headers == {"authorization": "Bearer <key>"}


@pytest.mark.parametrize("ending", ["", "/", "/v2", "/v2/models/"])
def test_an_address_may_carry_the_path_too(ending: str) -> None:
    sent = ours(rec.asking("x"), "a/b c", server_url="http://127.0.0.1:8000" + ending)
    assert sent.path == "/v2/models/a%2Fb%20c/generate_stream"


@pytest.mark.parametrize("form", [WHOLE, {**FORM, "backend": "other"}], ids=["whole", "streaming"])
def test_the_probe_asks_for_a_short_answer_in_one_piece(form: dict[str, str]) -> None:
    goal = rec.target(ID, "ensemble", form)
    request = ADAPTER.probe(goal, goal.form)
    assert (request.path, request.accept) == ("v2/models/ensemble/generate", JSON)
    assert request.json == {"text_input": "ping", "max_tokens": 5, "parameters": {"stream": False}}


def test_there_is_no_credential_for_all_models() -> None:
    with pytest.raises(InvalidRange):
        ADAPTER.probe(None, FORM)


def vectors(call: EmbedCall = TEXTS, model: str = "embedder", /, **form: str) -> rec.Sent:
    return rec.embedded(ID, {**FORM_OF_VECTORS, **form}, model, call, ("authorization",))


def test_texts_to_embed_are_asked_for_as_the_server_took_them() -> None:
    sent = vectors()
    assert sent.body.pop("outputs") == [{"name": "embedding"}]
    assert sent == rec.recorded(EXCHANGES["infer_embeddings"])


def test_texts_to_embed_are_the_clients() -> None:
    """But that it says of the output that it shall not come as bytes, which it does only when that is asked for."""
    theirs = rec.recorded(
        rec.calls(ID, "sdk_requests_infer.json")["infer texts to vectors"], headers=("authorization",)
    )
    assert theirs.body["outputs"][0].pop("parameters") == {"binary_data": False}
    ours = vectors(api_key="<key>")
    assert ours == theirs
    rec.valid(ID, "inference_request", ours.body)


def test_the_form_names_the_tensors_and_bounds_the_batch() -> None:
    form = {"text_tensor": "TEXT", "vector_tensor": "sentence_embedding", "max_batch_size": "8"}
    body = vectors(TEXTS, "a/b", **form).body
    assert (body["inputs"][0]["name"], body["outputs"]) == ("TEXT", [{"name": "sentence_embedding"}])
    assert ADAPTER.embed
    batches = [ADAPTER.embed.batch(rec.target(ID, "m", {**FORM_OF_VECTORS, **form}, EMBEDDING)) for form in ({}, form)]
    assert batches == [1, 8]


def test_a_model_makes_vectors_of_its_own_length() -> None:
    with pytest.raises(UnsupportedFeature):
        vectors(replace(TEXTS, dimensions=2))


def test_the_probe_embeds_a_word() -> None:
    goal = rec.target(ID, "embedder", FORM_OF_VECTORS, EMBEDDING)
    request = ADAPTER.probe(goal, goal.form)
    assert request.path == "v2/models/embedder/infer"
    assert request.json
    assert request.json["inputs"][0] == {"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": ["ping"]}

"""Replicate: requests as the official SDK sends them (sdk_requests.json) and as the vendor's OpenAPI has them
(request_schemas.json). The inputs of models that embed are inferred from those that Dify's plugin knows
(langgenius/dify-official-plugins at 7af2283, models/replicate).
"""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema, Role
from domain.model.catalogue import FormValues, ModelType
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS

ID, MODEL = "replicate", "meta/meta-llama-3-8b-instruct"
FORM = FORMS[ID]
VERSION = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"
HEADERS = ("authorization", "content-type", "prefer")
CALLS = rec.calls(ID)


def test_a_prompt_is_sent_as_the_sdk_does() -> None:
    call = replace(rec.asking("Hello"), knobs=Knobs(max_tokens=64, temperature=0.2))
    ours = rec.asked(ID, FORM, MODEL, call, headers=HEADERS)
    assert ours == rec.recorded(CALLS["run official model by name"], headers=HEADERS)
    rec.valid(ID, "schemas_prediction_request", ours.body)


@pytest.mark.parametrize(
    ("model", "form"), [(MODEL, {**FORM, "model_version": VERSION}), (f"{MODEL}:{VERSION}", FORM)], ids=["form", "name"]
)
def test_a_version_is_run_as_the_sdk_does(model: str, form: FormValues) -> None:
    ours = rec.asked(ID, form, model, rec.asking("Hello"), headers=HEADERS)
    assert ours == rec.recorded(CALLS["run owner/name:version"], headers=HEADERS)
    rec.valid(ID, "schemas_version_prediction_request", ours.body)


def test_a_stream_is_asked_for_as_the_sdk_does() -> None:
    ours = rec.asked(ID, FORM, MODEL, rec.asking("Hello"), stream=True, headers=HEADERS)
    assert ours == rec.recorded(CALLS["stream official model"], headers=HEADERS)
    rec.valid(ID, "schemas_prediction_request", ours.body)


def test_a_text_is_embedded_by_a_run_as_the_sdk_makes_one() -> None:
    headers = ("authorization", "content-type")
    ours = rec.embedded(ID, {**FORM, "model_version": VERSION}, "a/b", EmbedCall(("hello",)), headers)
    assert ours == rec.recorded(CALLS["predictions.create version"], headers=headers)
    rec.valid(ID, "schemas_version_prediction_request", ours.body)


@pytest.mark.parametrize(
    ("field", "count", "given"),
    [
        ("text", 1, {"text": "a"}),
        ("inputs", 1, {"inputs": "a"}),
        ("text_batch", 64, {"text_batch": '["a","b"]'}),
        (
            "texts",
            64,
            {"texts": '["a","b"]', "batch_size": 4, "convert_to_numpy": False, "normalize_embeddings": True},
        ),
    ],
)
def test_texts_go_to_the_input_that_the_form_names(field: str, count: int, given: Mapping[str, object]) -> None:
    form = {**FORM, "text_input": field}
    dialect = ADAPTERS[ID].embed
    assert dialect
    assert dialect.batch(rec.target(ID, "a/b", form, ModelType.EMBEDDING)) == count
    assert rec.embedded(ID, form, "a/b", EmbedCall(("a", "b")[:count])).body == {"input": given}


@pytest.mark.parametrize(("form", "at"), [(FORM, "models.get"), ({**FORM, "model_version": VERSION}, "version")])
def test_the_probe_asks_what_the_model_is_as_the_sdk_does(form: FormValues, at: str) -> None:
    requests = {"models.get": CALLS["models.get"], "version": CALLS["run owner/name:version"]["requests"][1]}
    target = rec.target(ID, MODEL, form)
    ours = rec.sent(ADAPTERS[ID], target.form, ADAPTERS[ID].probe(target, target.form), HEADERS)
    assert ours == rec.recorded(requests[at], headers=HEADERS)


def given(call: ChatCall, **form: str) -> Mapping[str, object]:
    body = rec.asked(ID, {**FORM, **form}, MODEL, call).body["input"]
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize(
    ("field", "inputs"),
    [
        ("system_prompt", {"prompt": "Hi", "system_prompt": "Be brief."}),
        ("system", {"prompt": "Hi", "system": "Be brief."}),
        ("prompt", {"prompt": "Be brief.\n\nHi"}),
    ],
)
def test_instructions_go_to_the_input_that_the_form_names(field: str, inputs: Mapping[str, object]) -> None:
    assert given(rec.asking("Hi", system="Be brief."), system_input=field) == inputs


def test_earlier_turns_are_told_as_a_transcript() -> None:
    turns = (rec.saying(Role.USER, "Hi"), rec.saying(Role.ASSISTANT, "Hello!"), rec.saying(Role.USER, "Why?"))
    assert given(ChatCall(turns)) == {"prompt": "User: Hi\n\nAssistant: Hello!\n\nUser: Why?\n\nAssistant:"}


def test_every_knob_has_an_input() -> None:
    knobs = Knobs(0.5, 0.9, 7, ("a", "b"), 3, 0.1, 0.2)
    assert given(replace(rec.asking("Hi"), knobs=knobs), max_tokens_input="max_new_tokens") == {
        "prompt": "Hi",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_new_tokens": 7,
        "stop_sequences": "a,b",
        "seed": 3,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }


def test_a_stop_word_with_a_comma_is_left_out_with_a_warning() -> None:
    chat = ADAPTERS[ID].chat
    assert chat
    call = replace(rec.asking("Hi"), knobs=Knobs(stop=("a,b",)))
    request = chat.render(rec.target(ID, MODEL, FORM), call, stream=False)
    assert request.json == {"input": {"prompt": "Hi"}}
    assert request.warnings == (f"stop was left out: {MODEL} does not take it",)


@pytest.mark.parametrize(
    "call",
    [
        replace(rec.asking("Hi"), tools=(rec.weather("Weather"),)),
        replace(rec.asking("Hi"), response_schema=ResponseSchema("answer", {"type": "object"})),
        rec.asking("What is this?", rec.pixel()),
    ],
    ids=["tools", "schema", "vision"],
)
def test_what_no_model_here_is_known_to_do_is_refused(call: ChatCall) -> None:
    with pytest.raises(UnsupportedFeature):
        rec.asked(ID, FORM, MODEL, call)


def test_vectors_of_another_length_are_refused() -> None:
    with pytest.raises(UnsupportedFeature):
        rec.embedded(ID, FORM, "a/b", EmbedCall(("x",), dimensions=3))


@pytest.mark.parametrize("model", ["llama", "a/b/c", "../account", "a/..", "a/b?x=1", "a/b:", "a/b#c"])
def test_a_name_that_would_lead_elsewhere_is_refused(model: str) -> None:
    with pytest.raises(InvalidRange):
        rec.asked(ID, FORM, model, rec.asking("Hi"))


def test_a_version_that_would_lead_elsewhere_is_refused() -> None:
    target = rec.target(ID, MODEL, {**FORM, "model_version": "../../x"})
    with pytest.raises(InvalidRange):
        ADAPTERS[ID].probe(target, target.form)
    with pytest.raises(InvalidRange):
        ADAPTERS[ID].probe(None, target.form)

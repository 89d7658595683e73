"""A credential form is checked whole, and its secrets stay secret."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidForm
from domain.model.catalogue import (
    Catalogue,
    FieldKind,
    FormField,
    FormValues,
    Provider,
    ProviderKind,
    masked_part,
    public_part,
    secrets_of,
)
from domain.model.labels import Text
from domain.model.secret import Secret
from domain.model.tenant import checked_name
from tests.unit.domain.samples import ACME, EMBEDDING, HOME, LLM

CANARY = "sk-canary-0123456789"


def problems(values: FormValues) -> dict[str, str]:
    with pytest.raises(InvalidForm) as refused:
        ACME.checked(values, None)
    assert CANARY not in str(refused.value)
    return {p.field: p.reason for p in refused.value.problems}


def test_a_form_is_completed_with_defaults_and_its_secrets_are_wrapped() -> None:
    values = ACME.checked({"key": f"  {CANARY} "}, None)
    assert values == {"key": Secret(CANARY), "base": "https://acme.example"}
    assert public_part(values) == {"base": "https://acme.example"}
    assert masked_part(values) == {"key": "••••6789"}
    assert list(secrets_of(values)) == [CANARY]


def test_every_wrong_field_is_named_at_once() -> None:
    found = problems({"base": "ftp://x", "mode": "warp", "colour": "red"})
    assert set(found) == {"key", "base", "mode", "colour"}
    assert found["mode"] == "must be one of fast, slow"


@pytest.mark.parametrize("value", ["a\nb", "ключ", "x" * 20_000])
def test_a_secret_that_no_header_could_carry_is_refused(value: str) -> None:
    assert "key" in problems({"key": value})


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "١٢", "many"])
def test_a_whole_number_field_takes_whole_numbers_only(value: str) -> None:
    with pytest.raises(InvalidForm):
        ACME.checked({"key": "k", "size": value}, EMBEDDING)


def test_a_field_of_another_model_type_is_not_part_of_the_form() -> None:
    assert ACME.checked({"key": "k", "size": "3"}, EMBEDDING)["size"] == "3"
    with pytest.raises(InvalidForm):
        ACME.checked({"key": "k", "size": "3"}, LLM)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(CANARY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r}", repr({"key": secret}), repr([secret])]
    assert not any(CANARY in text for text in shown)
    for attempt in (lambda: json.dumps(secret), lambda: pickle.dumps(secret), lambda: copy.deepcopy(secret)):
        with pytest.raises(TypeError):
            attempt()


def test_a_short_secret_shows_nothing_of_itself() -> None:
    assert Secret("short").masked() == "••••"


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b"])
def test_names_are_printable_and_bounded(name: str) -> None:
    with pytest.raises(Exception, match="name must"):
        checked_name(name)


def test_providers_are_found_by_id() -> None:
    assert Catalogue((ACME, HOME)).provider("home") is HOME


def conditional(name: str, needs: str, option: str, **more: object) -> FormField:
    return FormField(name, Text(name), FieldKind.TEXT, shown_when={needs: option}, **more)  # type: ignore[arg-type]


ROUTES = Provider(
    "routes",
    Text("Routes"),
    ProviderKind.PROPRIETARY,
    frozenset({LLM}),
    (
        FormField("by", Text("By"), FieldKind.SELECT, False, "key", ("key", "account", "gate")),
        FormField("key", Text("Key"), FieldKind.SECRET, shown_when={"by": "key"}),
        conditional("user", "by", "account"),
        conditional("region", "by", "account", required=False, default="eu"),
        conditional("zone", "region", "eu", required=False, default="eu-1"),
    ),
)


@pytest.mark.parametrize(
    ("values", "complete"),
    [
        ({"key": CANARY}, {"by": "key", "key": Secret(CANARY)}),
        ({"by": "account", "user": "u"}, {"by": "account", "user": "u", "region": "eu", "zone": "eu-1"}),
        ({"by": "account", "user": "u", "region": "us"}, {"by": "account", "user": "u", "region": "us"}),
        ({"by": "gate", "key": " ", "user": ""}, {"by": "gate"}),
        ({"by": "gate", "key": Secret("")}, {"by": "gate"}),
    ],
)
def test_a_form_is_what_its_conditions_show(values: FormValues, complete: FormValues) -> None:
    assert ROUTES.checked(values, None) == complete


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({}, {"key": "is required"}),
        ({"by": "account"}, {"user": "is required"}),
        ({"by": "gate", "key": CANARY}, {"key": "is not a field of this form as filled in"}),
        ({"by": "gate", "zone": "eu-2"}, {"zone": "is not a field of this form as filled in"}),
        ({"by": "key", "key": CANARY, "user": "u"}, {"user": "is not a field of this form as filled in"}),
    ],
)
def test_a_hidden_field_that_is_sent_is_a_problem_and_never_dropped(values: FormValues, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidForm) as refused:
        ROUTES.checked(values, None)
    assert {p.field: p.reason for p in refused.value.problems} == wrong
    assert CANARY not in str(refused.value)


NAMES = ("by", "key", "user", "region", "zone", "other")
WORDS = st.sampled_from(["", " ", "key", "account", "gate", "eu", "us", "x"])


@given(st.dictionaries(st.sampled_from(NAMES), WORDS))
def test_whatever_is_sent_is_kept_or_named_and_a_complete_form_stays_as_it_is(values: dict[str, str]) -> None:
    try:
        complete = ROUTES.checked(values, None)
    except InvalidForm as refused:
        named = {problem.field for problem in refused.problems}
        hidden = {name for name in named if not values.get(name, "").strip()}
        assert hidden <= {"key", "user", "other"}  # what is required, and what no form has
        return
    sent = {name for name, value in values.items() if value.strip()}
    assert sent <= complete.keys()
    assert ROUTES.checked(complete, None) == complete
    for field in ROUTES.form:
        if not all(complete.get(name) == option for name, option in field.shown_when.items()):
            assert field.name not in complete

"""What a change makes of a stored form, and when a stored secret may not be kept for it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import InvalidForm, InvalidRange
from domain.model.catalogue import FieldKind, FormField, FormValues, Provider, ProviderKind
from domain.model.credential import Cooling, Credential, CredentialStatus, checked_weight
from domain.model.credential_change import CredentialChange, check_kept_secrets
from domain.model.credential_scope import heir_of
from domain.model.labels import Text
from domain.model.secret import Secret
from tests.unit.domain.samples import EMBEDDING, LLM, NOW, credential

ORIGIN = "https://a.example:443"
SIGNED = Provider(
    "signed",
    Text("Signed"),
    ProviderKind.HOSTED,
    frozenset({LLM}),
    (
        FormField("address", Text("Address"), FieldKind.URL),
        FormField("by", Text("By"), FieldKind.SELECT, default="key", options=("key", "login")),
        FormField("key", Text("Key"), FieldKind.SECRET, shown_when={"by": "key"}),
        FormField("password", Text("Password"), FieldKind.SECRET, shown_when={"by": "login"}),
        FormField("organization", Text("Organization"), FieldKind.TEXT, required=False),
        FormField("prefix", Text("Prefix"), FieldKind.TEXT, required=False, for_types=frozenset({EMBEDDING})),
        FormField("second", Text("Second"), FieldKind.SECRET, required=False),
        FormField("context", Text("Context"), FieldKind.INTEGER, required=False, sets="context"),
    ),
)
STORED: FormValues = {"address": "https://a.example/v1", "by": "key", "key": Secret("k"), "organization": "us"}


def stored() -> Credential:
    public = {name: value for name, value in STORED.items() if isinstance(value, str)}
    return replace(credential(), provider="signed", public=public, masked={"key": "••••"}, endpoint=ORIGIN)


def changed(**fields: Any) -> FormValues:
    return CredentialChange(fields=fields).form(SIGNED, STORED)


def test_fields_that_are_not_given_keep_their_values_and_null_clears_one() -> None:
    assert changed(organization=None) == {n: v for n, v in STORED.items() if n != "organization"}
    assert changed(organization="them") == {**STORED, "organization": "them"}
    assert changed(key=Secret("new")) == {**STORED, "key": Secret("new")}


def test_what_a_change_hides_or_the_form_no_longer_has_is_dropped() -> None:
    assert "key" not in changed(by="login", password=Secret("p"))
    assert CredentialChange().form(SIGNED, {**STORED, "former": "x"}) == STORED


def test_what_is_given_is_never_dropped_so_that_a_check_can_refuse_it() -> None:
    assert changed(password=Secret("p"))["password"] == Secret("p")
    assert changed(nonsense="x")["nonsense"] == "x"


@pytest.mark.parametrize(
    ("fields", "touched"),
    [
        ({}, False),
        ({"organization": "us"}, False),
        ({"organization": " us "}, False),
        ({"second": None}, False),
        ({"organization": None}, True),
        ({"organization": "them"}, True),
        ({"key": Secret("k")}, True),
        ({"key": None}, True),
        ({"second": Secret("s")}, True),
    ],
)
def test_a_form_changes_with_a_value_or_with_any_secret(fields: Any, touched: bool) -> None:
    assert CredentialChange(fields=fields).touches_form(stored()) is touched


def test_the_name_weight_and_activity_are_changed_beside_the_form() -> None:
    change = CredentialChange(" new ", 7, False, {"key": Secret("x")})
    after = change.beside_form(stored())
    assert (after.name, after.weight, after.active, after.version) == ("new", 7, False, 1)
    assert CredentialChange().beside_form(stored()) == stored()


@pytest.mark.parametrize("weight", [-1, 101])
def test_a_weight_is_from_0_to_100(weight: int) -> None:
    with pytest.raises(InvalidRange, match="weight must be from 0 to 100"):
        CredentialChange(weight=weight)
    assert [checked_weight(fits) for fits in (0, 100)] == [0, 100]


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(InvalidRange, match="name"):
        CredentialChange(name)


def check(endpoint: str = ORIGIN, **fields: Any) -> None:
    change = CredentialChange(fields=fields)
    check_kept_secrets(change, stored(), SIGNED, change.form(SIGNED, STORED), endpoint)


@pytest.mark.parametrize(
    ("endpoint", "fields"),
    [
        (ORIGIN, {}),
        (ORIGIN, {"address": "https://a.example/v2"}),
        (ORIGIN, {"context": "4096"}),
        (ORIGIN, {"second": Secret("s")}),
        (ORIGIN, {"by": "login", "password": Secret("p")}),
        ("https://b.example:443", {"address": "https://b.example", "key": Secret("entered again")}),
        ("https://b.example:443", {"address": "https://b.example", "by": "login", "password": Secret("p")}),
    ],
)
def test_secrets_are_kept_while_host_and_party_stay(endpoint: str, fields: Any) -> None:
    check(endpoint, **fields)


@pytest.mark.parametrize(
    "endpoint", ["https://b.example:443", "http://a.example:443", "https://a.example:8443", "https://a.example.b:443"]
)
def test_a_kept_secret_must_be_entered_again_for_another_scheme_host_or_port(endpoint: str) -> None:
    with pytest.raises(InvalidForm) as refused:
        check(endpoint, address="https://other")
    (problem,) = refused.value.problems
    assert (problem.field, problem.reason) == ("key", "must be entered again, since the address changes")


@pytest.mark.parametrize("organization", ["them", None])
def test_a_kept_secret_must_be_entered_again_for_another_party(organization: str | None) -> None:
    with pytest.raises(InvalidForm, match="key: must be entered again, since organization changes"):
        check(organization=organization)


def test_the_successor_is_the_named_one_else_the_one_proved_last_and_only_where_one_is_needed() -> None:
    gone = credential(1)
    other = replace(credential(2), active=False)
    recent = replace(credential(3), active=False, proved_at=NOW + timedelta(seconds=1))
    latest = replace(recent, id=credential(4).id)
    assert heir_of(gone, (), None) is None
    assert heir_of(gone, (latest, other, recent), None) is latest
    assert heir_of(gone, (other, latest), other.id) is other
    assert heir_of(gone, (other, credential(5)), None) is None
    assert heir_of(replace(gone, active=False), (other, latest), other.id) is None
    with pytest.raises(InvalidRange, match="successor"):
        heir_of(gone, (other, latest), gone.id)


def test_a_credential_is_ready_resting_or_inactive() -> None:
    rest = Cooling(credential().id, NOW, "UPSTREAM_RATE_LIMITED")
    before = NOW - timedelta(seconds=1)
    assert credential().status(None, NOW) is CredentialStatus.READY
    assert credential().status(rest, NOW) is CredentialStatus.READY
    assert credential().status(rest, before) is CredentialStatus.RESTING
    assert replace(credential(), active=False).status(rest, before) is CredentialStatus.INACTIVE

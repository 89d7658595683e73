"""What people read before they let an application in: nothing is left without words, and no number without its unit."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from api.oauth.authorize import parameters, source
from api.oauth.device_page import readable
from api.oauth.words import REFUSALS, SCOPES, destination, limits, sentences, span
from domain.model.access import Reach, Role, Scope
from domain.model.cap import Cap, CapSubject, Period
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import CapId, TenantId
from domain.model.issuing import Lifetimes
from domain.model.people import Member
from domain.model.quota import Unit
from domain.model.tenant import Tenant
from domain.usecases.authorizing import Refusal
from domain.usecases.consenting import Question
from tests.partners import AT, shop, somebody

ACME = Tenant(TenantId(UUID(int=1)), "Acme", AT)


def asked(*given: Scope, reach: Reach | None = None, caps: tuple[Cap, ...] = ()) -> list[str]:
    client = replace(shop(ACME.id, UUID(int=9)), reach=reach or Reach())
    member = Member(ACME.id, somebody(UUID(int=7)), Role.ADMIN, AT)
    return limits(Question(client, ACME, member, frozenset(given), frozenset(), caps), Lifetimes(timedelta(hours=1)))


def cap(amount: int, period: Period, unit: Unit = Unit.CALLS) -> Cap:
    return Cap(ACME.id, CapId(UUID(int=1)), CapSubject.APPLICATION, UUID(int=9), unit, amount, period, AT)


def test_every_scope_has_a_sentence_of_its_own() -> None:
    assert set(SCOPES) == set(Scope)
    assert len(set(SCOPES.values())) == len(Scope)
    assert all(said[0].isupper() and not said.endswith(".") for said in SCOPES.values())
    assert sentences(frozenset(Scope)) == list(SCOPES.values())


def test_every_refusal_says_what_to_do() -> None:
    assert set(REFUSALS) == set(Refusal)
    assert all(title and advice for title, advice in REFUSALS.values())


def test_limits_name_models_and_caps_of_who_uses_models() -> None:
    model = ModelRef("vendor", "small", ModelType.LLM)
    reach = Reach(frozenset({"b", "a"}), frozenset({model}))
    caps = (cap(1, Period.NEVER), cap(20_000, Period.MONTH, Unit.TOKENS))
    assert asked(Scope.MODELS_INVOKE, reach=reach, caps=caps) == [
        "Only these models: all of a, all of b, vendor/small.",
        "At most 1 call in all.",
        "At most 20,000 tokens a month.",
        "An access lasts 1 hour.",
    ]


def test_limits_say_when_there_are_none() -> None:
    assert asked(Scope.MODELS_INVOKE)[:2] == [
        "All models that the tenant can use.",
        "No cap of its own on spending; the tenant's quotas hold.",
    ]
    assert asked(Scope.MODELS_INVOKE, reach=Reach(frozenset()))[0] == "No models at all."


def test_who_uses_no_models_is_not_told_of_any() -> None:
    assert asked(Scope.TENANT_READ, caps=(cap(1, Period.DAY),)) == ["An access lasts 1 hour."]
    assert asked(Scope.OFFLINE_ACCESS)[-1] == "It can be renewed without you for 30 days."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(60, "1 minute"), (90, "90 seconds"), (3_600, "1 hour"), (5_400, "90 minutes"), (86_400, "1 day")],
)
def test_times_are_said_without_fractions(seconds: int, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("uri", "named", "said"),
    [
        ("https://shop.example:8443/back?x", "https://shop.example:8443", "shop.example:8443"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:5", "a program on this computer (127.0.0.1:5)"),
        ("http://[::1]:5/cb", "http:", "a program on this computer ([::1]:5)"),
        ("com.shop:/cb", "com.shop:", "an app on this device (com.shop:)"),
        ("com.shop://cb/x", "com.shop:", "an app on this device (com.shop:)"),
    ],
)
def test_policies_and_people_are_told_where_the_answer_goes(uri: str, named: str, said: str) -> None:
    assert source(uri) == named
    assert destination(uri) == said


@pytest.mark.parametrize(
    ("query", "read"),
    [
        (b"", {}),
        (b"a=1&b=&c", {"a": "1"}),
        (b"a=%C3%A9+%2B", {"a": "é +"}),
        (b"a=1&a=1", Refusal.REPEATED),
        (b"a=1&a=", Refusal.REPEATED),
        (b"a=%FF", Refusal.UNREADABLE),
        (b"\xff=1", Refusal.UNREADABLE),
        (b"&".join(b"p%d=1" % n for n in range(51)), Refusal.UNREADABLE),
        (b"a=" + b"x" * 16_384, Refusal.UNREADABLE),
    ],
)
def test_parameters_are_read_strictly(query: bytes, read: object) -> None:
    assert parameters(query) == read


@pytest.mark.parametrize(
    ("typed", "shown"), [("", ""), ("bcdf", "BCDF"), ("bcdfgh jk", "BCDF-GHJK"), ("<b>bcdfghjkl", "BBCD-FGHJ")]
)
def test_a_code_is_shown_in_two_halves(typed: str, shown: str) -> None:
    assert readable(typed) == shown

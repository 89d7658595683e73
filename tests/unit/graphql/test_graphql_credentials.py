"""Credentials through the schema: every change, every problem that one can meet, and what is shown of them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.graphql.credential_changes import (
    AddCredentialResult,
    CheckCredentialResult,
    CheckCredentialUpdateResult,
    RemoveCredentialResult,
    SwitchCredentialResult,
    UpdateCredentialResult,
    VerifyCredentialResult,
)
from api.graphql.ids import node_id
from domain import errors
from domain.model.access import Client, Scope
from domain.model.catalogue import FormValues, ModelRef
from domain.model.credential import Sealed
from domain.model.ids import CallId, ClientId
from domain.model.quota import Outcome
from domain.model.secret import Secret
from domain.model.tokens import Kind, mint
from domain.model.usage import CallRecord
from tests.fakes import FakeGateway
from tests.graphql_house import ACME, House, tenant_id


def mutation(name: str, shown: str, *, form: bool = True) -> str:
    kind = name[0].upper() + name[1:]
    problems = "... on InvalidForm { problems { field reason } }" if form else ""
    return f"""mutation M($input: {kind}Input!) {{ {name}(input: $input) {{ __typename
      ... on {kind}Payload {{ {shown} }} {problems} ... on Problem {{ code message }} }} }}"""


CREDENTIAL = "credential { id name version active weight status restingUntil restingReason endpoint }"
MUTATIONS = {
    "addCredential": mutation("addCredential", CREDENTIAL),
    "checkCredential": mutation("checkCredential", "endpoint provedAt"),
    "checkCredentialUpdate": mutation("checkCredentialUpdate", "endpoint provedAt"),
    "updateCredential": mutation("updateCredential", CREDENTIAL),
    "switchCredential": mutation("switchCredential", CREDENTIAL, form=False),
    "verifyCredential": mutation("verifyCredential", CREDENTIAL, form=False),
    "removeCredential": mutation("removeCredential", f"{CREDENTIAL} successor {{ name status }}", form=False),
}
ONE, TWO, NOBODY = (node_id("Credential", f"00000000-0000-0000-0000-{number:012x}") for number in (1, 2, 0xFFFF))
FORM = [{"name": "api_key", "value": "sk-a-good-key-1234"}]
NEW_KEY = [{"name": "api_key", "value": "sk-a-new-key-5678"}]
MOVED = [{"name": "base", "value": "https://other.example"}]


async def does(house: House, name: str, /, **given: Any) -> Any:
    return (await house.data(MUTATIONS[name], None, input=given))[name]


async def furnished(house: House, *numbers: int) -> House:
    """With credentials of these numbers, the first active; their forms can be opened."""
    for number in numbers:
        stored = await house.credential(number)
        if number != numbers[0]:
            rows = house.store.rows[tenant_id(1)].credentials
            rows[stored.id] = replace(stored, active=False), rows[stored.id][1]
    return house


async def names(house: House, **narrowed: Any) -> list[str]:
    document = """query C($provider: String, $model: TypedModelInput, $active: Boolean) {
      credentials(provider: $provider, model: $model, active: $active) { nodes { name } } }"""
    nodes = (await house.data(document, None, **narrowed))["credentials"]["nodes"]
    return [node["name"] for node in nodes]


async def test_a_second_key_is_added_inactive_unless_it_is_asked_to_serve() -> None:
    house = await furnished(House(), 1)
    second = await does(house, "addCredential", provider="acme", name="second", fields=FORM)
    third = await does(house, "addCredential", provider="acme", name="third", fields=FORM, active=True, weight=5)
    assert (second["credential"]["active"], second["credential"]["status"]) == (False, "INACTIVE")
    assert (third["credential"]["active"], third["credential"]["weight"]) == (True, 5)


async def test_a_change_keeps_what_is_not_given() -> None:
    house = await furnished(House(), 1)
    renamed = await does(house, "updateCredential", id=ONE, name="renamed", weight=0, active=False)
    replaced = await does(house, "updateCredential", id=ONE, fields=NEW_KEY)
    assert renamed["credential"] | {"name": "renamed", "weight": 0, "version": 1} == renamed["credential"]
    assert replaced["credential"] | {"name": "renamed", "active": False, "version": 2} == replaced["credential"]
    assert house.gateway.asked == [{"base": "https://acme.example", "api_key": Secret("sk-a-new-key-5678")}]


async def test_null_clears_a_field() -> None:
    house = await furnished(House(), 1)
    await does(house, "updateCredential", id=ONE, fields=[{"name": "mode", "value": "slow"}])
    await does(house, "updateCredential", id=ONE, fields=[{"name": "mode", "value": None}])
    assert [len(form) for form in house.gateway.asked] == [3, 2]  # type: ignore[arg-type]  # the forms of probes


async def test_a_kept_secret_must_be_entered_again_for_another_host() -> None:
    house = await furnished(House(), 1)
    for name in ("updateCredential", "checkCredentialUpdate"):
        refused = await does(house, name, id=ONE, fields=MOVED)
        assert refused["problems"] == [
            {"field": "api_key", "reason": "must be entered again, since the address changes"}
        ]
    assert house.gateway.asked == []
    moved = await does(house, "updateCredential", id=ONE, fields=MOVED + NEW_KEY)
    assert moved["credential"]["endpoint"] == "https://other.example:443"


async def test_a_check_of_an_update_stores_nothing() -> None:
    house = await furnished(House(), 1)
    checked = await does(house, "checkCredentialUpdate", id=ONE, fields=NEW_KEY)
    assert (checked["__typename"], checked["endpoint"]) == ("CheckCredentialUpdatePayload", "https://acme.example:443")
    stored = await house.data("query C($id: ID!) { credential(id: $id) { version } }", None, id=ONE)
    assert stored == {"credential": {"version": 1}}


async def test_a_switch_and_a_removal_say_which_key_serves_next() -> None:
    house = await furnished(House(), 1, 2, 3)
    switched = await does(house, "switchCredential", id=TWO)
    assert (switched["credential"]["name"], await names(house, active=True)) == ("key 2", ["key 2"])
    removed = await does(house, "removeCredential", id=TWO, successor=ONE)
    assert removed["successor"] == {"name": "key 1", "status": "READY"}
    removed = await does(house, "removeCredential", id=ONE)
    assert removed["successor"]["name"] == "key 3"
    assert await names(house) == ["key 3"]


async def test_a_refused_key_is_shown_resting_until_it_is_proved_again() -> None:
    house = await furnished(House(FakeGateway(errors.CredentialRejected("acme", 401))), 1)
    assert (await does(house, "verifyCredential", id=ONE))["__typename"] == "CredentialRejected"
    document = "query C($id: ID!) { credential(id: $id) { status restingUntil restingReason } }"
    until = (house.clock() + timedelta(minutes=5)).isoformat()
    resting = {"status": "RESTING", "restingUntil": until, "restingReason": "CREDENTIAL_REJECTED"}
    assert await house.data(document, None, id=ONE) == {"credential": resting}
    proved = (await does(house, "verifyCredential", id=ONE))["credential"]
    assert (proved["status"], proved["restingUntil"], proved["restingReason"]) == ("READY", None, None)


async def test_credentials_are_narrowed_to_a_provider_a_model_and_what_is_active() -> None:
    house = await furnished(House(), 1, 2)
    fields = [{"name": "address", "value": "https://models.example"}]
    model = {"name": "llama", "type": "LLM"}
    await does(house, "addCredential", provider="home", name="here", fields=fields, model=model)
    assert await names(house, provider="home") == ["here"]
    assert await names(house, model={"provider": "home", **model}) == ["here"]
    assert await names(house, model={"provider": "home", "name": "other", "type": "LLM"}) == []
    assert await names(house, model={"provider": "acme", "name": "scribe", "type": "LLM"}) == ["key 1", "key 2"]
    assert await names(house, active=True) == ["key 1", "here"]


async def test_an_unknown_credential_is_null_and_anothers_reads_the_same() -> None:
    house = House()
    await house.credential(1, tenant=2)
    for unknown in (ONE, NOBODY, "nonsense", node_id("Provider", "acme")):
        assert await house.data("query C($id: ID!) { credential(id: $id) { id } }", None, id=unknown) == {
            "credential": None
        }


USED = """{ credentials(first: 2) { nodes { name lastUsedAt usedBy {
  defaults { name } applications { clientId name calls lastUsedAt } } } } }"""


async def called(house: House, number: int, client: ClientId) -> None:
    credential = next(c for c in house.store.rows[tenant_id(1)].credentials if c.int == number)
    house.store.rows[tenant_id(1)].records[CallId(house.fresh())] = CallRecord(
        tenant_id(1),
        CallId(house.fresh()),
        house.clock(),
        client,
        credential,
        ACME.models[0].ref,
        Outcome.SUCCEEDED,
        1,
        1,
        1,
    )


async def test_who_uses_a_credential_is_shown_with_the_defaults_that_it_serves() -> None:
    house = await furnished(House(), 1, 2)
    shop = Client(tenant_id(1), ClientId(house.fresh()), "shop", b"", frozenset(), house.clock())
    house.store.rows[tenant_id(1)].clients[shop.id] = shop
    for _ in range(2):
        await called(house, 1, shop.id)
    used, unused = (await house.data(USED))["credentials"]["nodes"]
    at = house.clock().isoformat()
    public_id = mint(Kind.CLIENT_ID, tenant_id(1), shop.id.bytes)
    assert used["lastUsedAt"] == at
    assert used["usedBy"] == {
        "defaults": [{"name": "writer:7b"}, {"name": "vectors"}],
        "applications": [{"clientId": public_id, "name": "shop", "calls": 2, "lastUsedAt": at}],
    }
    assert unused == {"name": "key 2", "lastUsedAt": None, "usedBy": {"defaults": [], "applications": []}}


async def test_what_becomes_of_a_page_is_read_once_for_all_of_it_and_only_if_asked_for() -> None:
    house = await furnished(House(), *range(1, 6))
    await house.data("{ defaultModels { type } }")
    begun = [
        await _begun(house, document)
        for document in (
            "{ credentials { nodes { name active } } }",
            "{ credentials { nodes { status restingUntil restingReason } } }",
            "{ credentials { nodes { status lastUsedAt usedBy { applications { calls } defaults { name } } } } }",
        )
    ]
    assert begun == [1, 2, 4]


async def _begun(house: House, document: str) -> int:
    """How many units of work an operation takes."""
    before = house.store.begun
    await house.data(document)
    return house.store.begun - before


class Interrupted(FakeGateway):
    """While the vendor thinks about the next form, something else happens."""

    meanwhile: Callable[[], Awaitable[Any]] | None = None

    async def probe(self, provider: str, form: FormValues, model: ModelRef | None, **more: Any) -> None:
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            await happening()
        await super().probe(provider, form, model, **more)


def unreadable(house: House) -> None:
    for credential_id, (credential, sealed) in house.store.rows[tenant_id(1)].credentials.items():
        envelope = Sealed(sealed.key_id, b'["other", "context", {}]')
        house.store.rows[tenant_id(1)].credentials[credential_id] = credential, envelope


_UPSTREAM: dict[str, errors.UpstreamError] = {
    "CredentialRejected": errors.CredentialRejected("acme", 401),
    "UpstreamPaymentRequired": errors.UpstreamPaymentRequired("acme", 402),
    "UpstreamRateLimited": errors.UpstreamRateLimited("acme", 429),
    "BadRequestUpstream": errors.BadRequestUpstream("acme", 400),
    "ModelNotFoundUpstream": errors.ModelNotFoundUpstream("acme", 404),
    "UpstreamUnavailable": errors.UpstreamUnavailable("acme", sent=False),
    "UpstreamTimeout": errors.UpstreamTimeout("acme"),
    "EndpointForbidden": errors.EndpointForbidden("acme", sent=False),
    "UpstreamRefused": errors.UpstreamError("acme", 418),
}
_NEW = {"provider": "acme", "name": "new", "fields": FORM}
_CHECKED = {"provider": "acme", "fields": FORM}
_BAD_FIELDS = [{"name": "nonsense", "value": "x"}]
_CHANGED = {"id": ONE, "fields": NEW_KEY}
_ASKED: dict[str, dict[str, Any]] = {
    "addCredential": _NEW,
    "checkCredential": _CHECKED,
    "checkCredentialUpdate": _CHANGED,
    "updateCredential": _CHANGED,
    "verifyCredential": {"id": ONE},
}
_INPUTS: list[tuple[str, dict[str, Any], str]] = [
    ("addCredential", {**_NEW, "fields": _BAD_FIELDS}, "InvalidForm"),
    ("addCredential", {**_NEW, "fields": FORM + FORM}, "InvalidForm"),
    ("addCredential", {**_NEW, "weight": 101}, "InvalidRange"),
    ("addCredential", {**_NEW, "provider": "nobody"}, "NotFound"),
    ("addCredential", {**_NEW, "name": "key 1"}, "DuplicateName"),
    ("checkCredential", {**_CHECKED, "fields": _BAD_FIELDS}, "InvalidForm"),
    ("checkCredential", {**_CHECKED, "model": {"name": "x", "type": "LLM"}}, "InvalidRange"),
    ("checkCredential", {**_CHECKED, "provider": "nobody"}, "NotFound"),
    ("checkCredentialUpdate", {"id": ONE, "fields": _BAD_FIELDS}, "InvalidForm"),
    ("checkCredentialUpdate", {"id": ONE, "fields": NEW_KEY + NEW_KEY}, "InvalidForm"),
    ("checkCredentialUpdate", {"id": NOBODY}, "NotFound"),
    ("updateCredential", {"id": ONE, "fields": [{"name": "api_key"}]}, "InvalidForm"),
    ("updateCredential", {"id": ONE, "fields": NEW_KEY + NEW_KEY}, "InvalidForm"),
    ("updateCredential", {"id": ONE, "weight": -1}, "InvalidRange"),
    ("updateCredential", {"id": ONE, "name": " "}, "InvalidRange"),
    ("updateCredential", {"id": NOBODY, "name": "x"}, "NotFound"),
    ("updateCredential", {"id": ONE, "name": "key 2"}, "DuplicateName"),
    ("switchCredential", {"id": NOBODY}, "NotFound"),
    ("switchCredential", {"id": "nonsense"}, "NotFound"),
    ("verifyCredential", {"id": NOBODY}, "NotFound"),
    ("removeCredential", {"id": NOBODY}, "NotFound"),
    ("removeCredential", {"id": ONE, "successor": NOBODY}, "InvalidRange"),
    ("removeCredential", {"id": ONE, "successor": ONE}, "InvalidRange"),
]
_SCRIPTED = [(name, problem) for name in _ASKED for problem in _UPSTREAM]
_STATES = [
    ("checkCredentialUpdate", "CredentialUnreadable"),
    ("updateCredential", "CredentialUnreadable"),
    ("verifyCredential", "CredentialUnreadable"),
    ("updateCredential", "ChangedMeanwhile"),
    ("verifyCredential", "ChangedMeanwhile"),
    ("checkCredentialUpdate", "InvalidRange"),
]


@pytest.mark.parametrize(("name", "given", "problem"), _INPUTS)
async def test_wrong_input_is_a_problem(name: str, given: dict[str, Any], problem: str) -> None:
    house = await furnished(House(), 1, 2)
    before = dict(house.store.rows[tenant_id(1)].credentials)
    assert (await does(house, name, **given))["__typename"] == problem
    assert house.store.rows[tenant_id(1)].credentials == before


@pytest.mark.parametrize(("name", "problem"), _SCRIPTED)
async def test_what_the_vendor_says_is_a_problem(name: str, problem: str) -> None:
    house = await furnished(House(FakeGateway(_UPSTREAM[problem])), 1)
    before = dict(house.store.rows[tenant_id(1)].credentials)
    assert (await does(house, name, **_ASKED[name]))["__typename"] == problem
    assert house.store.rows[tenant_id(1)].credentials == before


@pytest.mark.parametrize("name", ["checkCredentialUpdate", "updateCredential", "verifyCredential"])
async def test_a_form_that_cannot_be_opened_is_a_problem(name: str) -> None:
    house = await furnished(House(), 1)
    unreadable(house)
    given = {"id": ONE} if name == "verifyCredential" else {"id": ONE, "fields": [{"name": "mode", "value": "slow"}]}
    assert (await does(house, name, **given))["__typename"] == "CredentialUnreadable"


@pytest.mark.parametrize("name", ["updateCredential", "verifyCredential"])
async def test_a_form_that_was_replaced_meanwhile_is_a_problem(name: str) -> None:
    gateway = Interrupted()
    house = await furnished(House(gateway), 1)
    gateway.meanwhile = lambda: does(house, "updateCredential", id=ONE, fields=NEW_KEY)
    assert (await does(house, name, **_ASKED[name]))["__typename"] == "ChangedMeanwhile"


async def test_text_that_no_request_can_carry_is_a_problem_of_a_checked_update() -> None:
    house = await furnished(House(FakeGateway(errors.InvalidRange("input", "holds text that is not Unicode"))), 1)
    assert (await does(house, "checkCredentialUpdate", **_CHANGED))["__typename"] == "InvalidRange"


def test_every_problem_of_every_union_is_produced_by_a_test_above() -> None:
    produced = {(name, problem) for name, _, problem in _INPUTS} | set(_SCRIPTED) | set(_STATES)
    unions = {
        "addCredential": AddCredentialResult,
        "checkCredential": CheckCredentialResult,
        "checkCredentialUpdate": CheckCredentialUpdateResult,
        "updateCredential": UpdateCredentialResult,
        "switchCredential": SwitchCredentialResult,
        "verifyCredential": VerifyCredentialResult,
        "removeCredential": RemoveCredentialResult,
    }
    declared = {
        (name, member.__name__)
        for name, union in unions.items()
        for member in union.__origin__.__args__[1:]  # type: ignore[attr-defined]  # an Annotated union
    }
    assert declared == produced


@pytest.mark.parametrize("name", [n for n in MUTATIONS if n not in ("addCredential", "checkCredential")])
async def test_changing_needs_its_scope(name: str) -> None:
    house = await furnished(House(), 1)
    actor = house.actor(*(set(Scope) - {Scope.CREDENTIALS_WRITE}))
    result = await house.run(MUTATIONS[name], actor, input={"id": ONE})
    assert result.errors is not None
    assert result.errors[0].extensions == {"code": "FORBIDDEN", "needs": Scope.CREDENTIALS_WRITE}
    assert house.gateway.asked == []


@pytest.mark.parametrize("name", [n for n in MUTATIONS if n not in ("addCredential", "checkCredential")])
async def test_anothers_credential_reads_like_an_unknown_one(name: str) -> None:
    house = House()
    mine = await house.credential(1, tenant=2)
    assert (await does(house, name, id=ONE))["__typename"] == "NotFound"
    assert house.store.rows[tenant_id(2)].credentials[mine.id][0] == mine
    assert house.gateway.asked == []


async def test_anothers_credential_is_no_successor() -> None:
    house = await furnished(House(), 1)
    await house.credential(2, tenant=2)
    assert (await does(house, "removeCredential", id=ONE, successor=TWO))["__typename"] == "InvalidRange"


async def test_no_secret_is_in_what_is_shown_of_a_change() -> None:
    house = await furnished(House(), 1, 2)
    answers = [await does(house, name, **given) for name, given in _ASKED.items()]
    assert "sk-" not in str(answers)

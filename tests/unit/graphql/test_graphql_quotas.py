"""Quotas, caps, grants and plans through the schema: what is shown, what is changed, and every refusal as data."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from api.graphql.ids import node_id
from domain.model.access import OPERATOR_SCOPES, TENANT_SCOPES, Actor, Client, Scope
from domain.model.audit import Deed
from domain.model.catalogue import Catalogue, ModelRef, ModelType
from domain.model.custom_model import CustomModel
from domain.model.ids import PotId
from domain.model.labels import Text
from domain.model.parameters import ParameterKind, ParameterRule
from domain.model.quota import Grant, Pot, PotKind, Terms, Unit
from domain.model.tokens import Kind, mint
from tests.fakes import FakeGateway, FakeLedger
from tests.graphql_house import ACME, ANSWER, CHAT, HOME, NOW, WRITER, House, tenant_id
from tests.racing import RacingStore

QUOTAS = """{ quotas { nodes { id kind provider unit granted free closesAt
  terms { models { provider name type } weights { model weight } } } } }"""
CAP = "id clientId credentialId unit amount period window { used held free openedAt closesAt }"
CAPS = f"{{ caps {{ nodes {{ {CAP} }} }} }}"
SET_CAP = f"""mutation Set($input: SetCapInput!) {{ setCap(input: $input) {{ __typename
  ... on SetCapPayload {{ cap {{ {CAP} }} }} ... on Problem {{ code message }} }} }}"""
REMOVE_CAP = """mutation Remove($input: RemoveCapInput!) { removeCap(input: $input) { __typename
  ... on RemoveCapPayload { cap { id } } ... on Problem { code } } }"""
GRANT = """mutation Grant($input: GrantQuotaInput!) { grantQuota(input: $input) { __typename
  ... on GrantQuotaPayload { quota { id kind provider unit granted free
    terms { models { name } weights { model weight } } } }
  ... on InvalidRange { field reason } ... on NotFound { what } ... on Problem { code } } }"""
REVOKE = """mutation Revoke($input: RevokeQuotaInput!) { revokeQuota(input: $input) { __typename
  ... on RevokeQuotaPayload { quota { id granted free } }
  ... on InvalidRange { field reason } ... on Problem { code } } }"""
GRANTS = """query Grants($first: Int! = 50, $after: String) { grants(first: $first, after: $after) {
  nodes { quotaId amount reason at } pageInfo { endCursor hasNextPage } } }"""
PLAN = """query Plan($input: PlanCallInput!) { planCall(input: $input) { __typename
  ... on PlannedCall { model { provider name } paidBy credential { id name } maxOutput affordable
    holds { quotaId capId kind unit amount free }
    candidates { paidBy credential { name } maxOutput affordable holds { amount } } }
  ... on QuotaExhausted { pot unit free asked refillsAt }
  ... on InvalidForm { problems { field reason } } ... on Problem { code message } } }"""
ASK = """mutation Chat($input: ChatInput!) { chat(input: $input) { __typename
  ... on ChatPayload { paidBy } ... on QuotaExhausted { pot free asked refillsAt } ... on Problem { code } } }"""

TENANT = node_id("Tenant", tenant_id(1))
GIFT = {"tenantId": TENANT, "kind": "PAID", "unit": "CREDITS", "amount": 50, "reason": "Bought fifty."}
LLM = {"type": "LLM"}


def operator(house: House) -> Actor:
    """Of tenant 2, with nothing but an operator's scopes."""
    return house.actor(*OPERATOR_SCOPES, tenant=2)


def application(house: House) -> tuple[Actor, str]:
    """A client of tenant 1, and the id by which OAuth names it."""
    actor = house.actor()
    row = Client(actor.tenant_id, actor.client_id, "app", b"\x01" * 32, TENANT_SCOPES, NOW)
    house.store.rows[actor.tenant_id].clients[row.id] = row
    return actor, mint(Kind.CLIENT_ID, actor.tenant_id, actor.client_id.bytes)


def a_cap(client_id: str, amount: int, **other: str) -> dict[str, Any]:
    return {"subject": {"clientId": client_id}, "unit": "CALLS", "period": "DAY", **other, "amount": amount}


async def test_a_quota_tells_what_it_is_good_for() -> None:
    house = House()
    pool = Pot(
        tenant_id(1),
        PotId(UUID(int=80)),
        PotKind.PAID,
        None,
        Unit.CREDITS,
        None,
        0,
        0,
        NOW,
        terms=Terms(None, {"acme/writer:7b": 10}),
    )
    house.store.rows[tenant_id(1)].pots[pool.id] = pool
    paid, trial = (await house.data(QUOTAS))["quotas"]["nodes"]
    assert (paid["kind"], paid["provider"], paid["granted"], paid["free"]) == ("PAID", None, None, None)
    assert paid["terms"] == {"models": None, "weights": [{"model": "acme/writer:7b", "weight": 10}]}
    assert (trial["kind"], trial["provider"], trial["closesAt"]) == ("TRIAL", "acme", None)
    assert [m["name"] for m in trial["terms"]["models"]] == ["writer:7b", "scribe", "vectors"]


async def test_a_cap_is_set_spent_and_removed() -> None:
    house = House(FakeGateway(ANSWER))
    app, client_id = application(house)
    capped = (await house.data(SET_CAP, None, input=a_cap(client_id, 1)))["setCap"]["cap"]
    assert (capped["clientId"], capped["credentialId"], capped["amount"]) == (client_id, None, 1)
    assert (await house.data(ASK, app, input=CHAT))["chat"] == {"__typename": "ChatPayload", "paidBy": "PLATFORM"}
    refused = (await house.data(ASK, app, input=CHAT))["chat"]
    closes = NOW.replace(day=24, hour=0).isoformat()
    told = {"pot": "cap", "free": 0, "asked": 1, "refillsAt": closes, "code": "QUOTA_EXHAUSTED"}
    assert refused == {"__typename": "QuotaExhausted", **told}
    (shown,) = (await house.data(CAPS))["caps"]["nodes"]
    opened = NOW.replace(hour=0).isoformat()
    assert shown["window"] == {"used": 1, "held": 0, "free": 0, "openedAt": opened, "closesAt": closes}
    assert [q["kind"] for q in (await house.data(QUOTAS))["quotas"]["nodes"]] == ["TRIAL"]
    removed = (await house.data(REMOVE_CAP, None, input={"id": capped["id"]}))["removeCap"]
    assert removed["cap"] == {"id": capped["id"]}
    assert (await house.data(CAPS))["caps"]["nodes"] == []


async def test_a_cap_on_a_credential_names_it_and_has_an_id_of_its_own() -> None:
    house = House()
    key = await house.credential(1)
    given = a_cap("", 5, period="NEVER") | {"subject": {"credentialId": node_id("Credential", key.id)}}
    capped = (await house.data(SET_CAP, None, input=given))["setCap"]["cap"]
    assert (capped["clientId"], capped["credentialId"]) == (None, node_id("Credential", key.id))
    assert capped["window"]["closesAt"] is None
    node = "query Node($id: ID!) { node(id: $id) { __typename id } }"
    assert (await house.data(node, None, id=capped["id"]))["node"] == {"__typename": "Cap", "id": capped["id"]}
    assert (await house.data(node, house.actor(tenant=2), id=capped["id"]))["node"] is None


async def test_anothers_application_key_and_cap_read_like_unknown_ones() -> None:
    house = House()
    foreign_key = await house.credential(1, tenant=2)
    stranger = house.actor(tenant=2)
    subjects = [
        {"clientId": mint(Kind.CLIENT_ID, stranger.tenant_id, stranger.client_id.bytes)},
        {"clientId": mint(Kind.CLIENT_ID, tenant_id(1), bytes(16))},
        {"clientId": "nonsense"},
        {"credentialId": node_id("Credential", foreign_key.id)},
        {"credentialId": node_id("Credential", UUID(int=404))},
        {"credentialId": "nonsense"},
    ]
    answers = [(await house.data(SET_CAP, None, input=a_cap("", 1) | {"subject": s}))["setCap"] for s in subjects]
    assert answers[0] == answers[1] == answers[2]
    assert answers[3] == answers[4] == answers[5]
    assert {answer["__typename"] for answer in answers} == {"NotFound"}
    _, client_id = application(house)
    mine = (await house.data(SET_CAP, None, input=a_cap(client_id, 1)))["setCap"]["cap"]
    for unknown in (mine["id"], node_id("Cap", UUID(int=404)), "nonsense"):
        removed = (await house.data(REMOVE_CAP, stranger, input={"id": unknown}))["removeCap"]
        assert removed == {"__typename": "NotFound", "code": "NOT_FOUND"}


async def test_a_cap_below_zero_or_set_by_two_at_once_is_a_problem() -> None:
    house = House()
    _, client_id = application(house)
    refused = (await house.data(SET_CAP, None, input=a_cap(client_id, -1)))["setCap"]
    assert refused["__typename"] == "InvalidRange"
    await house.data(SET_CAP, None, input=a_cap(client_id, 5))
    late = replace(house.usecases.caps, begin=RacingStore(house.store).begin)
    house.usecases = replace(house.usecases, caps=late)
    raced = (await house.data(SET_CAP, None, input=a_cap(client_id, 9)))["setCap"]
    assert (raced["__typename"], raced["code"]) == ("ChangedMeanwhile", "CHANGED_MEANWHILE")


async def test_a_grant_is_shown_to_its_tenant_alone() -> None:
    house = House()
    models = [{"provider": "acme", "name": "scribe", "type": "LLM"}]
    weights = [{"provider": "acme", "name": "scribe", "weight": 7}]
    given = GIFT | {"provider": "acme", "models": models, "weights": weights}
    quota = (await house.data(GRANT, operator(house), input=given))["grantQuota"]["quota"]
    assert (quota["kind"], quota["provider"], quota["granted"], quota["free"]) == ("PAID", "acme", 50, 50)
    assert quota["terms"] == {"models": [{"name": "scribe"}], "weights": [{"model": "acme/scribe", "weight": 7}]}
    (told,) = (await house.data(GRANTS))["grants"]["nodes"]
    assert told == {"quotaId": quota["id"], "amount": 50, "reason": "Bought fifty.", "at": NOW.isoformat()}
    assert (await house.data(GRANTS, house.actor(tenant=2)))["grants"]["nodes"] == []


async def test_grants_are_paged() -> None:
    house = House()
    for amount in (1, 2, 3):
        await house.data(GRANT, operator(house), input=GIFT | {"amount": amount})
    page = (await house.data(GRANTS, None, first=2))["grants"]
    assert [g["amount"] for g in page["nodes"]] == [3, 2]
    assert page["pageInfo"]["hasNextPage"]
    rest = (await house.data(GRANTS, None, first=2, after=page["pageInfo"]["endCursor"]))["grants"]
    assert [g["amount"] for g in rest["nodes"]] == [1]


async def test_unlimited_is_said_and_never_meant_by_leaving_out_the_amount() -> None:
    house = House()
    asked = GIFT | {"amount": None}
    assert (await house.data(GRANT, operator(house), input=asked))["grantQuota"]["field"] == "amount"
    both = GIFT | {"unlimited": True}
    assert (await house.data(GRANT, operator(house), input=both))["grantQuota"]["field"] == "amount"
    unlimited = (await house.data(GRANT, operator(house), input=asked | {"unlimited": True}))["grantQuota"]["quota"]
    assert unlimited["free"] is None
    back = {"tenantId": TENANT, "quotaId": unlimited["id"], "everything": True, "reason": "Not meant."}
    closed = (await house.data(REVOKE, operator(house), input=back))["revokeQuota"]["quota"]
    assert (closed["granted"], closed["free"]) == (0, 0)


class BusyLedger(FakeLedger):
    """Another call takes a unit just before each change of a grant."""

    async def grant(self, grant: Grant, pot: Pot, deed: Deed) -> Pot:
        pots = self.store.rows[grant.tenant_id].pots
        pots[pot.id] = replace(pots[pot.id], used=pots[pot.id].used + 1)
        return await super().grant(grant, pot, deed)


async def test_what_cannot_be_taken_back_is_a_problem() -> None:
    house = House()
    quota = (await house.data(GRANT, operator(house), input=GIFT))["grantQuota"]["quota"]
    back = {"tenantId": TENANT, "quotaId": quota["id"], "amount": 20, "reason": "A mistake."}
    taken = (await house.data(REVOKE, operator(house), input=back))["revokeQuota"]["quota"]
    assert (taken["granted"], taken["free"]) == (30, 30)
    too_much = (await house.data(REVOKE, operator(house), input=back | {"amount": 31}))["revokeQuota"]
    assert (too_much["__typename"], too_much["field"]) == ("InvalidRange", "amount")
    nothing = (await house.data(REVOKE, operator(house), input=back | {"amount": None}))["revokeQuota"]
    assert nothing["__typename"] == "InvalidRange"
    for wrong in ({"quotaId": "x"}, {"tenantId": "x"}, {"tenantId": node_id("Tenant", tenant_id(2))}):
        unknown = (await house.data(REVOKE, operator(house), input=back | wrong))["revokeQuota"]
        assert unknown == {"__typename": "NotFound", "code": "NOT_FOUND"}
    house.usecases = replace(house.usecases, grants=replace(house.usecases.grants, ledger=BusyLedger(house.store)))
    everything = back | {"amount": None, "everything": True}
    busy = (await house.data(REVOKE, operator(house), input=everything))["revokeQuota"]
    assert busy == {"__typename": "ChangedMeanwhile", "code": "CHANGED_MEANWHILE"}


@pytest.mark.parametrize(
    ("change", "typename", "what"),
    [
        ({"tenantId": node_id("Tenant", UUID(int=404))}, "NotFound", "tenant"),
        ({"tenantId": "nonsense"}, "NotFound", "tenant"),
        ({"provider": "nobody"}, "NotFound", "provider"),
        ({"kind": "TRIAL"}, "InvalidRange", "kind"),
        ({"amount": 0}, "InvalidRange", "amount"),
        ({"reason": "x"}, "InvalidRange", "reason"),
        ({"models": []}, "InvalidRange", "models"),
        ({"models": [{"provider": "acme", "name": "x", "type": "LLM"}]}, "InvalidRange", "models[0]"),
        ({"weights": [{"provider": "acme", "name": "scribe", "weight": 0}]}, "InvalidRange", "weights[0]"),
    ],
)
async def test_a_grant_that_cannot_be_is_data(change: dict[str, Any], typename: str, what: str) -> None:
    house = House()
    refused = (await house.data(GRANT, operator(house), input=GIFT | change))["grantQuota"]
    assert refused["__typename"] == typename
    assert what in (refused.get("field"), refused.get("what"))


async def test_the_operator_sees_nothing_else_of_the_tenant() -> None:
    house = House()
    quota = (await house.data(GRANT, operator(house), input=GIFT))["grantQuota"]["quota"]
    assert await house.codes(GRANTS, operator(house)) == ["FORBIDDEN"]
    assert await house.codes(QUOTAS, operator(house)) == ["FORBIDDEN"]
    node = "query Node($id: ID!) { node(id: $id) { id } }"
    assert (await house.data(node, house.actor(tenant=2), id=quota["id"]))["node"] is None


async def test_a_plan_tells_key_model_holds_and_what_comes_behind() -> None:
    house = House()
    key = await house.credential(1)
    app, client_id = application(house)
    capped = (await house.data(SET_CAP, None, input=a_cap(client_id, 10_000, unit="TOKENS")))["setCap"]["cap"]
    asked = LLM | {"model": WRITER, "features": ["TOOLS"], "inputCharacters": 100, "maxTokens": 50}
    plan = (await house.data(PLAN, app, input=asked))["planCall"]
    assert plan["model"] == WRITER
    assert (plan["paidBy"], plan["maxOutput"], plan["affordable"]) == ("OWN", 50, True)
    assert plan["credential"] == {"id": node_id("Credential", key.id), "name": "key 1"}
    assert plan["holds"] == [
        {"quotaId": None, "capId": capped["id"], "kind": "CAP", "unit": "TOKENS", "amount": 450, "free": 10_000}
    ]
    own, platform = plan["candidates"]
    assert (own["paidBy"], own["credential"]) == ("OWN", {"name": "key 1"})
    assert (platform["paidBy"], platform["credential"]) == ("PLATFORM", None)
    assert [hold["amount"] for hold in platform["holds"]] == [1, 450]
    pots = house.store.rows[tenant_id(1)].pots.values()
    assert [(p.used, p.held) for p in pots if p.kind is not PotKind.CAP] == [(5, 0)]


async def test_a_plan_without_a_model_takes_the_default_and_the_models_limit() -> None:
    house = House()
    _, client_id = application(house)
    await house.data(SET_CAP, None, input=a_cap(client_id, 10**6, unit="TOKENS"))
    plan = (await house.data(PLAN, None, input=LLM))["planCall"]
    assert (plan["model"], plan["maxOutput"]) == (WRITER, 1024)


async def test_a_plan_says_which_of_its_keys_has_no_room() -> None:
    house = House()
    key = await house.credential(1)
    given = a_cap("", 0) | {"subject": {"credentialId": node_id("Credential", key.id)}}
    await house.data(SET_CAP, None, input=given)
    plan = (await house.data(PLAN, None, input=LLM | {"model": WRITER}))["planCall"]
    assert plan["paidBy"] == "PLATFORM"
    assert [c["affordable"] for c in plan["candidates"]] == [False, True]


RULED = replace(
    ACME,
    models=(
        *ACME.models[:2],
        replace(ACME.models[2], parameters=(ParameterRule("heat", Text("Heat"), ParameterKind.FLOAT, max=1),)),
    ),
)


def ruled() -> House:
    """Tenant 1's trial is used up; it has a model of its own without a key, and one that is switched off."""
    house = House(catalogue=Catalogue((RULED, HOME)))
    rows = house.store.rows[tenant_id(1)]
    rows.pots = {key: replace(p, used=p.granted or 0) for key, p in rows.pots.items()}
    own = ModelRef("home", "llama", ModelType.LLM)
    rows.custom[own] = CustomModel(tenant_id(1), own, "Llama", NOW)
    rows.disabled[ModelRef("acme", "scribe", ModelType.LLM)] = NOW
    return house


HEAT = [{"name": "heat", "value": 2}, {"name": "cold", "value": 1}, {"name": "temperature", "value": "hot"}]


@pytest.mark.parametrize(
    ("asked", "typename"),
    [
        (LLM | {"inputCharacters": -1}, "InvalidRange"),
        (LLM | {"maxTokens": 0}, "InvalidRange"),
        (LLM | {"parameters": [{"name": "temperature", "value": 3}]}, "InvalidRange"),
        (LLM | {"parameters": HEAT}, "InvalidForm"),
        (LLM | {"parameters": [{"name": "max_tokens", "value": 3}]}, "InvalidForm"),
        (
            {"type": "EMBEDDING", "model": {"provider": "acme", "name": "vectors"}, "parameters": HEAT[:2]},
            "InvalidForm",
        ),
        (LLM | {"model": WRITER, "features": ["REASONING"]}, "UnsupportedFeature"),
        (LLM | {"model": WRITER}, "QuotaExhausted"),
        (LLM | {"model": {"provider": "nobody", "name": "x"}}, "NoCredential"),
        (LLM | {"model": {"provider": "home", "name": "llama"}}, "CredentialRemoved"),
        (LLM | {"model": {"provider": "acme", "name": "scribe"}}, "ModelDisabled"),
        ({"type": "RERANK"}, "NoDefaultModel"),
        (LLM | {"model": {"provider": "acme", "name": "unheard of"}}, "NotPermitted"),
    ],
)
async def test_the_rule_that_would_refuse_a_call_is_data(asked: dict[str, Any], typename: str) -> None:
    refused = (await ruled().data(PLAN, None, input=asked))["planCall"]
    assert refused["__typename"] == typename


async def test_a_plan_for_a_vendor_that_is_no_longer_offered_is_a_problem() -> None:
    house = House()
    key = await house.credential(1)
    gone = replace(key, provider="gone", model=ModelRef("gone", "llama", ModelType.LLM))
    rows = house.store.rows[tenant_id(1)]
    rows.credentials[key.id] = gone, rows.credentials[key.id][1]
    refused = await house.data(PLAN, None, input=LLM | {"model": {"provider": "gone", "name": "llama"}})
    assert refused["planCall"]["__typename"] == "NotFound"


@pytest.mark.parametrize(
    ("document", "given", "needs"),
    [
        (SET_CAP, a_cap(mint(Kind.CLIENT_ID, tenant_id(1), bytes(16)), 1), Scope.QUOTAS_WRITE),
        (REMOVE_CAP, {"id": node_id("Cap", UUID(int=1))}, Scope.QUOTAS_WRITE),
        (GRANT, GIFT, Scope.QUOTAS_GRANT),
        (
            REVOKE,
            {"tenantId": TENANT, "quotaId": node_id("Quota", UUID(int=91)), "amount": 1, "reason": "why"},
            Scope.QUOTAS_GRANT,
        ),
        (PLAN, LLM, Scope.MODELS_INVOKE),
    ],
)
async def test_each_needs_its_scope(document: str, given: Any, needs: Scope) -> None:
    house = House()
    result = await house.run(document, house.actor(*(set(Scope) - {needs})), input=given)
    assert result.errors is not None
    assert result.errors[0].extensions == {"code": "FORBIDDEN", "needs": needs}

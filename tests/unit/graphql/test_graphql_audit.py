"""Every mutation leaves its deeds in the chain and nothing else does; the log shows them to who may read it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.graphql.ids import node_id
from domain.model.access import Actor, Role
from domain.model.audit import DONE, Deed, Entry
from domain.model.audit_check import verify
from domain.model.ids import ClientId, TenantId
from infrastructure.request_id import request_id
from tests.fakes.access import KEY
from tests.graphql_calls import CALLS, FORM, answers, shown
from tests.graphql_documents import FIELDS, strings
from tests.graphql_goods import Goods, settled, willing_house
from tests.graphql_house import House
from tests.household import a_person
from tests.tenancy.attempts import OPERATOR

UNRECORDED = {"chat", "embed", "rerank", "transcribe", "speak", "nameConversation", "suggestQuestions"}
"""Calls of models: they leave call records."""

DEEDS: Mapping[str, tuple[str, ...]] = {
    "openTenant": ("tenant.opened",),
    "closeTenant": ("tenant.closed",),
    "rotateTenantKey": ("tenant_key.rotated", "tenant_key.shredded"),
    "addCredential": ("credential.added",),
    "checkCredential": ("credential.checked",),
    "removeCredential": ("credential.removed",),
    "checkCredentialUpdate": ("credential.checked",),
    "updateCredential": ("credential.updated",),
    "switchCredential": ("credential.switched",),
    "verifyCredential": ("credential.verified",),
    "setDefaultModel": ("default_model.set",),
    "clearDefaultModel": ("default_model.cleared",),
    "setPreferredSource": ("preferred_source.set",),
    "setCap": ("cap.set",),
    "removeCap": ("cap.removed",),
    "grantQuota": ("quota.granted",),
    "revokeQuota": ("quota.revoked",),
    "addModel": ("model.added",),
    "removeModel": ("model.removed",),
    "setModelEnabled": ("model.enabled",),
    "listVendorModels": ("credential.used",),
    "importModels": ("credential.used", "model.imported"),
    "inviteMember": ("member.invited",),
    "withdrawInvitation": ("member.invitation_withdrawn",),
    "changeMemberRole": ("member.role_changed",),
    "removeMember": ("member.removed",),
    "transferOwnership": ("tenant.ownership_transferred",),
    "leaveTenant": ("member.left",),
    "registerApplication": ("application.registered",),
    "updateApplication": ("application.updated",),
    "suspendApplication": ("application.suspended",),
    "resumeApplication": ("application.resumed",),
    "rotateApplicationSecret": ("application.secret_rotated",),
    "removeApplication": ("application.removed",),
    "revokeApplicationTokens": ("application.tokens_revoked",),
    "revokeConsent": ("consent.revoked",),
    "createApiKey": ("api_key.created",),
    "updateApiKey": ("api_key.updated",),
    "rotateApiKey": ("api_key.rotated",),
    "revokeApiKey": ("api_key.revoked",),
}
MUTATIONS = sorted(name for name, field in FIELDS.items() if field.kind == "mutation")
OTHERS = sorted(name for name, field in FIELDS.items() if field.kind != "mutation")

LOG = """query A($filter: AuditFilterInput, $first: Int! = 50, $after: String) {
  auditLog(filter: $filter, first: $first, after: $after) {
    nodes { seq action target outcome requestId person { id name email } application { clientId name } }
    pageInfo { endCursor hasNextPage }
  }
}"""


class Town:
    """Two tenants with one of everything; an operator's client of the one may act on the other."""

    def __init__(self, house: House, his: Goods, hers: Goods) -> None:
        self.house, self.his, self.hers = house, his, hers

    def chains(self) -> dict[TenantId, list[Entry]]:
        return {tenant_id: list(rows.audit) for tenant_id, rows in self.house.store.rows.items()}

    async def new(self, operation: str, actor: Actor) -> dict[TenantId, list[Entry]]:
        """What an operation adds to whose chain."""
        before = self.chains()
        words = self.hers.words if operation in OPERATOR else self.his.words
        self.answers = await answers(self.house, operation, actor, CALLS[operation](words))
        found = {tenant_id: chain[len(before.get(tenant_id, [])) :] for tenant_id, chain in self.chains().items()}
        return {tenant_id: entries for tenant_id, entries in found.items() if entries}


@pytest.fixture
async def town() -> Town:
    house = willing_house()
    return Town(house, await settled(house, "sparrow"), await settled(house, "nightingale"))


def test_it_is_said_of_every_mutation_what_it_leaves() -> None:
    assert set(MUTATIONS) == DEEDS.keys() | UNRECORDED


@pytest.mark.parametrize("operation", MUTATIONS)
async def test_a_mutation_leaves_exactly_its_deeds_in_the_chain_of_the_tenant_it_changes(
    town: Town, operation: str
) -> None:
    actor = town.his.actor()
    added = await town.new(operation, actor)
    assert [answer["errors"] for answer in town.answers] == [[]]
    done = [entry.deed for entries in added.values() for entry in entries]
    assert tuple(each.action for each in done) == DEEDS.get(operation, ())
    assert {(each.client_id, each.outcome) for each in done} <= {(actor.client_id, DONE)}
    assert added.keys() <= {_chain_of(operation, town, added)}


def _chain_of(operation: str, town: Town, added: Mapping[TenantId, Any]) -> TenantId:
    if operation == "openTenant":
        (new,) = added.keys() - {town.his.tenant_id, town.hers.tenant_id}
        return new
    return town.hers.tenant_id if operation in OPERATOR.keys() - {"closeTenant"} else town.his.tenant_id


@pytest.mark.parametrize("operation", OTHERS)
async def test_what_only_reads_leaves_nothing(town: Town, operation: str) -> None:
    assert await town.new(operation, town.his.actor()) == {}
    assert all(answer["errors"] == [] for answer in town.answers)


@pytest.mark.parametrize("operation", MUTATIONS)
async def test_a_mutation_that_its_scope_refuses_leaves_nothing(town: Town, operation: str) -> None:
    everything = town.his.actor()
    lacking = replace(everything, scopes=everything.scopes - {FIELDS[operation].needs})
    assert await town.new(operation, lacking) == {}
    assert town.answers[0]["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("operation", sorted(DEEDS))
async def test_no_entry_has_a_secret_or_a_value_of_a_form(town: Town, operation: str) -> None:
    secrets = {"sk-of-", "acme.example", *(str(each["value"]) for each in FORM), "as agreed"}
    added = await town.new(operation, town.his.actor())
    told = [text for entries in added.values() for entry in entries for text in _texts(entry)]
    assert told
    assert [text for text in told if any(secret in text for secret in secrets)] == []


def _texts(entry: Entry) -> Iterator[str]:
    yield from (entry.deed.action, entry.deed.target, entry.deed.outcome, entry.request_id or "")


async def test_all_chains_hold_after_everything_was_done(town: Town) -> None:
    for operation in sorted(DEEDS.keys() - {"closeTenant"}):
        await town.new(operation, town.his.actor())
    for tenant_id, rows in town.house.store.rows.items():
        for head in rows.chain.values():
            assert verify(KEY, head, rows.audit).faults == (), tenant_id


async def log(house: House, actor: Actor, **variables: Any) -> dict[str, Any]:
    data = await house.data(LOG, actor, **variables)
    found: dict[str, Any] = data["auditLog"]
    return found


async def test_the_log_shows_the_newest_first_page_by_page(town: Town) -> None:
    actor = town.his.actor()
    for operation in ("setCap", "removeCap", "setPreferredSource"):
        await town.new(operation, actor)
    first = await log(town.house, actor, first=2)
    second = await log(town.house, actor, first=2, after=first["pageInfo"]["endCursor"])
    rest = await log(town.house, actor, first=2, after=second["pageInfo"]["endCursor"])
    seen = [entry for page in (first, second, rest) for entry in page["nodes"]]
    assert [entry["seq"] for entry in seen] == [5, 4, 3, 2, 1]
    assert [entry["action"] for entry in seen[:3]] == ["preferred_source.set", "cap.removed", "cap.set"]
    assert not rest["pageInfo"]["hasNextPage"]


async def test_a_page_costs_one_unit_of_work(town: Town) -> None:
    actor = town.his.actor()
    for _ in range(5):
        await town.new("setCap", actor)
    before = town.house.store.begun
    await log(town.house, actor)
    assert town.house.store.begun == before + 1


async def test_an_entry_names_its_application_its_person_and_its_request(town: Town) -> None:
    person = a_person("Zoë")
    house, tenant_id = town.house, town.his.tenant_id
    house.store.directory_rows.people[person.id] = person
    async with house.store.begin(tenant_id) as work:
        await work.members.add(person.id, Role.ADMIN, person.created_at)
    actor = replace(town.his.actor(), person_id=person.id)
    here = request_id.set("request-0123")
    await town.new("setCap", actor)
    request_id.reset(here)
    only = {"personId": node_id("Member", person.id)}
    (entry,) = (await log(house, actor, filter=only))["nodes"]
    assert entry["requestId"] == "request-0123"
    assert entry["person"] == {"id": only["personId"], "name": "Zoë", "email": person.email}
    assert entry["application"] == {"clientId": town.his.words.client, "name": town.his.client.name}
    async with house.store.begin(tenant_id) as work:
        await work.members.remove(person.id)
    (entry,) = (await log(house, actor, filter=only))["nodes"]
    assert entry["person"] == {"id": only["personId"], "name": None, "email": None}


async def test_what_was_done_from_the_shell_has_neither(town: Town) -> None:
    async with town.house.store.begin(town.his.tenant_id) as work:
        await work.audit.add(Deed("tenant.opened", "x"))
    (entry,) = (await log(town.house, town.his.actor(), filter={"actions": ["tenant.opened"]}))["nodes"]
    assert (entry["person"], entry["application"]) == (None, None)


async def test_the_log_can_be_narrowed_by_action_application_and_time(town: Town) -> None:
    house, actor = town.house, town.his.actor()
    await town.new("setCap", actor)
    stranger = replace(actor, client_id=ClientId(town.hers.client.id))
    await town.new("removeCap", stranger)
    everything = house.store.rows[town.his.tenant_id].audit
    moment = everything[-1].at

    async def actions(**which: Any) -> list[str]:
        return [entry["action"] for entry in (await log(house, actor, filter=which))["nodes"]]

    assert await actions(actions=["cap.removed", "cap.set"]) == ["cap.removed", "cap.set"]
    assert await actions(actions=[]) == []
    assert await actions(actions=["cap.set"], applicationId=town.his.words.client) == ["cap.set"]
    assert "cap.removed" not in await actions(applicationId=town.his.words.client)
    assert await actions(**{"from": (moment + timedelta(seconds=1)).isoformat()}) == []
    assert len(await actions(to=(moment + timedelta(seconds=1)).isoformat())) == len(everything)


@pytest.mark.parametrize(
    ("which", "code"),
    [
        ({"actions": ["x"] * 101}, "INVALID_RANGE"),
        ({"applicationId": "nobody"}, "INVALID_RANGE"),
        ({"personId": node_id("Cap", "x")}, "NOT_FOUND"),
    ],
)
async def test_a_filter_that_can_fit_nothing_is_refused(town: Town, which: dict[str, Any], code: str) -> None:
    assert await town.house.codes(LOG, town.his.actor(), filter=which) == [code]


async def test_a_cursor_is_good_for_its_filter_alone(town: Town) -> None:
    actor = town.his.actor()
    cursor = (await log(town.house, actor, first=1))["pageInfo"]["endCursor"]
    other = {"filter": {"actions": ["cap.set"]}, "after": cursor}
    assert await town.house.codes(LOG, actor, **other) == ["INVALID_RANGE"]
    assert list(strings(shown({"data": await town.house.data(LOG, actor, after=cursor)}, "auditLog")))

"""Quotas on both stores across processes: an operator grants from a shell, a tenant watches, plans and is capped."""

import asyncio
import json
from pathlib import Path
from typing import Any

from api.graphql.ids import node_id
from tests.databases import Urls
from tests.e2e.portunus import Client, Served, command, environment, served

BALANCE = "subscription { quotaBalance { id kind provider unit granted free terms { weights { model weight } } } }"
GRANTS = "{ grants { nodes { quotaId amount reason } } }"
PLAN = """query P($input: PlanCallInput!) { planCall(input: $input) { __typename
  ... on PlannedCall { paidBy model { name } holds { kind unit amount free } }
  ... on QuotaExhausted { pot free asked refillsAt } ... on Problem { code } } }"""
SET_CAP = """mutation S($input: SetCapInput!) { setCap(input: $input) {
  ... on SetCapPayload { cap { id window { used free } } } ... on Problem { code } } }"""
REMOVE_CAP = """mutation R($input: RemoveCapInput!) { removeCap(input: $input) {
  ... on RemoveCapPayload { cap { id } } ... on Problem { code } } }"""
GRANT = """mutation G($input: GrantQuotaInput!) { grantQuota(input: $input) {
  ... on GrantQuotaPayload { quota { id free } } ... on Problem { code message } } }"""
REVOKE = """mutation R($input: RevokeQuotaInput!) { revokeQuota(input: $input) {
  ... on RevokeQuotaPayload { quota { granted free } } ... on Problem { code message } } }"""
CHAT = """mutation C($input: ChatInput!) { chat(input: $input) { __typename
  ... on QuotaExhausted { pot refillsAt } ... on Problem { code } } }"""
HELLO = {"messages": [{"role": "USER", "content": "hi"}]}
MODEL = {"provider": "openai", "name": "gpt-6-luna"}
NOWHERE = "http://127.0.0.1:9"


def grant(portunus: Served, tenant: str, *options: str) -> str:
    done = command(portunus.environment, "grant-quota", tenant, "--reason", "Bought a pack.", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


async def plan(client: Client, **asked: Any) -> Any:
    return (await client.ask(PLAN, input={"type": "LLM", "model": MODEL, **asked}))["planCall"]


async def test_a_grant_from_a_shell_reaches_a_tenant_that_watches(urls: Urls, tmp_path: Path) -> None:
    with served(environment(urls, NOWHERE), tmp_path) as portunus:
        opened, operator = portunus.open_tenant("Acme"), portunus.open_tenant("Operator", "--operator")
        async with portunus.client_of(opened) as client, portunus.client_of(operator) as granting:
            async with client.subscribed(BALANCE) as events:
                (trial,) = (await anext(events))["quotaBalance"]
                assert (trial["kind"], trial["free"]) == ("TRIAL", 3)
                weight = f"--weight={MODEL['provider']}/{MODEL['name']}=4"
                said = await asyncio.to_thread(
                    grant, portunus, opened["tenant"], "--unit=credits", "--amount=9", weight
                )
                assert said == "paid credits: granted 9, free 9"
                async with asyncio.timeout(10):
                    paid, _ = (await anext(events))["quotaBalance"]
            assert (paid["kind"], paid["provider"], paid["unit"], paid["free"]) == ("PAID", None, "CREDITS", 9)
            assert paid["terms"]["weights"] == [{"model": "openai/gpt-6-luna", "weight": 4}]
            planned = await plan(client)
            assert planned["holds"] == [{"kind": "PAID", "unit": "CREDITS", "amount": 4, "free": 9}]
            taken = {"tenantId": node_id("Tenant", opened["tenant"]), "quotaId": paid["id"], "reason": "Refunded."}
            back = (await granting.ask(REVOKE, input=taken | {"amount": 7}))["revokeQuota"]["quota"]
            assert back == {"granted": 2, "free": 2}
            assert (await plan(client))["holds"][0]["kind"] == "TRIAL"
            told = (await client.ask(GRANTS))["grants"]["nodes"]
            assert [(g["amount"], g["reason"]) for g in told] == [(-7, "Refunded."), (9, "Bought a pack.")]
            assert (await granting.ask(GRANTS))["grants"]["nodes"] == []
            given = {"tenantId": taken["tenantId"], "kind": "FREE", "unit": "TOKENS", "reason": "As much as you like."}
            free = (await granting.ask(GRANT, input=given | {"unlimited": True}))["grantQuota"]["quota"]
            assert free["free"] is None
            closed = await granting.ask(REVOKE, input=taken | {"quotaId": free["id"], "everything": True})
            assert closed["revokeQuota"]["quota"] == {"granted": 0, "free": 0}


async def test_a_cap_holds_at_once_and_lifting_it_does_too(urls: Urls, tmp_path: Path) -> None:
    with served(environment(urls, NOWHERE), tmp_path) as portunus:
        async with portunus.client_of(portunus.open_tenant("Acme")) as client:
            mine = (await client.ask("{ viewer { clientId } }"))["viewer"]["clientId"]
            given = {"subject": {"clientId": mine}, "unit": "CALLS", "period": "MONTH"}
            cap = (await client.ask(SET_CAP, input=given | {"amount": 0}))["setCap"]["cap"]
            assert cap["window"] == {"used": 0, "free": 0}
            planned, called = await plan(client), (await client.ask(CHAT, input=HELLO))["chat"]
            assert (planned["pot"], called["pot"]) == ("cap", "cap")
            assert planned["refillsAt"] == called["refillsAt"] is not None
            raised = (await client.ask(SET_CAP, input=given | {"amount": 5}))["setCap"]["cap"]
            assert (raised["id"], raised["window"]) == (cap["id"], {"used": 0, "free": 5})
            assert (await client.ask(CHAT, input=HELLO))["chat"]["code"] == "UPSTREAM_UNAVAILABLE"
            assert (await client.ask(REMOVE_CAP, input={"id": cap["id"]}))["removeCap"]["cap"]
            assert [hold["kind"] for hold in (await plan(client))["holds"]] == ["TRIAL"]


def test_a_grant_that_cannot_be_is_refused_in_a_sentence(sqlite_urls: Urls) -> None:
    settings = environment(sqlite_urls, NOWHERE)
    opened = json.loads(command(settings, "open-tenant", "Acme", "--json").stdout)
    for options, said in (
        (["--reason=Because."], "--unlimited"),
        (["--amount=5", "--reason=Because.", "--kind=trial"], "kind must be paid or free"),
        (["--amount=5", "--reason=Because.", "--model=smell:openai/x"], "smell"),
    ):
        done = command(settings, "grant-quota", opened["tenant"], *options)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


async def test_an_operator_offers_other_trials_by_a_file(sqlite_urls: Urls, tmp_path: Path) -> None:
    file = tmp_path / "trials.toml"
    file.write_text(
        '[pool]\nunit = "credits"\ngranted = 500\ntype = "llm"\n'
        'models = [{ name = "openai/gpt-3.5-turbo", weight = 3 }, "anthropic/claude-haiku-4-5"]\n'
    )
    settings = environment(sqlite_urls, NOWHERE, PORTUNUS_TRIALS_FILE=str(file))
    with served(settings, tmp_path) as portunus:
        async with portunus.client_of(portunus.open_tenant("Acme")) as client:
            shown = "{ quotas { nodes { kind provider unit granted terms { models { name } } } } }"
            (pool,) = (await client.ask(shown))["quotas"]["nodes"]
            assert (pool["provider"], pool["unit"], pool["granted"]) == (None, "CREDITS", 500)
            assert pool["terms"]["models"] == [{"name": "gpt-3.5-turbo"}]
            assert (await plan(client))["holds"][0]["amount"] == 3


def test_a_file_of_trials_that_cannot_be_is_refused_at_the_start(sqlite_urls: Urls, tmp_path: Path) -> None:
    file = tmp_path / "trials.toml"
    file.write_text('[openai]\nunit = "calls"\ngranted = 0\ntype = "llm"\nmodels = ["gpt-3.5-turbo"]\n')
    for path in (file, tmp_path / "nowhere.toml"):
        done = command(environment(sqlite_urls, NOWHERE, PORTUNUS_TRIALS_FILE=str(path)), "open-tenant", "Acme")
        assert done.returncode == 2
        assert "PORTUNUS_TRIALS_FILE" in done.stderr
        assert "Traceback" not in done.stderr

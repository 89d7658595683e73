"""Several keys for one vendor, over real sockets: they share its calls, rest when refused, and take over in time."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.cap import Cap, CapSubject, Period
from domain.model.catalogue import Catalogue, Model
from domain.model.ids import CapId, CredentialId, KeyId
from domain.model.labels import Text
from domain.model.quota import Unit
from domain.usecases.credentials import NewCredential
from tests.gateways import gateway
from tests.graphql_house import TRIAL, House, tenant_id
from tests.stubs import asgi, plain
from tests.stubs.misbehaviour import FAILURES, Failure, refusal, stream
from tests.stubs.serve import serving
from tests.stubs.vendor import Vendor

ADAPTER = replace(plain.adapter(), id="acme")
MODEL = TRIAL.models[0]
ROWS = tuple(Model(ref, Text(ref.name)) for ref in TRIAL.models)
LIMITED = refusal(429, "rate_limit_exceeded", "slow down", retry_after="30")
CHAT = {"messages": [{"role": "USER", "content": "hi"}], "model": {"provider": MODEL.provider, "name": MODEL.name}}
ASK = """mutation Ask($input: ChatInput!) { chat(input: $input) { __typename
  ... on ChatPayload { credentialId paidBy } ... on Problem { code } } }"""
SHOW = """{ credentials { nodes {
  id name status restingUntil restingReason lastUsedAt usedBy { applications { calls } } } } }"""
STREAM = """subscription Stream($input: ChatInput!) { chatStream(input: $input) { __typename
  ... on ChatStarted { credentialId } ... on TextDelta { text } ... on Problem { code } } }"""


@dataclass
class Moody:
    """A vendor that fails by key; `asked` keeps the keys of all chats in their order."""

    keys: tuple[str, ...]
    moods: dict[str, Failure] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        key = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        chats = scope["path"].endswith("/chat/completions")
        self.asked += [key] if chats else []
        if chats and key in self.moods:
            await asgi.read(receive)
            await self.moods[key](scope, receive, send)
        else:
            await Vendor(keys=self.keys)(scope, receive, send)


class Turning:
    """Ids whose last 32 bits, by which calls choose their key, go round evenly."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> UUID:
        self._last += 1
        return UUID(int=(self._last << 64) + (self._last * 2654435769) % 2**32 - 10_000)


@dataclass
class Street:
    """A tenant with keys at one vendor."""

    house: House
    vendor: Moody
    keys: dict[str, CredentialId] = field(default_factory=dict)

    async def ask(self) -> Any:
        return (await self.house.data(ASK, None, input=CHAT))["chat"]

    async def asks(self) -> str:
        """Ask; the name of the key that served."""
        served = (await self.ask())["credentialId"]
        shown = await self.shown()
        return next(name for name, node in shown.items() if node["id"] == served)

    async def shown(self) -> dict[str, Any]:
        """The tenant's credentials by name, as GraphQL shows them."""
        return {node["name"]: node for node in (await self.house.data(SHOW))["credentials"]["nodes"]}

    async def resting(self) -> dict[str, tuple[str, float]]:
        """Why each resting key rests, and for how many seconds more."""
        shown = (await self.shown()).values()
        resting = [node for node in shown if node["status"] == "RESTING"]
        return {node["name"]: (node["restingReason"], self._seconds(node["restingUntil"])) for node in resting}

    async def streamed(self) -> list[dict[str, Any]]:
        """Everything that a stream gives, once it is settled."""
        items = await self.house.schema.subscribe(STREAM, {"input": CHAT}, self.house.context())
        seen = [(item.data or {})["chatStream"] async for item in items]
        await self.house.detached.drain(2)
        return seen

    @property
    def outcomes(self) -> list[str]:
        records = self.house.store.rows[tenant_id(1)].records.values()
        return [record.outcome.value for record in records]

    def _seconds(self, moment: str) -> float:
        return (datetime.fromisoformat(moment) - self.house.clock()).total_seconds()


@asynccontextmanager
async def street(*weights: int, **moods: Failure) -> AsyncIterator[Street]:
    """Keys a, b, c … of these weights, all active; a key fails by its mood once all are stored."""
    names = "abcdef"[: len(weights)]
    vendor = Moody(tuple(f"sk-{name}" for name in names))
    catalogue = Catalogue((ADAPTER.provider(ROWS),))
    async with serving(vendor) as url, gateway(adapters={"acme": ADAPTER}) as subject:
        at = Street(House(catalogue=catalogue, vendor=subject), vendor)
        key = await at.house.vault.keypair(tenant_id(1), KeyId(UUID(int=1)))
        at.house.store.rows[tenant_id(1)].keys[key.id] = key
        for name, weight in zip(names, weights, strict=True):
            form = {"address": f"{url}/v1", "key": f"sk-{name}"}
            new = NewCredential("acme", name, form, active=True, weight=weight)
            at.keys[name] = (await at.house.usecases.credentials.add(at.house.actor(), new)).id
        vendor.moods = {f"sk-{name}": mood for name, mood in moods.items()}
        yield at
        await at.house.detached.drain(2)


async def test_a_limited_key_rests_as_long_as_it_was_asked_to_and_the_next_serves_the_same_call() -> None:
    async with street(1, 1, a=LIMITED) as at:
        assert await at.asks() == "b"
        assert at.vendor.asked == ["sk-a", "sk-b"]
        assert at.outcomes == ["refused", "succeeded"]
        assert await at.resting() == {"a": ("UPSTREAM_RATE_LIMITED", 30)}
        at.vendor.moods.clear()
        at.house.clock.advance(timedelta(seconds=29.5))
        assert await at.asks() == "b"
        at.house.clock.advance(timedelta(seconds=0.5))
        assert await at.resting() == {}
        assert await at.asks() == "a"


@pytest.mark.parametrize(
    ("mood", "reason", "seconds"),
    [
        ("fail-401", "CREDENTIAL_REJECTED", 300),
        ("fail-402", "UPSTREAM_PAYMENT_REQUIRED", 300),
        ("fail-500", "UPSTREAM_UNAVAILABLE", 10),
        ("fail-503", "UPSTREAM_UNAVAILABLE", 10),
    ],
)
async def test_a_refused_key_rests_by_its_refusal_and_the_next_serves(mood: str, reason: str, seconds: int) -> None:
    async with street(1, 1, 1, a=FAILURES[mood], b=FAILURES["fail-401"]) as at:
        assert await at.asks() == "c"
        assert at.vendor.asked == ["sk-a", "sk-b", "sk-c"]
        assert at.outcomes == ["refused", "refused", "succeeded"]
        assert await at.resting() == {"a": (reason, seconds), "b": ("CREDENTIAL_REJECTED", 300)}


async def test_a_model_that_one_key_may_not_use_is_served_by_another_and_nothing_rests() -> None:
    async with street(1, 1, a=FAILURES["fail-404"]) as at:
        assert await at.asks() == "b"
        assert await at.resting() == {}


async def test_a_request_that_no_key_could_serve_is_not_tried_on_the_next() -> None:
    async with street(1, 1, a=FAILURES["fail-400"]) as at:
        assert (await at.ask())["code"] == "BAD_REQUEST_UPSTREAM"
        assert at.vendor.asked == ["sk-a"]


async def test_keys_share_calls_by_their_weights_and_one_of_none_stands_by() -> None:
    async with street(3, 1, 0) as at:
        at.house.ids = Turning()  # type: ignore[assignment]  # ids are what they choose by
        for _ in range(80):
            await at.ask()
        assert Counter(at.vendor.asked) == {"sk-a": 60, "sk-b": 20}
        at.vendor.moods = {"sk-a": LIMITED, "sk-b": LIMITED}
        assert await at.asks() == "c"


async def test_while_all_rest_they_are_tried_in_the_order_in_which_their_rests_end() -> None:
    asked = {"a": "30", "b": "10", "c": "20"}
    waits = {name: refusal(429, "limited", "slow down", retry_after=wait) for name, wait in asked.items()}
    async with street(1, 1, 1, **waits) as at:
        assert (await at.ask())["code"] == "UPSTREAM_RATE_LIMITED"
        at.vendor.asked.clear()
        assert (await at.ask())["code"] == "UPSTREAM_RATE_LIMITED"
        assert at.vendor.asked == ["sk-b", "sk-c", "sk-a"]
        del at.vendor.moods["sk-c"]
        assert await at.asks() == "c"


async def test_the_platforms_key_never_takes_over_from_a_failing_own_key() -> None:
    async with street(1, 1, a=LIMITED, b=refusal(503, "overloaded", "later", retry_after="30")) as at:
        trial = next(iter(at.house.store.rows[tenant_id(1)].pots.values()))
        assert (await at.ask())["code"] == "UPSTREAM_UNAVAILABLE"
        assert at.vendor.asked == ["sk-a", "sk-b"]
        after = at.house.store.rows[tenant_id(1)].pots[trial.id]
        assert (after.used, after.held) == (trial.used, 0)


async def test_a_stream_that_is_refused_at_its_start_is_served_by_the_next_key() -> None:
    at_once = FAILURES["error-at-once"]
    async with street(1, 1, 1, a=LIMITED, b=at_once) as at:
        begun, *pieces, finished = await at.streamed()
        assert (begun["__typename"], finished["__typename"]) == ("ChatStarted", "ChatFinished")
        assert {piece["__typename"] for piece in pieces} == {"TextDelta"}
        assert begun["credentialId"] == (await at.shown())["c"]["id"]
        assert at.vendor.asked == ["sk-a", "sk-b", "sk-c"]
        assert at.outcomes == ["refused", "refused", "succeeded"]


_HALF = b'data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\n'


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        (stream(_HALF, complete=False), "STREAM_BROKEN"),
        (stream(_HALF), "STREAM_BROKEN"),
        (FAILURES["error-in-stream"], "UPSTREAM_UNAVAILABLE"),
    ],
)
async def test_after_the_first_byte_of_a_stream_no_other_key_is_asked(mood: Failure, code: str) -> None:
    async with street(1, 1, a=mood) as at:
        begun, piece, problem = await at.streamed()
        assert (begun["__typename"], piece["__typename"]) == ("ChatStarted", "TextDelta")
        assert problem["code"] == code
        assert at.vendor.asked == ["sk-a"]
        assert at.outcomes == ["broken"]


async def test_a_cap_on_a_key_is_charged_for_that_key_alone() -> None:
    async with street(1, 1, a=LIMITED) as at:
        caps = {name: CapId(UUID(int=number)) for number, name in enumerate("ab", start=70)}
        async with at.house.store.begin(tenant_id(1)) as work:
            for name, cap_id in caps.items():
                subject = (CapSubject.CREDENTIAL, at.keys[name])
                cap = Cap(tenant_id(1), cap_id, *subject, Unit.CALLS, 1, Period.DAY, at.house.clock())
                await work.caps.put(cap)
        assert await at.asks() == "b"
        pots = at.house.store.rows[tenant_id(1)].pots.values()
        assert {pot.cap_id: (pot.used, pot.held) for pot in pots if pot.cap_id} == {
            caps["a"]: (0, 0),
            caps["b"]: (1, 0),
        }
        at.vendor.moods.clear()
        assert await at.asks() == "a"


async def test_every_attempt_is_seen_where_its_key_is_shown() -> None:
    async with street(1, 1, a=LIMITED) as at:
        await at.ask()
        await at.ask()
        shown = await at.shown()
        assert [shown[name]["usedBy"]["applications"] for name in "ab"] == [[{"calls": 1}], [{"calls": 2}]]
        assert {shown[name]["lastUsedAt"] for name in "ab"} == {at.house.clock().isoformat()}


async def test_a_switch_moves_all_calls_to_one_key() -> None:
    async with street(9, 1) as at:
        assert await at.asks() == "a"
        await at.house.usecases.credentials.switch(at.house.actor(), at.keys["b"])
        assert [await at.asks() for _ in range(3)] == ["b"] * 3

"""An application with a reach: what it may call, whatever way it asks, and what it is shown."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import NoDefaultModel, NotPermitted
from domain.model.access import Actor, Reach
from domain.model.calls import ChatCall, EmbedCall, Message, Role, TextPart
from domain.model.catalogue import ModelRef
from domain.model.conversation import NamingCall, SuggestionCall
from domain.model.planning import Demand
from domain.model.selection import Status
from domain.usecases.browsing import ModelFilter
from domain.usecases.credentials import NewCredential
from tests.unit.domain.samples import EMBEDDING, LLM, ref
from tests.unit.usecases.house import House
from tests.willing import WillingGateway

HELLO = (Message(Role.USER, (TextPart("hi"),)),)
NEWER = Reach(models=frozenset({ref("newer")}))
HOME = Reach(providers=frozenset({"home"}))


async def restricted(reach: Reach) -> tuple[House, Actor]:
    """A tenant with a key that reaches all of acme, and its application."""
    house = House()
    await house.credentials.add(house.actor(), NewCredential("acme", "main", {"key": "own-key"}))
    house.gateway = WillingGateway()
    return house, replace(house.actor(), reach=reach)


def ways(house: House, actor: Actor, model: ModelRef | None, vectors: ModelRef | None) -> list[Awaitable[Any]]:
    """Every way to ask for a model of these types."""

    async def streamed() -> None:
        async with house.inference.chat_stream(actor, ChatCall(HELLO, model=model)) as events:
            async for _ in events:
                pass

    return [
        house.planning.plan(actor, Demand(model, LLM)),
        house.inference.chat(actor, ChatCall(HELLO, model=model)),
        streamed(),
        house.inference.embed(actor, EmbedCall(("hi",), model=vectors)),
        house.conversations.name(actor, NamingCall(HELLO, model=model)),
        house.conversations.suggest(actor, SuggestionCall(HELLO, model=model)),
    ]


async def test_a_model_beyond_the_reach_is_refused_whatever_way_it_is_asked_for() -> None:
    house, actor = await restricted(NEWER)
    for asked in ways(house, actor, ref("best"), ref("vectors", kind=EMBEDDING)):
        with pytest.raises(NotPermitted, match="This application may not use acme/"):
            await asked
    assert house.gateway.asked == []
    assert house.rows(actor.tenant_id).holds == {}


async def test_a_default_is_chosen_within_the_reach() -> None:
    house, actor = await restricted(NEWER)
    await house.defaults.choose(house.actor(), ref("best"))
    assert (await house.planning.plan(actor, Demand(None, LLM))).plan.model == ref("newer")
    assert (await house.inference.chat(actor, ChatCall(HELLO))).receipt.model == ref("newer")
    assert (await house.conversations.name(actor, NamingCall(HELLO))).receipt.model == ref("newer")
    with pytest.raises(NoDefaultModel):
        await house.inference.embed(actor, EmbedCall(("hi",)))
    shown = {default.type: default.model for default in await house.defaults.all(actor)}
    assert (shown[LLM], shown[EMBEDDING]) == (ref("newer"), None)
    assert (await house.defaults.all(house.actor()))[0].model == ref("best")


async def test_lists_show_what_is_within_the_reach() -> None:
    house, actor = await restricted(NEWER)
    assert [shown.provider.id for shown in await house.browsing.providers(actor)] == ["acme"]
    assert [offered.model.ref for offered in await house.browsing.models(actor)] == [ref("newer")]
    assert [offered.model.ref for offered in await house.browsing.models(actor, ModelFilter(provider="home"))] == []
    beyond = await house.browsing.model(actor, ref("best"))
    assert beyond.availability.status is Status.NOT_PERMITTED
    assert "This application" in (beyond.availability.reason or "")
    everything = await house.browsing.models(house.actor())
    assert len(everything) > 2


async def test_a_provider_within_the_reach_brings_all_its_models_and_no_others() -> None:
    house, actor = await restricted(HOME)
    assert [shown.provider.id for shown in await house.browsing.providers(actor)] == ["home"]
    with pytest.raises(NotPermitted):
        await house.inference.chat(actor, ChatCall(HELLO, model=ref("best")))


async def test_who_is_restricted_chooses_no_default_beyond_the_reach() -> None:
    house, actor = await restricted(NEWER)
    with pytest.raises(NotPermitted):
        await house.defaults.choose(actor, ref("best"))

"""What becomes of stored credentials: which rest, when each was last used, and who uses it."""

from dataclasses import replace
from datetime import timedelta

from domain.model.access import Client
from domain.model.catalogue import ModelRef
from domain.model.credential import Credential
from domain.model.ids import CallId, ClientId, CredentialId
from domain.model.quota import Outcome
from domain.model.usage import CallRecord
from domain.usecases.credential_states import Application
from domain.usecases.credentials import NewCredential
from tests.unit.domain.samples import EMBEDDING, TENANT, ref
from tests.unit.usecases.house import House

KEY = {"key": "sk-canary-0123456789"}


async def key(house: House, name: str, *, active: bool = True) -> Credential:
    return await house.credentials.add(house.actor(), NewCredential("acme", name, KEY, active=active))


async def called(
    house: House,
    credential: Credential,
    client: ClientId,
    *,
    ago: timedelta = timedelta(0),
    outcome: Outcome = Outcome.SUCCEEDED,
) -> None:
    record = CallRecord(
        tenant_id=TENANT,
        id=CallId(house.fresh()),
        at=house.clock() - ago,
        client_id=client,
        credential_id=credential.id,
        model=ref("best"),
        outcome=outcome,
        input_tokens=1,
        output_tokens=1,
        latency_ms=1,
    )
    await house.ledger.settle(record)


async def test_a_rest_is_shown_until_it_is_over() -> None:
    house = House()
    resting = await house.rest(await key(house, "tired"))
    await house.rest(await key(house, "rested"), timedelta(0))
    assert await house.states.coolings(house.actor()) == {resting.credential_id: resting}
    house.clock.advance(timedelta(minutes=1))
    assert await house.states.coolings(house.actor()) == {}


async def test_the_last_use_is_that_of_the_latest_call_that_was_sent() -> None:
    house = House()
    used, unused, client = await key(house, "used"), await key(house, "unused"), ClientId(house.fresh())
    for days in (40, 2, 3):
        await called(house, used, client, ago=timedelta(days=days))
    await called(house, used, client, outcome=Outcome.UNSENT)
    found = await house.states.last_used(house.actor(), (used.id, unused.id))
    assert found == {used.id: house.clock() - timedelta(days=2)}


async def test_the_applications_of_the_last_30_days_are_counted_and_named() -> None:
    house = House()
    used, gone = await key(house, "used"), ClientId(house.fresh())
    shop = Client(TENANT, ClientId(house.fresh()), "shop", b"", frozenset(), house.clock())
    house.rows(TENANT).clients[shop.id] = shop
    for client, days in ((shop.id, 1), (shop.id, 2), (shop.id, 31), (gone, 3)):
        await called(house, used, client, ago=timedelta(days=days))
    found = await house.states.users(house.actor(), (used.id,))
    day = timedelta(days=1)
    assert found[used.id].applications == (
        Application(shop.id, "shop", 2, house.clock() - day),
        Application(gone, None, 1, house.clock() - 3 * day),
    )


async def defaults(house: House, credential: Credential) -> tuple[ModelRef, ...]:
    return (await house.states.users(house.actor(), (credential.id,)))[credential.id].defaults


async def test_a_credential_is_used_by_the_default_models_that_it_serves() -> None:
    house = House()
    main, idle = await key(house, "main"), await key(house, "idle", active=False)
    mine = NewCredential("home", "mine", {"address": "http://h"}, ref("llama", "home"))
    hosted = await house.credentials.add(house.actor(), mine)
    assert await defaults(house, main) == (ref("best"), ref("vectors", kind=EMBEDDING))
    assert [await defaults(house, each) for each in (idle, hosted)] == [(), ()]
    await house.defaults.choose(house.actor(), ref("llama", "home"))
    assert await defaults(house, hosted) == (ref("llama", "home"),)
    assert await defaults(house, main) == (ref("vectors", kind=EMBEDDING),)


async def test_a_default_that_cannot_be_called_uses_no_credential() -> None:
    house = House()
    main = await key(house, "main")
    await house.defaults.choose(house.actor(), ref("best"))
    async with house.store.begin(TENANT) as work:
        await work.models.disable(ref("best"), house.clock())
    house.standing.forget(TENANT)
    assert await defaults(house, main) == (ref("vectors", kind=EMBEDDING),)


async def test_what_is_unknown_is_left_out() -> None:
    house = House()
    main = await key(house, "main")
    stranger = replace(main, id=CredentialId(house.fresh()))
    assert set(await house.states.users(house.actor(), (main.id, stranger.id))) == {main.id}
    assert await house.states.last_used(house.actor(), (stranger.id,)) == {}

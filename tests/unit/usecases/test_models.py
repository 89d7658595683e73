"""A tenant's own models are added, removed, switched off and on, and taken over from the vendor's list."""

from dataclasses import replace

import pytest

from domain.errors import (
    CredentialRejected,
    CredentialRemoved,
    DuplicateName,
    Forbidden,
    InvalidForm,
    InvalidRange,
    ModelDisabled,
    NoCredential,
    NotFound,
    UnsupportedFeature,
)
from domain.model.access import Scope
from domain.model.catalogue import Feature, ModelRef
from domain.model.credential import Credential
from domain.model.custom_model import CustomModel
from domain.model.events import ChatAnswer, Finish, FinishReason, Usage
from domain.model.secret import Secret
from domain.model.selection import Status
from domain.ports import ListedModel
from domain.usecases.credentials import NewCredential
from domain.usecases.imports import IMPORT_LIMIT, Wanted
from tests.fakes import FakeList
from tests.unit.domain.samples import EMBEDDING, LLM, TENANT, ref
from tests.unit.usecases.house import House
from tests.unit.usecases.test_inference import HELLO

TUNED = ref("ft:best:acme")
LLAMA, PHI = ref("llama", "home"), ref("phi", "home")
ANSWER = ChatAnswer("Hello.", "", (), FinishReason(Finish.STOP, "stop"), Usage(9, 2))
LIST = FakeList((ListedModel("best", LLM), ListedModel("ft:best:acme", context=9_000), ListedModel("vec", EMBEDDING)))


def custom(house: House, wanted: ModelRef = TUNED) -> CustomModel:
    return CustomModel(TENANT, wanted, "Tuned", house.clock(), frozenset({Feature.VISION}), context=9_000)


async def with_key(*script: FakeList | ChatAnswer) -> House:
    house = House()
    await house.credentials.add(house.actor(), NewCredential("acme", "main", {"key": "own-key"}))
    house.gateway.script.extend(script)
    return house


async def with_host(*script: FakeList) -> tuple[House, Credential]:
    house = House()
    new = NewCredential("home", "mine", {"address": "http://h", "context_size": "512", "vision": "yes"}, LLAMA)
    added = await house.credentials.add(house.actor(), new)
    house.gateway.script.extend(script)
    return house, added


async def test_an_added_model_is_offered_and_called_on_the_own_key() -> None:
    house = await with_key(ANSWER)
    offered = await house.models.add(house.actor(), custom(house))
    assert (offered.model.custom, offered.model.context, offered.availability.status) == (True, 9_000, Status.ACTIVE)
    answered = await house.inference.chat(house.actor(), type(HELLO)(HELLO.messages, model=TUNED))
    assert answered.receipt.model == TUNED


async def test_a_model_without_a_key_says_what_it_lacks() -> None:
    house = House()
    offered = await house.models.add(house.actor(), custom(house))
    assert offered.availability.status is Status.CREDENTIAL_REMOVED
    assert "addCredential" in (offered.availability.reason or "")


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        (ref("best"), DuplicateName),
        (LLAMA, InvalidRange),
        (ref("x", "nobody"), NotFound),
        (ref(" "), InvalidRange),
        (ref("x\n"), InvalidRange),
        (ref("x" * 201), InvalidRange),
        (ref("x", "home", EMBEDDING), InvalidRange),
    ],
)
async def test_what_cannot_be_a_model_of_the_tenants_own_is_refused(wanted: ModelRef, refusal: type[Exception]) -> None:
    house = House()
    with pytest.raises(refusal):
        await house.models.add(house.actor(), custom(house, wanted))
    assert house.rows(TENANT).custom == {}


@pytest.mark.parametrize("label", ["x" * 201, "a\0b"])
async def test_a_label_that_cannot_be_shown_is_refused_by_its_field(label: str) -> None:
    house = House()
    with pytest.raises(InvalidRange, match="label"):
        await house.models.add(house.actor(), replace(custom(house), label=label))


async def test_a_model_is_added_once() -> None:
    house = await with_key()
    await house.models.add(house.actor(), custom(house))
    with pytest.raises(DuplicateName):
        await house.models.add(house.actor(), custom(house))


async def test_a_removed_model_is_forgotten_with_its_switch() -> None:
    house = await with_key()
    await house.models.add(house.actor(), custom(house))
    await house.models.switch(house.actor(), TUNED, on=False)
    removed = await house.models.remove(house.actor(), TUNED)
    assert (removed.model.ref, removed.credentials) == (TUNED, 0)
    assert house.rows(TENANT).disabled == {}
    with pytest.raises(NotFound):
        await house.models.remove(house.actor(), TUNED)


async def test_a_hosted_model_goes_with_the_credentials_that_reach_it_alone() -> None:
    house, _ = await with_host(FakeList((ListedModel("phi", LLM),)))
    await house.imports.take_over(house.actor(), "home", [Wanted("phi")])
    removed = await house.models.remove(house.actor(), PHI)
    assert removed.credentials == 1
    assert [c.model for c, _ in house.rows(TENANT).credentials.values()] == [LLAMA]


async def test_a_model_that_is_switched_off_is_called_by_nobody_until_it_is_on_again() -> None:
    house = House([ANSWER])
    off = await house.models.switch(house.actor(), ref("old"), on=False)
    assert (off.availability.status, house.gateway.asked) == (Status.DISABLED, [])
    with pytest.raises(ModelDisabled):
        await house.inference.chat(house.actor(), HELLO)
    on = await house.models.switch(house.actor(), ref("old"), on=True)
    assert on.availability.status is Status.ACTIVE
    assert (await house.inference.chat(house.actor(), HELLO)).answer == ANSWER


async def test_only_a_model_that_the_tenant_can_name_is_switched() -> None:
    house = House()
    with pytest.raises(NotFound):
        await house.models.switch(house.actor(), ref("nothing"), on=False)


async def test_the_vendors_list_tells_what_is_known_and_stores_nothing() -> None:
    house = await with_key(LIST)
    found = await house.imports.listed(house.actor(), "acme")
    assert [(each.listed.name, each.known) for each in found] == [
        ("best", True),
        ("ft:best:acme", False),
        ("vec", False),
    ]
    assert house.gateway.asked[-1] == {"key": Secret("own-key"), "base": "https://acme.example"}
    assert house.rows(TENANT).custom == {}


async def test_models_of_the_list_are_taken_over_and_known_ones_stay() -> None:
    house = await with_key(LIST, LIST)
    wanted = [Wanted("best"), Wanted("ft:best:acme", LLM), Wanted("vec")]
    offered = await house.imports.take_over(house.actor(), "acme", wanted)
    assert [o.model.ref for o in offered] == [ref("best"), TUNED, ref("vec", kind=EMBEDDING)]
    assert [o.model.custom for o in offered] == [False, True, True]
    assert offered[1].model.context == 9_000
    await house.imports.take_over(house.actor(), "acme", wanted)
    assert len(house.rows(TENANT).custom) == 2
    assert len(house.rows(TENANT).credentials) == 1


async def test_a_hosted_model_that_is_taken_over_gets_the_listing_key_as_its_own() -> None:
    house, key = await with_host(FakeList((ListedModel("llama", LLM), ListedModel("phi", LLM, context=4_096))))
    (offered,) = await house.imports.take_over(house.actor(), "home", [Wanted("phi")], key.id)
    assert (offered.availability.status, offered.model.context) == (Status.ACTIVE, 4_096)
    assert Feature.VISION not in offered.model.features  # what was entered of the other model is not true of this one
    own = next(c for c, _ in house.rows(TENANT).credentials.values() if c.model == PHI)
    assert (own.name, own.endpoint, own.active) == (key.name, key.endpoint, True)
    async with house.store.begin(TENANT) as work:
        await work.credentials.remove(own.id)
    house.standing.forget(TENANT)
    with pytest.raises(CredentialRemoved):
        await house.inference.chat(house.actor(), type(HELLO)(HELLO.messages, model=PHI))


async def test_what_the_list_lacks_or_does_not_type_is_named_and_nothing_is_taken() -> None:
    house = await with_key(LIST)
    wanted = [Wanted("vec"), Wanted("ft:best:acme"), Wanted("ghost", LLM)]
    with pytest.raises(InvalidForm) as refused:
        await house.imports.take_over(house.actor(), "acme", wanted)
    assert [problem.field for problem in refused.value.problems] == ["ft:best:acme", "ghost"]
    assert house.rows(TENANT).custom == {}


@pytest.mark.parametrize("name", ["x" * 201, "", "  ", "a\x00b", "a\nb", "a\ud800", "\u202egpt"])
async def test_what_no_model_can_be_called_is_left_out_of_the_vendors_list(name: str) -> None:
    bad = FakeList((ListedModel(name, LLM), ListedModel("x" * 200, LLM)))
    house = await with_key(bad, bad, bad)
    assert [each.listed.name for each in await house.imports.listed(house.actor(), "acme")] == ["x" * 200]
    with pytest.raises(InvalidForm) as refused:
        await house.imports.take_over(house.actor(), "acme", [Wanted("x" * 200), Wanted(name)])
    assert [problem.field for problem in refused.value.problems] == [name]
    assert house.rows(TENANT).custom == {}
    (offered,) = await house.imports.take_over(house.actor(), "acme", [Wanted("x" * 200)])
    assert offered.model.ref.name == "x" * 200


@pytest.mark.parametrize("context", [0, -1, 2**31, 10**30])
async def test_a_size_that_no_model_can_have_is_not_taken_over(context: int) -> None:
    odd = FakeList((ListedModel("odd", LLM, context),))
    house = await with_key(odd, odd)
    (found,) = await house.imports.listed(house.actor(), "acme")
    assert found.listed.context is None
    (offered,) = await house.imports.take_over(house.actor(), "acme", [Wanted("odd")])
    assert offered.model.context is None


@pytest.mark.parametrize("count", [0, IMPORT_LIMIT + 1])
async def test_an_import_is_bounded(count: int) -> None:
    house = await with_key()
    with pytest.raises(InvalidRange):
        await house.imports.take_over(house.actor(), "acme", [Wanted("vec")] * count)


async def test_without_a_key_there_is_nobody_to_ask() -> None:
    house = House()
    with pytest.raises(NoCredential):
        await house.imports.listed(house.actor(), "acme")
    with pytest.raises(NotFound):
        await house.imports.listed(house.actor(), "nobody")


async def test_a_key_of_another_provider_is_not_taken() -> None:
    house, hosted = await with_host()
    with pytest.raises(NotFound):
        await house.imports.listed(house.actor(), "acme", hosted.id)


@pytest.mark.parametrize("failure", [CredentialRejected("acme", 401), UnsupportedFeature("a list", "acme")])
async def test_a_list_that_cannot_be_had_is_a_refusal(failure: Exception) -> None:
    house = await with_key()
    house.gateway.script.append(failure)  # type: ignore[arg-type]
    with pytest.raises(type(failure)):
        await house.imports.listed(house.actor(), "acme")


async def test_models_are_changed_with_their_scope_alone() -> None:
    house = await with_key()
    reader = house.actor(Scope.PROVIDERS_READ)
    for attempt in (
        house.models.add(reader, custom(house)),
        house.models.remove(reader, TUNED),
        house.models.switch(reader, TUNED, on=False),
        house.imports.listed(reader, "acme"),
        house.imports.take_over(reader, "acme", [Wanted("vec")]),
    ):
        with pytest.raises(Forbidden, match="models:write"):
            await attempt

"""What uses a secret is recorded however it ends: refused, broken, or left by its caller."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from domain.errors import CredentialRejected, CredentialUnreadable, DomainError, DuplicateName, InvalidForm, NotFound
from domain.model.audit import DONE, INTERRUPTED
from domain.model.catalogue import FormValues, ModelRef, ModelType
from domain.model.credential import Credential
from domain.model.credential_change import CredentialChange
from domain.model.secret import Secret
from domain.usecases.credentials import NewCredential
from domain.usecases.imports import Wanted
from tests.fakes import FakeGateway
from tests.unit.domain.samples import TENANT
from tests.unit.usecases.house import House

NEW = NewCredential("acme", "main", {"key": "sk-canary-0123456789"})
OTHER = {"key": Secret("sk-second-9876543210")}
REFUSED = CredentialRejected("acme", 401)

Doing = Callable[[House, Credential], Awaitable[object]]

DOINGS: dict[str, tuple[Doing, str]] = {
    "check": (lambda house, _: house.credentials.check(house.actor(), NEW), "credential.checked"),
    "add": (lambda house, _: house.credentials.add(house.actor(), replace(NEW, name="2")), "credential.added"),
    "check an update": (lambda house, own: house.updates.check(house.actor(), own.id, OTHER), "credential.checked"),
    "update": (
        lambda house, own: house.updates.update(house.actor(), own.id, CredentialChange(fields=OTHER)),
        "credential.updated",
    ),
    "verify": (lambda house, own: house.updates.prove(house.actor(), own.id), "credential.verified"),
    "list": (lambda house, own: house.imports.listed(house.actor(), "acme", own.id), "credential.used"),
    "import": (
        lambda house, own: house.imports.take_over(house.actor(), "acme", [Wanted("x")], own.id),
        "credential.used",
    ),
}


class Broken(FakeGateway):
    """Fails as nobody foresaw."""

    @override
    async def probe(self, provider: str, form: FormValues, model: ModelRef | None, **more: Any) -> None:
        raise ZeroDivisionError


class Silent(FakeGateway):
    """Never answers."""

    @override
    async def probe(self, provider: str, form: FormValues, model: ModelRef | None, **more: Any) -> None:
        await asyncio.Event().wait()


async def settled(gateway: FakeGateway | None = None) -> tuple[House, Credential]:
    """A house with a stored credential, whose addition is the last thing that its gateway answered."""
    house = House()
    credential = await house.credentials.add(house.actor(), NEW)
    if gateway is not None:
        house.gateway = gateway
    return house, credential


def told(house: House) -> list[tuple[str, str, str]]:
    """Behind the addition of the credential."""
    return [(e.deed.action, e.deed.target, e.deed.outcome) for e in house.rows(TENANT).audit[1:]]


@pytest.mark.parametrize(("doing", "action"), DOINGS.values(), ids=DOINGS)
async def test_a_refusal_of_the_vendor_is_recorded_by_its_code(doing: Doing, action: str) -> None:
    house, credential = await settled(FakeGateway(REFUSED))
    with pytest.raises(CredentialRejected):
        await doing(house, credential)
    ((done, target, outcome),) = told(house)
    assert (done, outcome) == (action, REFUSED.code)
    assert target in ("acme", str(credential.id))


@pytest.mark.parametrize("doing", [doing for doing, _ in DOINGS.values()], ids=DOINGS)
async def test_a_vendor_is_asked_in_the_tenants_name(doing: Doing) -> None:
    gateway = FakeGateway(REFUSED)
    house, credential = await settled(gateway)
    with pytest.raises(CredentialRejected):
        await doing(house, credential)
    assert gateway.tenants == [TENANT]


@pytest.mark.parametrize("doing", ["check an update", "update", "verify", "list", "import"])
async def test_a_stored_secret_that_cannot_be_opened_is_recorded(doing: str) -> None:
    house, credential = await settled()
    kept, sealed = house.rows(TENANT).credentials[credential.id]
    house.rows(TENANT).credentials[credential.id] = kept, replace(sealed, envelope=b'["", "", {}]')
    run, action = DOINGS[doing]
    if "update" in doing:  # which needs the stored secret when something else changes
        change = CredentialChange(fields={"base": "https://acme.example/v2"})
        updates = house.updates
        run = {
            "update": lambda house, own: updates.update(house.actor(), own.id, change),
            "check an update": lambda house, own: updates.check(house.actor(), own.id, change.fields),
        }[doing]
    with pytest.raises(CredentialUnreadable):
        await run(house, credential)
    assert told(house) == [(action, str(credential.id), CredentialUnreadable.code)]


async def test_a_try_to_send_a_kept_secret_to_another_host_is_recorded() -> None:
    house, credential = await settled()
    change = CredentialChange(fields={"base": "https://elsewhere.example"})
    with pytest.raises(InvalidForm):
        await house.updates.update(house.actor(), credential.id, change)
    assert told(house) == [("credential.updated", str(credential.id), InvalidForm.code)]


async def test_what_was_proved_and_then_not_stored_is_recorded() -> None:
    house, _ = await settled()
    with pytest.raises(DuplicateName):
        await house.credentials.add(house.actor(), NEW)
    assert told(house) == [("credential.added", "acme", DuplicateName.code)]


@pytest.mark.parametrize(
    "new", [replace(NEW, provider="nobody"), replace(NEW, values={"key": ""}), replace(NEW, name=" ")]
)
async def test_what_is_refused_before_a_secret_is_used_is_not_recorded(new: NewCredential) -> None:
    house, _ = await settled()
    with pytest.raises(DomainError):
        await house.credentials.add(house.actor(), new)
    assert told(house) == []


async def test_what_breaks_and_what_its_caller_leaves_is_recorded_as_interrupted() -> None:
    house, credential = await settled(Broken())
    with pytest.raises(ZeroDivisionError):
        await house.updates.prove(house.actor(), credential.id)
    house.gateway = Silent()
    proving = asyncio.create_task(house.updates.prove(house.actor(), credential.id))
    await asyncio.wait([proving], timeout=0.05)
    proving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await proving
    assert told(house) == [("credential.verified", str(credential.id), INTERRUPTED)] * 2


async def test_a_model_that_goes_is_told_with_the_credentials_that_go_with_it() -> None:
    house, _ = await settled()
    ref = ModelRef("home", "llama", ModelType.LLM)
    values: FormValues = {"address": "https://home.example"}
    hosted = await house.credentials.add(house.actor(), NewCredential("home", "h", values, ref))
    await house.models.remove(house.actor(), ref)
    assert told(house)[-2:] == [
        ("model.removed", f"{ref.type}:home/llama", DONE),
        ("credential.removed", str(hosted.id), DONE),
    ]


async def test_an_update_that_changes_nothing_leaves_nothing() -> None:
    house, credential = await settled()
    await house.updates.update(house.actor(), credential.id, CredentialChange(name="main"))
    assert told(house) == []
    with pytest.raises(NotFound):
        await house.caps.remove(house.actor(), credential.id)  # type: ignore[arg-type]
    assert told(house) == []

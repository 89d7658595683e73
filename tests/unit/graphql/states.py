"""States that a tenant can be in, each of which makes a call fail in its own way."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from domain.model.access import Role
from domain.model.audit import Deed
from domain.model.catalogue import FormValues, ModelRef, ModelType
from domain.model.credential import SealContext
from domain.model.custom_model import CustomModel
from domain.model.ids import CredentialId
from domain.model.quota import Grant, Pot, PotKind, Terms
from tests.belongings import a_credential
from tests.fakes import FakeLedger, TenantRows
from tests.graphql_documents import FIELDS
from tests.graphql_goods import Goods
from tests.graphql_house import ACME, HOME, NOW, House
from tests.racing import RacingStore
from tests.willing import WillingGateway

State = Callable[[House, Goods], Awaitable[None]]

GONE = "gone"
MODELS = {
    ModelType.LLM: "writer:7b",
    ModelType.EMBEDDING: "vectors",
    ModelType.RERANK: "sorter",
    ModelType.SPEECH_TO_TEXT: "ears",
    ModelType.TEXT_TO_SPEECH: "mouth",
}
"""A model of each type in the catalogue."""


def rows_of(house: House, owner: Goods) -> TenantRows:
    return house.store.rows[owner.tenant_id]


async def as_it_is(_: House, __: Goods) -> None:
    return None


async def without_keys(house: House, owner: Goods) -> None:
    """Neither a key of its own nor a quota on the platform's."""
    rows = rows_of(house, owner)
    rows.credentials.clear()
    rows.coolings.clear()
    rows.pots.clear()


async def without_anything(house: House, owner: Goods) -> None:
    await without_keys(house, owner)
    rows_of(house, owner).custom.clear()
    rows_of(house, owner).defaults.clear()


async def as_the_only_owner(house: House, owner: Goods) -> None:
    members = rows_of(house, owner).members
    for person_id, (_, joined_at) in members.items():
        members[person_id] = (Role.OWNER if person_id == owner.person_id else Role.MEMBER), joined_at


async def with_a_colleague_as_the_only_owner(house: House, owner: Goods) -> None:
    rows_of(house, owner).members[owner.person_id] = Role.ADMIN, NOW


async def with_keys_removed(house: House, owner: Goods) -> None:
    rows_of(house, owner).credentials.clear()


async def with_keys_inactive(house: House, owner: Goods) -> None:
    rows = rows_of(house, owner)
    rows.pots.clear()
    rows.credentials = {i: (replace(c, active=False), sealed) for i, (c, sealed) in rows.credentials.items()}


async def on_a_spent_quota(house: House, owner: Goods) -> None:
    """No key of its own; every model is paid by the platform's, whose quota is used up."""
    await _on_a_quota_of(house, owner, 0, Terms())


async def on_a_quota_for_other_models(house: House, owner: Goods) -> None:
    await _on_a_quota_of(house, owner, 100, Terms((ModelRef(ACME.id, "another", ModelType.LLM),)))


async def with_unreadable_keys(house: House, owner: Goods) -> None:
    """Every envelope is sealed for something else."""
    rows = rows_of(house, owner)
    rows.pots.clear()
    (key,) = rows.keys.values()
    for credential, _ in list(rows.credentials.values()):
        elsewhere = replace(credential, id=CredentialId(owner.client.id))
        rows.credentials[credential.id] = credential, await house.vault.seal(key, SealContext.of(elsewhere), {})


async def with_every_model_switched_off(house: House, owner: Goods) -> None:
    rows = rows_of(house, owner)
    for kind, name in MODELS.items():
        for switched in (ModelRef(ACME.id, name, kind), ModelRef(ACME.id, owner.words.custom_model, kind)):
            rows.disabled[switched] = NOW
    rows.disabled[ModelRef(HOME.id, owner.words.hosted_model, ModelType.LLM)] = NOW


async def with_keys_removed_elsewhere(house: House, owner: Goods) -> None:
    """Another worker removed every key a moment ago: this one still counts on them."""
    rows_of(house, owner).pots.clear()
    await house.run(FIELDS["models"].document({}), owner.actor())
    rows_of(house, owner).credentials.clear()


async def with_a_vendor_gone(house: House, owner: Goods) -> None:
    """The catalogue no longer has a vendor at which the tenant has a model and a key for it."""
    rows = rows_of(house, owner)
    for kind, name in MODELS.items():
        known = ModelRef(GONE, name, kind)
        rows.custom[known] = CustomModel(owner.tenant_id, known, name, NOW)
        key = a_credential(owner.tenant_id, name, GONE, known)
        pair = next(iter(rows.keys.values()))
        rows.credentials[key.id] = key, await house.vault.seal(pair, SealContext.of(key), {})


async def while_another_admin_sets_caps(house: House, _: Goods) -> None:
    """What this one has just read of caps is already out of date."""
    caps = replace(house.usecases.caps, begin=RacingStore(house.store).begin)
    house.usecases = replace(house.usecases, caps=caps)


async def while_calls_spend(house: House, _: Goods) -> None:
    """A call takes a unit just before each grant and revocation."""
    grants = replace(house.usecases.grants, ledger=BusyLedger(house.store))
    house.usecases = replace(house.usecases, grants=grants)


async def while_another_admin_replaces_keys(house: House, owner: Goods) -> None:
    """The form of every key is replaced while its vendor is asked about the one before."""
    updates = replace(house.usecases.credential_updates, gateway=_Meddling(rows_of(house, owner)))
    house.usecases = replace(house.usecases, credential_updates=updates)


class _Meddling(WillingGateway):
    def __init__(self, rows: TenantRows) -> None:
        super().__init__()
        self._rows = rows

    async def probe(self, provider: str, form: FormValues, model: ModelRef | None, **more: Any) -> None:
        found = self._rows.credentials.items()
        self._rows.credentials = {i: (replace(c, version=c.version + 1), envelope) for i, (c, envelope) in found}


class BusyLedger(FakeLedger):
    async def grant(self, grant: Grant, pot: Pot, deed: Deed) -> Pot:
        pots = self.store.rows[grant.tenant_id].pots
        if pot.id in pots:
            pots[pot.id] = replace(pots[pot.id], used=pots[pot.id].used + 1)
        return await super().grant(grant, pot, deed)


STATES: tuple[State, ...] = (
    as_it_is,
    without_keys,
    without_anything,
    with_keys_removed,
    with_keys_inactive,
    on_a_spent_quota,
    on_a_quota_for_other_models,
    with_unreadable_keys,
    with_every_model_switched_off,
    with_keys_removed_elsewhere,
    with_a_vendor_gone,
    while_another_admin_sets_caps,
    while_calls_spend,
    while_another_admin_replaces_keys,
)


async def _on_a_quota_of(house: House, owner: Goods, granted: int, terms: Terms) -> None:
    rows = rows_of(house, owner)
    rows.credentials.clear()
    rows.custom.clear()
    rows.defaults.clear()
    (pot,) = (pot for pot in rows.pots.values() if pot.kind is not PotKind.CAP)
    rows.pots = {pot.id: replace(pot, kind=PotKind.PAID, granted=granted, held=0, used=0, terms=terms)}

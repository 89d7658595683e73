"""Quotas as a tenant sees them, spends them call by call, and watches them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest

from domain.errors import Forbidden, NotFound, QuotaExhausted
from domain.model.access import Actor, Scope
from domain.model.calls import ChatCall, EmbedCall, Message, Role, TextPart
from domain.model.catalogue import Catalogue, Model, ModelType
from domain.model.events import ChatAnswer, Embeddings, Finish, FinishReason, Usage
from domain.model.ids import PotId
from domain.model.labels import Text
from domain.model.quota import POOL, Pot, PotKind, Terms, Trial, Unit
from domain.model.rerank import Ranked, RerankCall, Reranking
from domain.model.selection import KeySource, Platform
from domain.model.speech import Recording, SpeakCall, TranscribeCall, Transcript
from domain.model.usage import Job
from domain.usecases.credentials import NewCredential
from domain.usecases.inference import Inference
from domain.usecases.tenants import Tenants
from tests.fakes import FakeSpeech, Reply
from tests.unit.domain.samples import ACME, HOME, LLM, TENANT, TRIAL, a_cap, pot, ref
from tests.unit.usecases.house import House

ANSWER = ChatAnswer("Hello.", "", (), FinishReason(Finish.STOP, "stop"), Usage(9, 2))
HELLO = ChatCall((Message(Role.USER, (TextPart("hi"),)),), model=ref("old"))
KINDS = {kind: ref(kind.value, kind=kind) for kind in ModelType}
EVERY_TYPE = replace(
    ACME,
    types=frozenset(ModelType),
    models=tuple(Model(each, Text(each.name), max_output=50) for each in KINDS.values()),
)
FREE_FOR_ALL = Platform(Catalogue((EVERY_TYPE, HOME)), {}, frozenset({"acme"}))
POOLED = Trial(None, Unit.CREDITS, 500, (ref("old"),), {"acme/old": 3})


async def bring_key(house: House) -> None:
    await house.credentials.add(house.actor(), NewCredential("acme", "main", {"key": "own-key"}))


async def paid_by(house: House) -> KeySource:
    house.gateway.script.append(ANSWER)
    return (await house.inference.chat(house.actor(), HELLO)).receipt.paid_by


async def test_the_seeds_trial_exactly() -> None:
    house = House(granted=3)
    trial, own = KeySource.PLATFORM, KeySource.OWN
    assert await paid_by(house) is trial
    await bring_key(house)
    assert await paid_by(house) is own
    assert house.pot.free == 2
    await house.quotas.prefer(house.actor(), "acme", trial)
    assert [await paid_by(house) for _ in range(3)] == [trial, trial, own]
    (credential_id,) = house.rows(TENANT).credentials
    await house.credentials.remove(house.actor(), credential_id)
    with pytest.raises(QuotaExhausted):
        await house.inference.chat(house.actor(), HELLO)


async def test_removing_the_last_key_prefers_what_is_left_of_the_trial() -> None:
    house = House(granted=3)
    await bring_key(house)
    assert await paid_by(house) is KeySource.OWN
    (credential_id,) = house.rows(TENANT).credentials
    await house.credentials.remove(house.actor(), credential_id)
    assert await paid_by(house) is KeySource.PLATFORM
    assert house.pot.used == 1


async def test_paid_is_used_up_before_free_and_free_before_the_trial() -> None:
    house = House(granted=1)
    for number, kind in ((8, PotKind.FREE), (9, PotKind.PAID)):
        given = pot(1, kind=kind, number=number)
        house.rows(TENANT).pots[given.id] = given
    spent: list[PotKind] = []
    for _ in range(3):
        before = {p.id: p.used for p in house.rows(TENANT).pots.values()}
        await paid_by(house)
        spent += [p.kind for p in house.rows(TENANT).pots.values() if p.used > before[p.id]]
    assert spent == [PotKind.PAID, PotKind.FREE, PotKind.TRIAL]
    with pytest.raises(QuotaExhausted):
        await house.inference.chat(house.actor(), HELLO)


Ask = Callable[[Inference, Actor], Awaitable[object]]
CALLS: dict[str, tuple[Reply, Ask]] = {
    "chat": (ANSWER, lambda inference, actor: inference.chat(actor, replace(HELLO, model=KINDS[LLM]))),
    "naming": (ANSWER, lambda inference, actor: inference.chat(actor, replace(HELLO, model=KINDS[LLM]), Job.NAMING)),
    "suggestion": (
        ANSWER,
        lambda inference, actor: inference.chat(actor, replace(HELLO, model=KINDS[LLM]), Job.SUGGESTION),
    ),
    "embedding": (
        Embeddings(((1.0,),), Usage(2)),
        lambda inference, actor: inference.embed(actor, EmbedCall(("a",), KINDS[ModelType.EMBEDDING])),
    ),
    "rerank": (
        Reranking((Ranked(0, 1.0),), Usage(2)),
        lambda inference, actor: inference.rerank(actor, RerankCall("q", ("d",), KINDS[ModelType.RERANK])),
    ),
    "transcription": (
        Transcript("hi", Usage()),
        lambda inference, actor: inference.transcribe(
            actor, TranscribeCall(Recording("a.wav", "audio/wav", b"RIFF"), KINDS[ModelType.SPEECH_TO_TEXT])
        ),
    ),
    "speech": (
        FakeSpeech((b"a", b"b")),
        lambda inference, actor: inference.speak(actor, SpeakCall("hi", KINDS[ModelType.TEXT_TO_SPEECH])),
    ),
}


@pytest.mark.parametrize("job", CALLS)
async def test_letter_d_every_kind_of_call_on_the_platforms_key_is_metered(job: str) -> None:
    answer, ask = CALLS[job]
    house = House([answer], offer=FREE_FOR_ALL)
    quota = pot(1, kind=PotKind.FREE)
    house.rows(TENANT).pots[quota.id] = quota
    actor = house.actor()
    cap = a_cap(9, actor.client_id)
    house.rows(TENANT).caps[cap.id] = cap
    await ask(house.inference, actor)
    balances = {p.kind: (p.used, p.held) for p in house.rows(TENANT).pots.values()}
    assert balances == {PotKind.FREE: (1, 0), PotKind.CAP: (1, 0)}
    with pytest.raises(QuotaExhausted):
        await ask(house.inference, actor)
    assert len(house.gateway.asked) == 1


def test_letter_d_no_kind_of_call_is_left_out_of_that_test() -> None:
    assert set(CALLS) == {job.value for job in Job}


async def test_quotas_are_shown_with_the_terms_of_today_and_without_windows_of_caps() -> None:
    house = House()
    cap = a_cap(9, UUID(int=4))
    window = cap.window(house.clock())
    gone = pot(provider=None, number=8)
    paid = pot(kind=PotKind.PAID, number=9, terms=Terms((ref("best"),)))
    house.rows(TENANT).pots.update({p.id: p for p in (window, gone, paid)})
    shown = await house.quotas.all(house.actor())
    assert [(p.id.int, p.terms.models) for p in shown] == [(9, (ref("best"),)), (7, (ref("old"),)), (8, ())]


async def test_a_preference_needs_a_known_provider_and_the_right_to_set_it() -> None:
    house = House()
    with pytest.raises(NotFound, match="provider"):
        await house.quotas.prefer(house.actor(), "nobody", KeySource.OWN)
    with pytest.raises(Forbidden):
        await house.quotas.prefer(house.actor(Scope.QUOTAS_READ), "acme", KeySource.OWN)


async def test_a_new_tenant_gets_a_pot_for_each_trial_the_pool_among_them() -> None:
    house = House()
    offer = Platform(Catalogue((ACME, HOME)), {"acme": TRIAL, POOL: POOLED}, frozenset({"acme"}))
    tenants = Tenants(house.store.begin, house.vault, offer, house.clock, house.fresh, bytes)
    opened = await tenants.found("New")
    made = {(p.kind, p.provider, p.unit, p.granted) for p in house.rows(opened.tenant.id).pots.values()}
    assert made == {
        (PotKind.TRIAL, "acme", Unit.CALLS, 200),
        (PotKind.TRIAL, None, Unit.CREDITS, 500),
    }


async def test_credits_of_the_pool_trial_cost_the_weight() -> None:
    house = House([ANSWER], offer=Platform(Catalogue((ACME, HOME)), {POOL: POOLED}, frozenset({"acme"})))
    house.rows(TENANT).pots.clear()
    trial = pot(4, unit=Unit.CREDITS, provider=None)
    house.rows(TENANT).pots[trial.id] = trial
    await house.inference.chat(house.actor(), replace(HELLO, model=ref("newer")))
    assert (house.pot.used, house.pot.held) == (3, 0)
    with pytest.raises(QuotaExhausted) as refused:
        await house.inference.chat(house.actor(), HELLO)
    assert (refused.value.unit, refused.value.free, refused.value.asked) == ("credits", 1, 3)


class Watcher:
    """Notes what one subscriber is told."""

    def __init__(self, house: House, only: set[str] | None = None) -> None:
        self.told: list[list[int]] = []
        self.actor = house.actor()
        self.task = asyncio.create_task(self._watch(house, only))

    async def _watch(self, house: House, only: set[str] | None) -> None:
        async with house.quotas.watch(self.actor, only) as changes:
            async for pots in changes:
                self.told.append([p.used for p in pots])


def spend(house: House, quota: Pot, used: int) -> None:
    house.rows(TENANT).pots[quota.id] = replace(house.rows(TENANT).pots[quota.id], used=used)


async def test_a_watcher_is_told_at_once_and_then_of_changes_alone() -> None:
    house = House()
    watcher = Watcher(house)
    await house.pulse.beat()
    assert watcher.told == [[0]]
    await house.pulse.beat()
    await house.pulse.beat()
    assert watcher.told == [[0]]
    spend(house, house.pot, 1)
    await house.pulse.beat()
    assert watcher.told == [[0], [1]]
    watcher.task.cancel()


async def test_a_watcher_of_one_quota_is_not_told_of_others_nor_of_caps() -> None:
    house = House()
    other = pot(5, kind=PotKind.PAID, number=9)
    window = a_cap(9, UUID(int=4)).window(house.clock())
    house.rows(TENANT).pots.update({other.id: other, window.id: window})
    everything, one, none = Watcher(house), Watcher(house, {str(PotId(UUID(int=7)))}), Watcher(house, {"nonsense"})
    await house.pulse.beat()
    spend(house, other, 2)
    spend(house, window, 2)
    await house.pulse.beat()
    assert everything.told == [[0, 0], [2, 0]]
    assert one.told == [[0]]
    assert none.told == [[]]
    for watcher in (everything, one, none):
        watcher.task.cancel()


async def test_watching_needs_its_scope() -> None:
    house = House()
    with pytest.raises(Forbidden):
        house.quotas.watch(house.actor(Scope.MODELS_INVOKE))

"""A call: which key pays, what is held, and what is settled, however it ends."""

import asyncio
from dataclasses import replace

import pytest

from domain.errors import (
    CredentialUnreadable,
    DomainError,
    Forbidden,
    InvalidRange,
    NotPermitted,
    QuotaExhausted,
    StreamBroken,
    UnsupportedFeature,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from domain.model.access import Scope
from domain.model.calls import ChatCall, EmbedCall, ImagePart, Knobs, Message, Role, TextPart
from domain.model.credential import Sealed
from domain.model.events import (
    ChatAnswer,
    ChatEvent,
    Embeddings,
    Finish,
    Finished,
    FinishReason,
    TextDelta,
    Usage,
)
from domain.model.quota import Outcome, Unit
from domain.model.secret import Secret
from domain.model.selection import KeySource
from domain.usecases.credentials import NewCredential
from domain.usecases.inference import Receipt
from tests.unit.domain.samples import EMBEDDING, TENANT, ref
from tests.unit.usecases.house import House

STOP = FinishReason(Finish.STOP, "stop")
ANSWER = ChatAnswer("Hello.", "", (), STOP, Usage(9, 2))
HELLO = ChatCall((Message(Role.USER, (TextPart("hi"),)),), model=ref("old"))
PIECES: list[ChatEvent | DomainError] = [TextDelta("Hel"), TextDelta("lo."), Finished(STOP, Usage(9, 2))]


def outcomes(house: House) -> list[Outcome]:
    return [record.outcome for record in house.rows(TENANT).records.values()]


async def bring_key(house: House) -> None:
    await house.credentials.add(house.actor(), NewCredential("acme", "main", {"key": "own-key"}))


async def test_a_trial_call_costs_one_and_leaves_a_record() -> None:
    house = House([ANSWER])
    answered = await house.inference.chat(house.actor(), HELLO)
    assert answered.answer == ANSWER
    assert answered.receipt.paid_by is KeySource.PLATFORM
    assert house.gateway.targets[0].form == {"key": Secret("platform-key")}
    assert (house.pot.used, house.pot.held) == (1, 0)
    (record,) = house.rows(TENANT).records.values()
    assert (record.model, record.outcome, record.input_tokens) == (ref("old"), Outcome.SUCCEEDED, 9)
    assert record.credential_id is None


async def test_the_trial_runs_out_and_is_refused_with_its_numbers() -> None:
    house = House([ANSWER, ANSWER])
    for _ in range(2):
        await house.inference.chat(house.actor(), HELLO)
    with pytest.raises(QuotaExhausted) as refused:
        await house.inference.chat(house.actor(), HELLO)
    assert (refused.value.pot, refused.value.free, refused.value.asked) == ("trial", 0, 1)
    assert len(house.gateway.asked) == 2


async def test_the_own_key_takes_over_without_a_gap() -> None:
    house = House()
    await bring_key(house)
    await house.quotas.prefer(house.actor(), "acme", KeySource.PLATFORM)
    house.gateway.script.extend([ANSWER] * 4)
    paid = [(await house.inference.chat(house.actor(), HELLO)).receipt.paid_by for _ in range(4)]
    assert paid == [KeySource.PLATFORM, KeySource.PLATFORM, KeySource.OWN, KeySource.OWN]
    assert [t.form["key"] for t in house.gateway.targets] == [Secret("platform-key")] * 2 + [Secret("own-key")] * 2
    assert [t.tenant for t in house.gateway.targets] == [TENANT] * 4


@pytest.mark.parametrize(
    ("failure", "outcome", "used"),
    [
        (UpstreamRateLimited("acme", 429), Outcome.REFUSED, 0),
        (UpstreamUnavailable("acme", sent=False), Outcome.UNSENT, 0),
        (UpstreamTimeout("acme"), Outcome.BROKEN, 1),
        (StreamBroken("acme", 200), Outcome.BROKEN, 1),
        (InvalidRange("seed", "is too large"), Outcome.UNSENT, 0),
    ],
)
async def test_a_failure_is_charged_when_the_call_may_have_run(
    failure: DomainError, outcome: Outcome, used: int
) -> None:
    house = House([failure])
    with pytest.raises(type(failure)):
        await house.inference.chat(house.actor(), HELLO)
    assert outcomes(house) == [outcome]
    assert (house.pot.used, house.pot.held) == (used, 0)


async def test_tokens_are_held_at_their_bound_and_settled_at_their_count() -> None:
    house = House([ANSWER], granted=10_000, unit=Unit.TOKENS)
    await house.inference.chat(house.actor(), HELLO)
    sent = house.gateway.asked[0]
    assert isinstance(sent, ChatCall)
    assert sent.knobs.max_tokens == 100
    assert (house.pot.used, house.pot.held) == (11, 0)


async def test_a_bound_above_what_is_free_is_refused_unsent() -> None:
    house = House([ANSWER], granted=100, unit=Unit.TOKENS)
    with pytest.raises(QuotaExhausted) as refused:
        await house.inference.chat(house.actor(), replace(HELLO, knobs=Knobs(max_tokens=100)))
    assert refused.value.asked > 100
    assert house.gateway.asked == []


async def test_a_model_outside_the_trial_and_a_feature_it_lacks_are_refused_unsent() -> None:
    house = House()
    with pytest.raises(NotPermitted):
        await house.inference.chat(house.actor(), replace(HELLO, model=ref("best")))
    seen = Message(Role.USER, (ImagePart(url="https://x.example/i.png"),))
    with pytest.raises(UnsupportedFeature):
        await house.inference.chat(house.actor(), replace(HELLO, messages=(seen,)))
    assert (house.pot.used, house.pot.held) == (0, 0)


async def test_an_own_key_that_cannot_be_opened_fails_closed() -> None:
    house = House()
    await bring_key(house)
    rows = house.rows(TENANT)
    for credential_id, (credential, sealed) in rows.credentials.items():
        rows.credentials[credential_id] = credential, Sealed(sealed.key_id, b'["other", "context", {}]')
    with pytest.raises(CredentialUnreadable):
        await house.inference.chat(house.actor(), HELLO)
    assert house.gateway.targets == []


async def test_the_default_model_answers_when_none_is_named() -> None:
    house = House([ANSWER])
    answered = await house.inference.chat(house.actor(), replace(HELLO, model=None))
    assert answered.receipt.model == ref("newer")


async def test_a_stream_gives_a_receipt_then_its_events_and_is_settled() -> None:
    house = House([PIECES])
    async with house.inference.chat_stream(house.actor(), HELLO) as items:
        seen = [item async for item in items]
    assert isinstance(seen[0], Receipt)
    assert seen[1:] == PIECES
    await house.detached.drain(1)
    assert outcomes(house) == [Outcome.SUCCEEDED]
    assert house.pot.used == 1


async def test_a_reader_that_leaves_leaves_nothing_held() -> None:
    house = House([[*[TextDelta("x")] * 500, Finished(STOP, Usage(9, 500))]])
    async with house.inference.chat_stream(house.actor(), HELLO) as items:
        async for item in items:
            if isinstance(item, TextDelta):
                break
    await house.detached.drain(1)
    assert outcomes(house) == [Outcome.ABANDONED]
    assert (house.pot.used, house.pot.held) == (1, 0)


async def test_a_token_stream_is_read_on_to_its_count_when_the_reader_leaves() -> None:
    house = House([[*[TextDelta("x")] * 500, Finished(STOP, Usage(9, 50))]], granted=10_000, unit=Unit.TOKENS)
    async with house.inference.chat_stream(house.actor(), HELLO) as items:
        await anext(aiter(items))
    await house.detached.drain(1)
    assert outcomes(house) == [Outcome.SUCCEEDED]
    assert house.pot.used == 59


async def test_a_stream_that_breaks_says_so_after_what_it_gave() -> None:
    house = House([[TextDelta("Hel"), StreamBroken("acme", 200)]])
    seen: list[object] = []
    with pytest.raises(StreamBroken):
        async with house.inference.chat_stream(house.actor(), HELLO) as items:
            async for item in items:
                seen.append(item)
    assert TextDelta("Hel") in seen
    await house.detached.drain(1)
    assert outcomes(house) == [Outcome.BROKEN]


async def test_a_caller_that_is_cancelled_does_not_cancel_the_settlement() -> None:
    house = House([PIECES])
    waiting = asyncio.create_task(house.inference.chat(house.actor(), HELLO))
    while not house.gateway.asked:
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await house.detached.drain(1)
    assert outcomes(house) == [Outcome.SUCCEEDED]


async def test_embeddings_pass_the_same_ledger() -> None:
    house = House()
    await bring_key(house)
    house.gateway.script.append(Embeddings(((1.0, 0.0),), Usage(3, None)))
    answered = await house.inference.embed(house.actor(), EmbedCall(("a",)))
    assert answered.receipt.model == ref("vectors", kind=EMBEDDING)
    assert answered.answer.vectors == ((1.0, 0.0),)
    assert outcomes(house) == [Outcome.SUCCEEDED]


async def test_without_the_scope_nothing_is_asked() -> None:
    house = House([ANSWER])
    reader = house.actor(Scope.QUOTAS_READ)
    with pytest.raises(Forbidden):
        await house.inference.chat(reader, HELLO)
    with pytest.raises(Forbidden):
        await house.inference.embed(reader, EmbedCall(("a",)))
    with pytest.raises(Forbidden):
        async with house.inference.chat_stream(reader, HELLO):
            pytest.fail("it was let in")
    assert house.gateway.asked == []

"""What the records of calls promise, in memory, on SQLite and on PostgreSQL."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from uuid_utils.compat import uuid7

from domain.errors import InvalidRange, NotFound
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import CallId, ClientId, CredentialId
from domain.model.quota import Outcome
from domain.model.selection import KeySource
from domain.model.tenant import Tenant
from domain.model.usage import CallRecord, Cost, Job
from domain.model.usage_totals import CredentialUse, Dimension, Group, Span, UsageFilter, UsageTotal
from tests.belongings import MODEL, NOW, a_client, a_record, settled_in
from tests.stores import Store

DAY = timedelta(days=1)
LATELY = UsageFilter(Span(NOW - 30 * DAY, NOW + DAY))
VECTORS = ModelRef("acme", "vectors", ModelType.EMBEDDING)
SPEECH = ModelRef("other", "é|speech", ModelType.SPEECH_TO_TEXT)
BERLIN = ZoneInfo("Europe/Berlin")
APIA = ZoneInfo("Pacific/Apia")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
ZONES = (UTC, BERLIN, APIA, KATHMANDU, timezone(timedelta(hours=-9, minutes=-30)))


@pytest.fixture
async def tenant(store: Store) -> Tenant:
    return await settled_in(store.begin)


async def totals(
    store: Store, tenant: Tenant, *by: Dimension, which: UsageFilter = LATELY, zone: tzinfo = UTC
) -> Sequence[UsageTotal]:
    async with store.begin(tenant.id) as work:
        return await work.records.totals(which, by, zone)


async def page(store: Store, tenant: Tenant, which: UsageFilter = LATELY, first: int = 1_000) -> list[CallRecord]:
    async with store.begin(tenant.id) as work:
        return list(await work.records.page(which, first=first))


async def test_a_record_reads_back_as_it_was_settled(store: Store, tenant: Tenant) -> None:
    spoken = replace(
        a_record(tenant.id, model=SPEECH),
        credential_id=CredentialId(uuid7()),
        job=Job.TRANSCRIPTION,
        input_tokens=None,
        output_tokens=2**40,
        audio_ms=2**35,
        characters=7,
        cost=Cost(2**62, "JPY"),
    )
    plain = a_record(tenant.id)
    for record in (spoken, plain):
        await store.ledger.settle(record)
    async with store.begin(tenant.id) as work:
        assert await work.records.one(spoken.id) == spoken
        assert await work.records.one(plain.id) == plain


async def test_an_unknown_call_is_not_found(store: Store, tenant: Tenant) -> None:
    async with store.begin(tenant.id) as work:
        with pytest.raises(NotFound, match="call"):
            await work.records.one(CallId(uuid7()))


async def test_some_are_found_by_their_ids_and_unknown_ids_are_left_out(store: Store, tenant: Tenant) -> None:
    made = [a_record(tenant.id) for _ in range(3)]
    await store.leave(*made)
    async with store.begin(tenant.id) as work:
        found = await work.records.some({made[0].id, made[2].id, CallId(uuid7())})
        assert {each.id for each in found} == {made[0].id, made[2].id}
        assert await work.records.some(()) == []


async def test_records_come_newest_first_and_page_by_page(store: Store, tenant: Tenant) -> None:
    """Also those of one moment, and whatever the order in which they were written."""
    made = [a_record(tenant.id, at=NOW - timedelta(seconds=n // 3)) for n in range(10)]
    await store.leave(*random.Random(7).sample(made, len(made)))
    expected = sorted(made, key=lambda record: record.place, reverse=True)
    async with store.begin(tenant.id) as work:
        got = list(await work.records.page(LATELY, first=4))
        while more := await work.records.page(LATELY, first=4, after=got[-1].place):
            got += more
    assert got == expected


async def test_the_span_takes_its_start_and_not_its_end(store: Store, tenant: Tenant) -> None:
    instant = timedelta(microseconds=1)
    moments = [NOW - instant, NOW, NOW + DAY - instant, NOW + DAY]
    before, first, last, after = (a_record(tenant.id, at=moment) for moment in moments)
    await store.leave(before, first, last, after)
    which = UsageFilter(Span(NOW.astimezone(BERLIN), NOW + DAY))
    assert await page(store, tenant, which) == [last, first]
    (total,) = await totals(store, tenant, which=which)
    assert total.calls == 2


async def test_totals_add_everything_that_was_counted(store: Store, tenant: Tenant) -> None:
    heard = replace(a_record(tenant.id, model=SPEECH), input_tokens=None, output_tokens=None, audio_ms=1_500)
    spoken = replace(a_record(tenant.id, outcome=Outcome.BROKEN), characters=80, latency_ms=61)
    await store.leave(heard, spoken)
    assert await totals(store, tenant) == [
        UsageTotal(
            Group(),
            calls=2,
            succeeded=1,
            input_tokens=3,
            output_tokens=5,
            audio_ms=1_500,
            characters=80,
            cost_nanos=0,
            latency_ms=101,
        )
    ]


async def test_nothing_gives_no_totals(store: Store, tenant: Tenant) -> None:
    for by in ((), tuple(Dimension)):
        assert list(await totals(store, tenant, *by)) == []


async def test_money_is_never_added_across_currencies(store: Store, tenant: Tenant) -> None:
    costs = [Cost(1, "USD"), Cost(2**53 + 1, "USD"), Cost(5, "CNY"), Cost(0, "CNY"), None]
    await store.leave(*(replace(a_record(tenant.id), cost=cost) for cost in costs))
    found = await totals(store, tenant, Dimension.MODEL)
    assert [(t.group.model, t.cost, t.calls) for t in found] == [
        (MODEL, None, 1),
        (MODEL, Cost(5, "CNY"), 2),
        (MODEL, Cost(2**53 + 2, "USD"), 2),
    ]


async def test_a_day_is_that_of_the_zone_that_is_asked_for(store: Store, tenant: Tenant) -> None:
    """Berlin's 25th of October 2026 has 25 hours."""
    hours = [datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)]
    hours += [datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)]
    await store.leave(*(a_record(tenant.id, at=moment) for moment in hours))
    which = UsageFilter(Span(NOW - 60 * DAY, NOW))
    found = await totals(store, tenant, Dimension.DAY, which=which, zone=BERLIN)
    assert [(t.group.day, t.calls) for t in found] == [
        (date(2026, 10, 24), 1),
        (date(2026, 10, 25), 2),
        (date(2026, 10, 26), 1),
    ]
    in_utc = await totals(store, tenant, Dimension.DAY, which=which)
    assert [(t.group.day, t.calls) for t in in_utc] == [(date(2026, 10, 24), 2), (date(2026, 10, 25), 2)]


async def test_the_platforms_key_is_told_apart_from_each_of_the_tenants(store: Store, tenant: Tenant) -> None:
    mine = CredentialId(uuid7())
    await store.leave(a_record(tenant.id), replace(a_record(tenant.id), credential_id=mine), a_record(tenant.id))
    groups = {t.group: t.calls for t in await totals(store, tenant, Dimension.CREDENTIAL)}
    assert groups == {Group(paid_by=KeySource.PLATFORM): 2, Group(paid_by=KeySource.OWN, credential_id=mine): 1}


async def test_too_many_totals_are_refused(store: Store, tenant: Tenant) -> None:
    await store.leave(*(a_record(tenant.id) for _ in range(10_001)))
    with pytest.raises(InvalidRange, match="by"):
        await totals(store, tenant, Dimension.APPLICATION)
    (total,) = await totals(store, tenant)
    assert total.calls == 10_001


@pytest.mark.parametrize("seed", range(3))
async def test_pages_and_totals_agree_with_the_records_one_by_one(store: Store, tenant: Tenant, seed: int) -> None:
    chance = random.Random(seed)
    records = list(invented(chance, tenant, 150))
    await store.leave(*records)
    for _ in range(12):
        which, zone = any_filter(chance, records), chance.choice(ZONES)
        by = chance.sample(list(Dimension), chance.randint(0, len(Dimension)))
        fitting = [record for record in records if fits(record, which)]
        assert set(await page(store, tenant, which)) == set(fitting)
        found = await totals(store, tenant, *by, which=which, zone=zone)
        assert {total.group: sums(total) for total in found} == added_up(fitting, by, zone)
        assert [total.group.key for total in found] == sorted({total.group.key for total in found})


async def test_a_credential_was_last_used_when_it_was_last_sent(store: Store, tenant: Tenant) -> None:
    used, unsent, unused = (CredentialId(uuid7()) for _ in range(3))
    for credential, outcome, age in (
        (used, Outcome.SUCCEEDED, 500 * DAY),
        (used, Outcome.REFUSED, 3 * DAY),
        (used, Outcome.UNSENT, DAY),
        (unsent, Outcome.UNSENT, DAY),
        (None, Outcome.SUCCEEDED, DAY),
    ):
        await store.leave(replace(a_record(tenant.id, outcome=outcome, at=NOW - age), credential_id=credential))
    async with store.begin(tenant.id) as work:
        assert await work.records.last_used([used, unsent, unused]) == {used: NOW - 3 * DAY}
        assert await work.records.last_used([]) == {}


async def test_the_users_of_a_credential_are_told_with_how_often_and_when(store: Store, tenant: Tenant) -> None:
    one, other, unused = (CredentialId(uuid7()) for _ in range(3))
    shop, bot = (ClientId(uuid7()) for _ in range(2))
    for credential, client, outcome, age in (
        (one, shop, Outcome.SUCCEEDED, 2 * DAY),
        (one, shop, Outcome.BROKEN, 5 * DAY),
        (one, shop, Outcome.SUCCEEDED, 7 * DAY + timedelta(microseconds=1)),
        (one, bot, Outcome.SUCCEEDED, DAY),
        (one, bot, Outcome.UNSENT, DAY),
        (other, bot, Outcome.SUCCEEDED, 7 * DAY),
        (None, bot, Outcome.SUCCEEDED, DAY),
    ):
        record = replace(a_record(tenant.id, outcome=outcome, at=NOW - age), credential_id=credential, client_id=client)
        await store.leave(record)
    async with store.begin(tenant.id) as work:
        found = await work.records.users_of([one, other, unused], NOW - 7 * DAY)
        assert await work.records.users_of([], NOW) == {}
    assert {credential: list(uses) for credential, uses in found.items()} == {
        one: [CredentialUse(bot, 1, NOW - DAY), CredentialUse(shop, 2, NOW - 2 * DAY)],
        other: [CredentialUse(bot, 1, NOW - 7 * DAY)],
    }


async def test_clients_are_named_in_one_go(store: Store, tenant: Tenant) -> None:
    shop, bot = replace(a_client(tenant.id), name="shop"), replace(a_client(tenant.id), name="bot")
    async with store.begin(tenant.id) as work:
        await work.clients.add(shop)
        await work.clients.add(bot)
        assert await work.clients.names({shop.id, bot.id, ClientId(uuid7())}) == {shop.id: "shop", bot.id: "bot"}
        assert await work.clients.names(()) == {}


async def test_another_tenants_records_are_in_no_answer(store: Store, tenant: Tenant) -> None:
    credential = CredentialId(uuid7())
    hers = replace(a_record(tenant.id), credential_id=credential)
    client = replace(a_client(tenant.id), id=hers.client_id)
    await store.leave(hers)
    stranger = await settled_in(store.begin)
    async with store.begin(tenant.id) as work:
        await work.clients.add(client)
    async with store.begin(stranger.id) as work:
        records = work.records
        assert list(await records.page(LATELY, first=9)) == []
        assert list(await records.page(replace(LATELY, credential_id=credential), first=9)) == []
        assert list(await records.totals(LATELY, list(Dimension))) == []
        assert await records.last_used([credential]) == {}
        assert await records.users_of([credential], NOW - DAY) == {}
        assert await work.clients.names([client.id]) == {}
        with pytest.raises(NotFound):
            await records.one(hers.id)


def invented(chance: random.Random, tenant: Tenant, count: int) -> Iterator[CallRecord]:
    clients = [ClientId(uuid7()) for _ in range(3)]
    credentials = [None, *(CredentialId(uuid7()) for _ in range(2))]
    for _ in range(count):
        yield CallRecord(
            tenant.id,
            CallId(uuid7()),
            NOW - timedelta(hours=chance.randint(0, 24 * 40), minutes=chance.randint(0, 59)),
            chance.choice(clients),
            chance.choice(credentials),
            chance.choice((MODEL, VECTORS, SPEECH)),
            chance.choice(list(Outcome)),
            chance.choice((None, 0, chance.randint(0, 2**50))),
            chance.choice((None, chance.randint(0, 9))),
            chance.randint(0, 90_000),
            chance.choice(list(Job)),
            chance.choice((None, chance.randint(0, 9_999))),
            chance.choice((None, chance.randint(0, 9_999))),
            chance.choice((None, Cost(chance.randint(0, 2**50), "USD"), Cost(chance.randint(0, 99), "CNY"))),
        )


def any_filter(chance: random.Random, records: Sequence[CallRecord]) -> UsageFilter:
    """Each condition is there in one case of three."""
    like, ends = chance.choice(records), sorted(NOW - timedelta(hours=chance.randint(-1, 24 * 40)) for _ in range(2))
    span = Span(ends[0], ends[1] + timedelta(hours=1))
    return UsageFilter(
        span,
        models=frozenset(chance.choice(((), (), (like.model, VECTORS)))),
        providers=frozenset(chance.choice(((), (), ("acme",)))),
        client_id=chance.choice((None, None, like.client_id)),
        paid_by=chance.choice((None, None, like.paid_by)),
        credential_id=chance.choice((None, None, like.credential_id)),
        jobs=frozenset(chance.choice(((), (), (like.job, Job.CHAT, Job.RERANK)))),
        outcomes=frozenset(chance.choice(((), (), (like.outcome, Outcome.SUCCEEDED)))),
    )


def fits(record: CallRecord, which: UsageFilter) -> bool:
    wanted = [
        (which.models, record.model),
        (which.providers, record.model.provider),
        (which.client_id and {which.client_id}, record.client_id),
        (which.paid_by and {which.paid_by}, KeySource.OWN if record.credential_id else KeySource.PLATFORM),
        (which.credential_id and {which.credential_id}, record.credential_id),
        (which.jobs, record.job),
        (which.outcomes, record.outcome),
    ]
    in_time = which.span.since <= record.at < which.span.until
    return in_time and all(not allowed or value in allowed for allowed, value in wanted)


def added_up(records: Iterable[CallRecord], by: Sequence[Dimension], zone: tzinfo) -> dict[Group, list[int]]:
    found: defaultdict[Group, list[int]] = defaultdict(lambda: [0] * 8)
    for record in records:
        own = record.credential_id
        parts: dict[Dimension, dict[str, Any]] = {
            Dimension.DAY: {"day": record.at.astimezone(zone).date()},
            Dimension.MODEL: {"model": record.model},
            Dimension.APPLICATION: {"client_id": record.client_id},
            Dimension.CREDENTIAL: {"paid_by": KeySource.OWN if own else KeySource.PLATFORM, "credential_id": own},
            Dimension.JOB: {"job": record.job},
            Dimension.OUTCOME: {"outcome": record.outcome},
        }
        named = {name: value for dimension in by for name, value in parts[dimension].items()}
        row = found[Group(currency=record.cost.currency if record.cost else None, **named)]
        counts = (1, record.outcome is Outcome.SUCCEEDED, record.input_tokens, record.output_tokens)
        more = (record.audio_ms, record.characters, record.cost.nanos if record.cost else 0, record.latency_ms)
        for at, count in enumerate((*counts, *more)):
            row[at] += count or 0
    return dict(found)


def sums(total: UsageTotal) -> list[int]:
    counts = [total.calls, total.succeeded, total.input_tokens, total.output_tokens]
    return [*counts, total.audio_ms, total.characters, total.cost_nanos, total.latency_ms]

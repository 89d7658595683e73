"""A canary in every secret field of every vendor's form: whatever fails, and however the vendor tells the key, it is
found nowhere."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from domain.model.catalogue import ModelType
from infrastructure.db.engine import open_engine
from infrastructure.db.tables import metadata
from infrastructure.db.work import begin
from infrastructure.providers.registry import ADAPTERS
from tests.belongings import a_tenant
from tests.canary import Flock, written
from tests.databases import Urls
from tests.e2e.nest import ASKED, HELLO, OPERATIONS, Holder, Nest, Witness, portunus, settings
from tests.stubs.echoes import MOODS, TELLING, Moody
from tests.stubs.serve import serving

READ = ("credentials", "calls", "quotas", "providers", "models", "defaultModels")
FULLY = "openai"
"""The vendor of which everything is asked, credentials included."""
TALKERS = ("anthropic", "gemini", "cohere", "ollama", "aws_bedrock", "amazon_sagemaker", "tongyi")
"""One of each other dialect and framing, whose models meet every mood that is not heavy, in every way to ask them."""
GROUPS = [tuple(ADAPTERS)[at : at + 6] for at in range(0, len(ADAPTERS), 6)]
STRANGE = frozenset({("text_embedding_inference", ModelType.RERANK)})
"""What the obliging stub cannot play: such keys are told when they are checked."""
HEAVY = {"huge", "slow", "endless", "lingering"}
"""What takes a second, or megabytes, to fail; only the first vendor does."""


class Heard(logging.Handler):
    """Every record of every logger, and the locals of the exception it tells of; searched now and then, and dropped."""

    def __init__(self, flock: Flock) -> None:
        super().__init__(logging.DEBUG)
        self.flock, self.lines, self.count = flock, list[str](), 0
        self.found: list[tuple[list[str], bytes]] = []

    def leaks(self) -> list[tuple[list[str], bytes]]:
        """All that was found since it listens."""
        self.found += self.flock.found_among(line.encode(errors="replace") for line in self.lines)
        self.count += len(self.lines)
        self.lines.clear()
        return self.found

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if record.exc_info and record.exc_info[1]:
            told = traceback.TracebackException.from_exception(record.exc_info[1], capture_locals=True)
            self.lines.extend(told.format())
        if len(self.lines) > 10_000:
            self.leaks()


async def fail(witness: Witness, nest: Nest, holder: Holder) -> None:
    """Everything that calls a vendor, or shows what came of it, with one credential."""
    adapter, chosen = holder.adapter, {"input": {"id": holder.credential}}
    anew = {"input": {"id": holder.credential, "fields": nest.anew(adapter)}}
    checked = {"provider": adapter.id, "fields": nest.form(adapter), **holder.hosted}
    await asyncio.gather(
        call(witness, holder),
        witness.ask("verifyCredential", chosen),
        witness.ask("checkCredentialUpdate", anew),
        witness.ask("updateCredential", anew),
        witness.ask("checkCredential", {"input": checked}),
        witness.ask("addCredential", {"input": {**checked, "name": "another"}}),
        witness.ask("listVendorModels", {"input": {"provider": adapter.id, "credential": holder.credential}}),
        witness.ask("importModels", {"input": {"provider": adapter.id, "models": [{"name": "x"}]}}),
        witness.ask("planCall", {"input": {"type": holder.types[0].name, "model": holder.model}}),
        witness.ask("credential", {"id": holder.credential}),
    )


async def call(witness: Witness, holder: Holder, *, most: int = 3) -> None:
    """Ask its models of each type, in up to so many ways."""
    names = [name for kind in holder.types for name in OPERATIONS[kind][:most]]
    given = [{"input": {**ASKED[name], "model": holder.model}} for name in names]
    await asyncio.gather(*(witness.ask(n, g, file=n == "transcribe") for n, g in zip(names, given, strict=True)))


async def rows(urls: Urls) -> AsyncIterator[bytes]:
    """Every value of every row of every table, as its owner sees them."""
    engine = open_engine(urls.owner)
    async with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(select(table)):
                for value in row:
                    yield value if isinstance(value, bytes) else json.dumps(value, default=str).encode()
    await engine.dispose()


@contextmanager
def listening(flock: Flock) -> Iterator[Heard]:
    """To every logger, at DEBUG, and alone: what else listens would keep every line."""
    heard, root = Heard(flock), logging.getLogger()
    level, others = root.level, root.handlers[:]
    root.handlers[:] = [heard]
    root.setLevel(logging.DEBUG)
    try:
        yield heard
    finally:
        root.handlers[:] = others
        root.setLevel(level)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("vendors", GROUPS, ids=lambda group: group[0])
async def test_no_key_is_told_in_an_answer_a_log_or_a_row(sqlite_urls: Urls, vendors: Sequence[str]) -> None:
    await nothing_is_told(sqlite_urls, vendors)


@pytest.mark.timeout(300)
async def test_no_key_is_told_on_postgres(postgres_urls: Urls) -> None:
    await nothing_is_told(postgres_urls, ("openai",))


async def nothing_is_told(urls: Urls, vendors: Sequence[str]) -> None:
    flock, stub = Flock(), Moody()
    with listening(flock) as heard, capture_logs() as structured:
        async with serving(stub) as address, portunus(urls, settings(urls, flock, address), address) as http:
            witness, nest = Witness(http), Nest(address, flock, STRANGE)
            for name in vendors:
                await nest.fill(witness, ADAPTERS[name])
            for mood in MOODS:
                stub.mood = mood
                await misbehave(witness, nest, mood)
            await read(witness)
    stored = [value async for value in rows(urls)]
    assert flock.found_among([*witness.answers, *(repr(line).encode() for line in structured)]) == []
    assert heard.leaks() == []
    assert flock.found_among(stored) == []
    assert sum(bool(flock.found_in(key.encode())) for key in stub.keys) > 100
    assert min(len(witness.answers), heard.count, len(stored)) > 100


async def misbehave(witness: Witness, nest: Nest, mood: str) -> None:
    """The first vendor is asked for everything, those of other ways to talk for all answers; all tell their keys."""
    full = [h for h in nest.holders if h.adapter.id == FULLY]
    talking = [h for h in nest.holders if h.adapter.id in TALKERS and mood not in HEAVY]
    brief = [h for h in nest.holders if h not in [*full, *talking] and mood in TELLING]
    trial = {"input": {"messages": HELLO, "model": {"provider": "openai", "name": "gpt-3.5-turbo"}}}
    fully = (fail(witness, nest, each) for each in full)
    await asyncio.gather(*fully, *(call(witness, each) for each in talking), witness.ask("chat", trial))
    if mood not in HEAVY:
        await asyncio.gather(*(call(witness, each, most=1) for each in brief if each.credential))
        await asyncio.gather(*(prove(witness, nest, each) for each in [*talking, *brief]))


async def prove(witness: Witness, nest: Nest, holder: Holder) -> None:
    """Have a vendor look at the key that is stored, or at another one that is not."""
    if holder.credential:
        await witness.ask("verifyCredential", {"input": {"id": holder.credential}})
        return
    fields = nest.form(holder.adapter, holder.types[0] if holder.hosted else None)
    await witness.ask("checkCredential", {"input": {"provider": holder.adapter.id, "fields": fields, **holder.hosted}})


async def read(witness: Witness) -> None:
    """All that can be read of what has happened."""
    for name in READ:
        await witness.ask(name)
    for path in ("/metrics", "/readyz", "/usage.csv", "/usage.jsonl"):
        await witness.look(path)


@pytest.mark.parametrize("text", list(written(Flock("5ca1ab1e5ca1ab", "0ddba11c0ffee1").canary())))
def test_the_search_finds_a_canary_however_it_is_written(text: str) -> None:
    flock = Flock("5ca1ab1e5ca1ab", "0ddba11c0ffee1")
    assert flock.found_among([b"before", f"xyz {text} zyx".encode(), b"after"])
    assert not flock.found_among([b"before", b"after"])


async def test_what_a_canary_is_planted_in_is_searched(sqlite_urls: Urls, caplog: pytest.LogCaptureFixture) -> None:
    """In the locals of an exception that is logged, and in a row."""
    flock = Flock()
    with listening(flock) as heard:
        planted(flock.canary())
    assert heard.leaks()
    tenant = replace(a_tenant(), name=flock.canary())
    engine = open_engine(sqlite_urls.app)
    async with begin(engine)(tenant.id) as work:
        await work.tenants.add(tenant)
    await engine.dispose()
    assert flock.found_among([value async for value in rows(sqlite_urls)])


def planted(secret: str) -> None:
    try:
        raise ValueError("nothing to see here")
    except ValueError:
        held = secret
        logging.getLogger("portunus").exception("it failed")
        del held

"""Processes that spend a pot, for tests that need several at once, or some to kill."""

import asyncio
import multiprocessing
import os
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.errors import QuotaExhausted, UpstreamError
from domain.model.access import TENANT_SCOPES, Actor
from domain.model.catalogue import Catalogue, Model, ModelRef, ModelType
from domain.model.ids import ClientId, TenantId
from domain.model.labels import Text
from domain.model.quota import Pot, Trial, Unit
from domain.model.selection import Platform
from domain.ports import Ledger
from domain.usecases.inference import Inference
from domain.usecases.metering import Metering
from infrastructure.background import Detached
from infrastructure.db.engine import open_engine
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.work import begin
from infrastructure.keyring import LeasedKeyring
from infrastructure.providers.gateway import HttpGateway
from infrastructure.standing import LeasedStanding
from tests.belongings import a_hold, a_record, costs, later
from tests.fakes import FakeVault
from tests.gateways import gateway
from tests.stubs import plain

T = TypeVar("T")

OPEN, SERVED, FAILED, REFUSED, REFUSED_FALSELY = b"o", b"s", b"f", b"r", b"!"
"""What a process writes into its report: once that its customers may call, then what became of each call.

One is refused falsely when enough was free.
"""

MODEL = ModelRef("plain", "stub-chat", ModelType.LLM)
TRIAL = Trial("plain", Unit.CALLS, 0, (MODEL,))

_calling: ContextVar[UUID] = ContextVar("call")
_AGAIN = 0.25
_CONNECTIONS = 4

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__, "tests.stubs.billing", "tests.quota_proof", "tests.databases"])


def started(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process of its own that runs `work`; its imports are shared, so that it starts at once."""
    process = _PROCESSES.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def crowd(url: str, pot: Pot, report: Path) -> None:
    """200 callers at one moment; `report` then says how many were served."""

    async def one(ledger: Ledger) -> bool:
        hold = a_hold((pot, 1))
        try:
            await ledger.hold(hold)
        except QuotaExhausted:
            return False
        await ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 1))
        return True

    async def all_of_them(engine: AsyncEngine) -> int:
        return sum(await asyncio.gather(*(one(ledger_on(engine)) for _ in range(200))))

    report.write_text(str(asyncio.run(_with_engine(url, all_of_them))))


@dataclass(frozen=True, slots=True)
class Errand:
    """What a process of customers is sent for: calls to the vendor at `vendor`, one after another per customer."""

    database: str
    vendor: str
    tenant_id: TenantId
    client_id: ClientId
    report: Path
    customers: int
    hold_for: timedelta


def customers(errand: Errand) -> None:
    """Call after call, until the process is killed."""

    async def one(inference: Inference) -> None:
        while True:
            said = await _call(inference, errand)
            os.write(report, said)
            await asyncio.sleep(_AGAIN if said in (REFUSED, REFUSED_FALSELY) else 0)

    async def all_of_them(engine: AsyncEngine) -> None:
        async with gateway() as outward, asyncio.TaskGroup() as group:
            inference = _inference(engine, outward, errand)
            os.write(report, OPEN)
            for _ in range(errand.customers):
                group.create_task(one(inference))

    report = os.open(errand.report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    asyncio.run(_with_engine(errand.database, all_of_them))


async def _call(inference: Inference, errand: Errand) -> bytes:
    """What became of one call, whose id is its prompt."""
    call_id = uuid7()
    _calling.set(call_id)
    actor = Actor(errand.tenant_id, errand.client_id, TENANT_SCOPES, later())
    try:
        await inference.chat(actor, replace(plain.asking(call_id.hex), model=MODEL))
    except QuotaExhausted as refused:
        return REFUSED if refused.free < refused.asked else REFUSED_FALSELY
    except UpstreamError:
        return FAILED
    return SERVED


def _inference(engine: AsyncEngine, outward: HttpGateway, errand: Errand) -> Inference:
    """The use case as it is served, on a platform's key at the plain vendor."""
    work = begin(engine)
    model = Model(MODEL, Text("Stub"))
    platform = Platform(Catalogue((plain.adapter().provider((model,)),)), {"plain": TRIAL}, frozenset({"plain"}))
    keyring = LeasedKeyring(work, FakeVault(), _now, {"plain": plain.target(errand.vendor).form})
    standing = LeasedStanding(work, _now)
    metering = Metering(work, standing, platform, keyring, ledger_on(engine), _now, _calling.get, errand.hold_for)
    return Inference(metering, outward, Detached())


def _now() -> datetime:
    return datetime.now(UTC)


async def _with_engine(url: str, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    engine = open_engine(url, pool_size=_CONNECTIONS)
    try:
        return await work(engine)
    finally:
        await engine.dispose()

"""Limits for tests: wide ones, of which a test narrows what it is about."""

from dataclasses import replace
from typing import Any

from api.traffic.gate import Gate, Limits
from domain.model.allowance import Allowance
from tests.fakes import FakeSeconds

WIDE = Limits(
    client_cost=Allowance(10_000, 500),
    tenant_cost=Allowance(20_000, 1_000),
    client_rate=Allowance(10_000, 1_000),
    tenant_rate=Allowance(10_000, 1_000),
    client_concurrency=1_000,
    tenant_concurrency=1_000,
    places=2_000,
    waiting=1_000,
    waiting_seconds=60,
)


def gate(clock: FakeSeconds | None = None, **narrow: Any) -> Gate:
    """A gate where time stands still unless a clock is given."""
    return Gate(replace(WIDE, **narrow), clock or FakeSeconds())

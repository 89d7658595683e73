"""Workers that are killed at any moment: no call is given away, none is charged twice, and no hold stays behind."""

import os
import random
from pathlib import Path

import pytest

from tests.databases import Urls
from tests.quota_proof import Plan, proved


@pytest.mark.timeout(300)
async def test_killed_workers_give_nothing_away(postgres_urls: Urls, tmp_path: Path) -> None:
    seed = int(os.environ.get("PORTUNUS_SEED") or random.randrange(2**32))
    print(f"PORTUNUS_SEED={seed}")  # noqa: T201 - shown when it fails
    plan = Plan(seed)
    assert (plan.processes, plan.processes * plan.customers, plan.kills) >= (4, 64, 50)
    figure = await proved(postgres_urls, plan, tmp_path)
    print(figure)  # noqa: T201
    assert figure.faults() == [], str(figure)

"""`make prove-quota`: spend pots on PostgreSQL while the spenders are killed, and print what the books say."""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from pathlib import Path

from tests.databases import migrated, postgres
from tests.quota_proof import Figure, Plan, proved

_PATIENCE = 900.0


def main() -> int:
    """One run per seed; PORTUNUS_SEED names the only one. The status is 1 when a run contradicts the promise."""
    asked = _arguments()
    named = os.environ.get("PORTUNUS_SEED")
    seeds = [int(named)] if named else [random.randrange(2**32) for _ in range(asked.runs)]
    with tempfile.TemporaryDirectory(prefix="portunus-") as home, postgres(Path(home)) as urls:
        asyncio.run(migrated(urls))
        plans = [Plan(seed, asked.kills, asked.processes, asked.clients, longest_seconds=_PATIENCE) for seed in seeds]
        figures = []
        for plan in plans:
            folder = Path(home) / str(plan.seed)
            folder.mkdir()
            figures.append(asyncio.run(proved(urls, plan, folder)))
            print(figures[-1], "\n", _verdict(figures[-1]), "\n", sep="", flush=True)  # noqa: T201 - its purpose
    return int(any(figure.faults() for figure in figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.prove_quota", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs, each with a seed of its own (default 3)")
    parser.add_argument("--kills", type=int, default=100, help="SIGKILLs while the pot is spent (default 100)")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--clients", type=int, default=16, help="clients per process (default 16)")
    return parser.parse_args()


def _verdict(figure: Figure) -> str:
    faults = figure.faults()
    repeat = f"repeat with PORTUNUS_SEED={figure.plan.seed} make prove-quota"
    return f"  BROKEN: {'; '.join(faults)}; {repeat}" if faults else "  holds"


if __name__ == "__main__":
    sys.exit(main())

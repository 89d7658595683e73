"""`python -m bench`: rounds in which the targets take turns, then one table of medians and the ratios between them."""

import argparse
import contextlib
import os
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import uvloop

from bench.house import portunus
from bench.load import Seen, Shot, fire
from bench.processes import MEASURED_CORE, OTHER_CORE, Server, uvicorn
from bench.shots import Case, cases


@dataclass(frozen=True, slots=True)
class Result:
    seen: Seen
    cpu: float

    def cpu_per_thousand(self) -> float:
        return 1_000 * self.cpu / len(self.seen.latencies)


async def measure(shot: Shot, server: Server, case: Case) -> Result:
    await fire(shot, clients=min(8, case.clients), requests=min(50, case.requests))
    before = server.cpu_seconds()
    seen = await fire(shot, clients=case.clients, requests=case.requests)
    return Result(seen, server.cpu_seconds() - before)


def print_case(case: Case, results: dict[str, list[Result]]) -> None:
    print(f"\n{case.title}: {case.clients} clients, {case.requests} requests a round")
    print(f"  {'target':<14}{'per s':>9}{'p50 ms':>9}{'p99 ms':>9}{'first ms':>10}{'CPU s / 1,000':>15}")
    for target, rounds in results.items():
        firsts = [1_000 * statistics.median(r.seen.firsts) for r in rounds if r.seen.firsts]
        columns = [
            f"{statistics.median(r.seen.rate() for r in rounds):9.0f}",
            f"{statistics.median(r.seen.quantile(50) for r in rounds):9.1f}",
            f"{statistics.median(r.seen.quantile(99) for r in rounds):9.1f}",
            f"{statistics.median(firsts):10.1f}" if firsts else " " * 10,
            f"{statistics.median(r.cpu_per_thousand() for r in rounds):15.3f}",
        ]
        print(f"  {target:<14}{''.join(columns)}")
    print_ratio(results)


def print_ratio(results: dict[str, list[Result]]) -> None:
    if "pass-through" in results:
        pairs = zip(results["portunus"], results["pass-through"], strict=True)
        ratio = statistics.median(ours.cpu / theirs.cpu for ours, theirs in pairs)
        print(f"  portunus / pass-through, CPU: {ratio:.2f}")


@contextlib.contextmanager
def servers(home: Path) -> Iterator[dict[str, Server]]:
    with contextlib.ExitStack() as stack:
        stub = stack.enter_context(
            uvicorn("bench.stub:app", {}, home / "stub.log", ready="/v1/models", core=OTHER_CORE)
        )
        forward = stack.enter_context(
            uvicorn(
                "bench.passthrough:app",
                {"BENCH_UPSTREAM": f"{stub.url}/"},
                home / "passthrough.log",
                ready="/v1/models",
                core=MEASURED_CORE,
            )
        )
        ours = stack.enter_context(portunus(home, stub.url))
        yield {"direct": stub, "pass-through": forward, "portunus": ours}


def run(rounds: int, scale: float) -> None:
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as targets:
        ours = targets["portunus"]
        print(f"idle: {ours.resident_megabytes():.0f} MB resident")
        for case in cases({name: server.url for name, server in targets.items()}, scale):
            results: dict[str, list[Result]] = {target: [] for target in case.shots}
            for _ in range(rounds):
                for target, shot in case.shots.items():
                    results[target].append(uvloop.run(measure(shot, targets[target], case)))
            print_case(case, results)
        print(f"\nafter the load: {ours.resident_megabytes():.0f} MB resident")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of requests")
    arguments = parser.parse_args()
    psutil.Process(os.getpid()).cpu_affinity([OTHER_CORE % (os.cpu_count() or 1)])
    run(arguments.rounds, arguments.scale)


if __name__ == "__main__":
    main()

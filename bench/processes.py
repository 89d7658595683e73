"""Servers of the benchmark: each its own process, the measured one on a core of its own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from demo.servers import ROOT, free_port, wait_for

MEASURED_CORE = 0
OTHER_CORE = 1


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def resident_megabytes(self) -> float:
        return float(psutil.Process(self.pid).memory_info().rss) / 1e6


@contextlib.contextmanager
def uvicorn(app: str, environment: Mapping[str, str], log: Path, *, ready: str, core: int) -> Iterator[Server]:
    """An ASGI app under uvicorn with uvloop and httptools, pinned to one core."""
    arguments = ["-m", "uvicorn", app, "--no-access-log", "--log-level", "warning", "--backlog", "4096"]
    with serving(arguments, environment, log, ready=ready, core=core) as server:
        yield server


@contextlib.contextmanager
def serving(
    arguments: list[str], environment: Mapping[str, str], log: Path, *, ready: str, core: int
) -> Iterator[Server]:
    """A Python server that takes --host and --port, pinned to one core, ended on the way out."""
    port = free_port()
    command = [sys.executable, *arguments, "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output:
        child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output, cwd=ROOT)
        try:
            psutil.Process(child.pid).cpu_affinity([core % (os.cpu_count() or 1)])
            wait_for(f"http://127.0.0.1:{port}{ready}", log)
            yield Server(f"http://127.0.0.1:{port}", child.pid)
        finally:
            child.terminate()
            child.wait(20)

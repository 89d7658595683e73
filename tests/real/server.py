"""A model server out of .real, as a process of its own for as long as a test needs it."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

_PATIENCE = 90.0
_GRACE = 20.0


@contextmanager
def listening(command: list[str], settings: Mapping[str, str], health: str, folder: Path) -> Iterator[None]:
    """From the moment that `health` answers 200. Of this process's environment it sees PATH alone."""
    log = folder / "server.log"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **settings}
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
        try:
            _wait_until_loaded(health, process, log)
            yield
        finally:
            _end(process)


def _wait_until_loaded(health: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _listens(health):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start; the end of its log:\n{log.read_text()[-2_000:]}")
        time.sleep(0.2)


def _listens(health: str) -> bool:
    try:
        with urlopen(health, timeout=5) as answer:  # noqa: S310 - the server's own http address
            return bool(answer.status == 200)
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asked first: Triton has processes and shared memory to clear away."""
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

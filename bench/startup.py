"""`python -m bench.startup`: the user time of commands, and of serving until it is ready; the least of some runs."""

import argparse
import base64
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from demo.servers import ROOT, free_port, running, wait_for

COMMANDS = (["--help"], ["migrate"], ["providers"], ["open-tenant", "Acme"])


def command(environment: Mapping[str, str], *arguments: str) -> float:
    """User seconds of one `portunus` command."""
    call, own = [sys.executable, "-m", "api.cli", *arguments], {**os.environ, **environment}
    child = subprocess.Popen(call, env=own, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"portunus {' '.join(arguments)} ended with {child.returncode}")
    return used.ru_utime


def serve(environment: Mapping[str, str], log: Path) -> float:
    """User seconds of a server until its first answer on /readyz."""
    port = free_port()
    with running(["-m", "api.cli", "serve", "--port", str(port)], environment, log) as process:
        wait_for(f"http://127.0.0.1:{port}/readyz", log)
        return float(psutil.Process(process.pid).cpu_times().user)


def show(name: str, rounds: int, run: Callable[[], float]) -> None:
    """The first run is not counted: it compiles what it imports."""
    first = run()
    print(f"  {name:<24}{min(run() for _ in range(rounds)):8.2f}{first:12.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PORTUNUS_DATABASE_URL": f"sqlite:///{folder}/portunus.db",
            "PORTUNUS_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "PYTHONPYCACHEPREFIX": f"{folder}/bytecode",
            "PYTHONDONTWRITEBYTECODE": "",
        }
        print(f"  {'portunus':<24}{'user s':>8}{'at first':>12}")
        for arguments in COMMANDS:
            show(" ".join(arguments), rounds, lambda arguments=arguments: command(environment, *arguments))
        show("serve, until ready", rounds, lambda: serve(environment, Path(folder) / "serve.log"))


if __name__ == "__main__":
    main()

"""The processes of the demo: the model servers and Portunus itself, each on loopback, each ended with the demo."""

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2

ROOT = Path(__file__).parent.parent
MODEL_KEY = "sk-the-right-key-of-the-demo"
START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def has_real_model() -> bool:
    return importlib.util.find_spec("xllamacpp") is not None


@contextlib.contextmanager
def model_server(log: Path, *, embed: bool, stub: bool) -> Iterator[str]:
    """llama.cpp with the tiny model, or a stub in its place; yields the base URL up to /v1."""
    port = free_port()
    if stub:
        command = ["-m", "demo.stub", str(port), "--key", MODEL_KEY]
    else:
        command = [str(ROOT / "assets/tiny_model/serve.py"), str(port), "--key", MODEL_KEY]
        command += ["--embed"] if embed else []
    with running(command, {}, log):
        wait_for(f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1"


@contextlib.contextmanager
def running(arguments: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Python child process, asked to stop on the way out and ended if it does not."""
    with log.open("w") as output:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=ROOT,
        )
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()


def wait_for(url: str, log: Path) -> None:
    """Return when `url` answers 200; RuntimeError with the end of the server's log when it does not in time."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(url, trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"no answer from {url}; the end of {log}:\n" + log.read_text()[-2_000:])

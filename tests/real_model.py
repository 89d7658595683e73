"""A real model on loopback: llama.cpp with the tiny model of assets/, for as long as a test needs it."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

SERVER = Path(__file__).parents[1] / "assets" / "tiny_model" / "serve.py"
KEY = "sk-tiny-model-key"
DIMENSIONS = 64

_RANKER = Path(__file__).parent / "data" / "tiny-rank.gguf"
_PATIENCE = 30.0


@contextmanager
def model_server(*, embed: bool = False, rank: bool = False, key: str = KEY) -> Iterator[str]:
    """The base URL (without /v1) of a server that has its model loaded and demands `key`.

    It chats, calls the tool get_weather, and has a context of 2,048 tokens; with `embed` it embeds instead.
    With `rank` it ranks by random weights, a Qwen3 of two layers with a head of one label.
    """
    mode = ["--embed"] if embed else ["--rank", str(_RANKER)] if rank else []
    command = [sys.executable, str(SERVER), "--key", key, *mode]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                log.seek(0)
                raise RuntimeError(f"the model server did not start:\n{log.read()}")
            _wait_until_healthy(url)
            yield url
        finally:
            process.terminate()


def _wait_until_healthy(url: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _healthy(url):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the model server loaded nothing within {_PATIENCE:g} seconds")
        time.sleep(0.02)


def _healthy(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 - the server's own http address
            return bool(answer.status == 200)
    except HTTPError as loading:
        loading.close()
        return False
    except ConnectionError:
        return False

"""Triton Inference Server with the models of triton_models, on loopback, out of .real, as long as a test needs it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.servers import ROOT, free_port
from tests.real.server import listening

HOME = ROOT / ".real" / "triton"
MODELS = Path(__file__).parent / "triton_models"

_SERVER = "lib/python3.*/site-packages/pytriton/tritonserver"


@contextmanager
def triton(folder: Path) -> Iterator[str]:
    """The base URL (without /v2) of a server that demands no key and loads and unloads models when told to.

    `ensemble` answers in one piece, `stream_llm` word by word; both fail at BOOM. `embedder` is no language model.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with listening(_command(port), _settings(), f"{url}/v2/health/ready", folder):
        yield url


def _command(port: int) -> list[str]:
    server = next(HOME.glob(_SERVER), None)
    if server is None:
        raise RuntimeError("Triton is not in .real: `make test-real` puts it there")
    options = {
        "model-repository": MODELS,
        "model-control-mode": "explicit",
        "load-model": "*",
        "backend-directory": server / "backends",
        "backend-config": f"python,shm-region-prefix-name=triton_{port}",
        "http-address": "127.0.0.1",
        "http-port": port,
        "allow-grpc": "false",
        "allow-metrics": "false",
    }
    return [str(server / "bin" / "tritonserver"), *(f"--{name}={value}" for name, value in options.items())]


def _settings() -> dict[str, str]:
    """Its models run on the first python3 of PATH, in a process that needs the shared library of that very Python."""
    library = (HOME / "bin" / "python3").resolve().parent.parent / "lib"
    return {
        "PATH": f"{HOME / 'bin'}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(library),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

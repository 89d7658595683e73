"""Stands in for the model server where llama.cpp's wheel does not install: prepared words instead of a model's."""

import argparse

import uvicorn

from tests.stubs import asgi
from tests.stubs.asgi import Receive, Scope, Send
from tests.stubs.vendor import Vendor


class Stub:
    """The vendor that the tests use, and /health."""

    def __init__(self, key: str) -> None:
        self.vendor = Vendor(keys=(key,))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/health":
            await asgi.json(send, 200, {"status": "ok"})
        else:
            await self.vendor(scope, receive, send)


def main() -> None:
    parser = argparse.ArgumentParser(prog="demo.stub", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--key", required=True)
    arguments = parser.parse_args()
    uvicorn.run(Stub(arguments.key), host="127.0.0.1", port=arguments.port, lifespan="off", log_level="warning")


if __name__ == "__main__":
    main()

"""One Host header, no more and no less (RFC 9112, section 3.2): the server's parser lets both mistakes through."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class OneHost:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and sum(name == b"host" for name, _ in scope["headers"]) != 1:
            await JSONResponse({"error": "Send exactly one Host header."}, 400)(scope, receive, send)
            return
        await self.app(scope, receive, send)

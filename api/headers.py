"""What every answer says to browsers and caches beside its own words."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN = (b"/.well-known/", b"/static/", b"/graphql/")
"""Where answers are the same for everybody."""


class Headers:
    """`nosniff` on all; no storing where nothing else is said; over TLS, that there is no way without (RFC 6797)."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self.app = app
        self.always = [(b"x-content-type-options", b"nosniff")]
        if tls:
            self.always.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        private = not scope["path"].encode().startswith(_OPEN)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                message = {**message, "headers": [*own, *self._missing(own, private=private)]}
            await send(message)

        await self.app(scope, receive, marked)

    def _missing(self, own: Iterable[tuple[bytes, bytes]], *, private: bool) -> Iterable[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in own}
        wanted = [*self.always, *([(b"cache-control", b"no-store")] if private else [])]
        return [(name, value) for name, value in wanted if name not in names]

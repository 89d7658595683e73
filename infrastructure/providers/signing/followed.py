"""Runs that are started, then asked about until they are over, or listened to as they go on."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Any
from urllib.parse import quote

import httpx2
import orjson

from domain.errors import ModelNotFoundUpstream, UpstreamTimeout
from domain.model.catalogue import FormValues
from infrastructure.providers.dialects.predictions import UNDER_WAY
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.signing.kept import kept
from infrastructure.providers.spec import JSON, Framing
from infrastructure.providers.wire.bodies import lenient
from infrastructure.providers.wire.digging import dig, text

WAITS = (1.0, 2.0, 4.0, 8.0, *(15.0,) * 4, *(30.0,) * 8)
"""Seconds before each question, five minutes in all. The client follows at most 20 requests for one."""

_KEPT = ("authorization", "accept-encoding", "user-agent")
_BUSY = frozenset({429, 502, 503, 504})
_LIMIT = 32 * 2**20


class Followed(httpx2.Auth):
    """Signs as `inner` does, and stays with a run that this starts.

    One for which a stream is accepted is listened to where its model can stream, at a host of `domains`; each other is
    asked about below `address`. A model that is run by version only is run by its latest. What the vendor says of a run
    is read at once, so `address` and `domains` may not be a tenant's to choose. UpstreamTimeout for a
    run that is still not over after the last of `waits`, which is then cancelled.
    """

    def __init__(
        self, inner: httpx2.Auth, provider: str, address: str, domains: Sequence[str], waits: Sequence[float]
    ) -> None:
        self._inner, self._provider = inner, provider
        self._runs, self._scheme = f"{address}/predictions", httpx2.URL(address).scheme
        self._domains, self._waits = domains, waits

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        yield from self._inner.auth_flow(request)

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        signed = next(self._inner.auth_flow(request))
        wanted, signed.headers["accept"] = signed.headers["accept"], JSON
        response = yield signed
        if signed.method != "POST":
            return
        if response.status_code == 404 and str(signed.url) != self._runs:
            described = yield _question(signed, str(signed.url).removesuffix("/predictions"))
            if not described.is_success:
                return
            response = yield self._by_version(signed, await _told(described))
        run = await _told(response)
        stream = self._stream(run) if wanted == Framing.SSE.value else None
        if stream:
            yield _question(signed, stream, wanted)
            return
        for wait in self._waits:
            if text(dig(run, "status")) not in UNDER_WAY:
                return
            await asyncio.sleep(wait)
            response = yield _question(signed, self._at(run))
            run = run if response.status_code in _BUSY else await _told(response)
        if text(dig(run, "status")) in UNDER_WAY:
            yield _question(signed, f"{self._at(run)}/cancel", method="POST")
            raise UpstreamTimeout(self._provider, 202, f"not over yet after {len(self._waits)} questions about it")

    def _at(self, run: Any) -> str:
        return f"{self._runs}/{quote(text(dig(run, 'id')), safe='')}"

    def _stream(self, run: Any) -> str | None:
        """Where the run is heard, as far as the key may be shown there."""
        try:
            url = httpx2.URL(text(dig(run, "urls", "stream")))
        except httpx2.InvalidURL:
            return None
        known = any(url.host == domain or url.host.endswith(f".{domain}") for domain in self._domains)
        return str(url) if known and url.scheme == self._scheme and not url.userinfo else None

    def _by_version(self, signed: httpx2.Request, model: Any) -> httpx2.Request:
        version = text(dig(model, "latest_version", "id"))
        if not version:
            raise ModelNotFoundUpstream(self._provider, 404, "the model has no version to run")
        body = orjson.dumps({"version": version, **orjson.loads(signed.content)})
        headers = {name: value for name, value in signed.headers.items() if name not in ("host", "content-length")}
        return httpx2.Request("POST", self._runs, headers=headers, content=body, extensions=signed.extensions)


def _question(signed: httpx2.Request, url: str, accept: str = JSON, method: str = "GET") -> httpx2.Request:
    headers = {name: signed.headers[name] for name in _KEPT if name in signed.headers} | {"accept": accept}
    if accept != JSON:
        headers["cache-control"] = "no-store"
    return httpx2.Request(method, url, headers=headers, extensions=signed.extensions)


async def _told(response: httpx2.Response) -> Any:
    """The JSON of a success, which can be read once more; None of a refusal."""
    if not response.is_success:
        return None
    return lenient(await kept(response, _LIMIT))


def followed(sign: Sign, provider: str, address: str, domains: Sequence[str], waits: Sequence[float] = WAITS) -> Sign:
    """`sign`, and patience with a vendor that runs models rather than answers."""

    def patient(form: FormValues) -> httpx2.Auth | None:
        inner = sign(form)
        return Followed(inner, provider, address, domains, waits) if inner else None

    return patient

"""Answers that are fetched later: a 202 names a ticket, and the ticket is asked about until the answer is there."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from urllib.parse import quote

import httpx2

from domain.errors import UpstreamTimeout
from domain.model.catalogue import FormValues
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.signing.kept import kept

WAITS = (0.1, 0.2, 0.4, 0.8, 1.6, *(4.0,) * 14)
"""Seconds before each question, a minute in all. The client follows at most 20 requests for one."""

_KEPT = ("authorization", "accept", "accept-encoding", "user-agent")


class Polled(httpx2.Auth):
    """Signs as `inner` does, then asks `address` about the ticket in the header of a 202.

    The question carries the key, so `address` may not be a tenant's to choose. UpstreamTimeout when the answer is still
    not there after the last of `waits`.
    """

    def __init__(self, inner: httpx2.Auth, provider: str, address: str, header: str, waits: Sequence[float]) -> None:
        self._inner, self._provider = inner, provider
        self._address, self._header, self._waits = address, header, waits

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        yield from self._inner.auth_flow(request)

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        signed = next(self._inner.auth_flow(request))
        response = yield signed
        for wait in self._waits:
            ticket = response.headers.get(self._header, "") if response.status_code == 202 else ""
            if not ticket:
                return
            await kept(response)
            await asyncio.sleep(wait)
            response = yield self._question(signed, ticket)
        if response.status_code == 202:
            raise UpstreamTimeout(self._provider, 202, f"no answer yet after {len(self._waits)} questions about it")

    def _question(self, signed: httpx2.Request, ticket: str) -> httpx2.Request:
        headers = {name: signed.headers[name] for name in _KEPT if name in signed.headers}
        url = f"{self._address}/{quote(ticket, safe='')}"
        return httpx2.Request("GET", url, headers=headers, extensions=signed.extensions)


def polled(sign: Sign, provider: str, address: str, header: str, waits: Sequence[float] = WAITS) -> Sign:
    """`sign`, and patience with a vendor that answers 202 and a ticket in `header`."""

    def patient(form: FormValues) -> httpx2.Auth | None:
        inner = sign(form)
        return Polled(inner, provider, address, header, waits) if inner else None

    return patient

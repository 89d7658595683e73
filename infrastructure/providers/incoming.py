"""Answers as they arrive: their pieces within bounds, and what a failure to read them means."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import cast

import httpx2

from domain.errors import BadRequestUpstream, UpstreamError
from domain.model.catalogue import FormValues
from infrastructure.providers.failures import TRANSPORT, blotted_bytes, cut, fit_to_show
from infrastructure.providers.room import Hold
from infrastructure.providers.spec import BYTES, JSON, Adapter, ErrorReply, Framing
from infrastructure.providers.wire import Malformed, bodies

_PIECE = 2**15
_TOLD = frozenset({JSON, "text/event-stream", "text/plain"})
"""Types that may be repeated: any other text from a header could be a secret that was echoed."""
_ANY_BYTES = frozenset({"", BYTES, "binary/octet-stream", "application/ogg"})


async def pieces(
    provider: str, response: httpx2.Response, limit: int, hold: Hold | None = None
) -> AsyncGenerator[bytes, None]:
    """The body as it comes, all other calls having their turns in between however much comes at once.

    Malformed above `limit` bytes, an UpstreamError when it breaks off. `hold` is that of who keeps what came.
    """
    size = 0
    try:
        async with aclosing(_raw(response)) as raw:
            async for much in raw:
                size += len(much)
                if size > limit:
                    raise Malformed(f"the answer is longer than {limit} bytes")
                if hold:
                    hold.add(len(much))
                for at in range(0, len(much), _PIECE):
                    if at:
                        await asyncio.sleep(0)
                    yield much[at : at + _PIECE]
    except TRANSPORT as failure:
        raise cut(provider, response.status_code, failure) from None


def _raw(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """What httpx2's own aiter_raw gives, without its accounting."""
    return cast(AsyncGenerator[bytes, None], aiter(cast(httpx2.AsyncByteStream, response.stream)))


async def whole(provider: str, response: httpx2.Response, limit: int, hold: Hold) -> bytes:
    """The body as one; fails like `pieces`."""
    async with aclosing(pieces(provider, response, limit, hold)) as coming:
        return b"".join([piece async for piece in coming])


@contextmanager
def understood(provider: str, form: FormValues, status: int) -> Iterator[None]:
    """Turns whatever the reading of an answer raises into an UpstreamError that may be shown."""
    try:
        yield
    except UpstreamError as failure:
        raise fit_to_show(failure, provider, form) from None
    except Malformed as failure:
        raise BadRequestUpstream(provider, status, str(failure)) from None
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        raise BadRequestUpstream(provider, status, "the answer has an unexpected form") from None


def check_readable(provider: str, response: httpx2.Response) -> None:
    """BadRequestUpstream for what no API answers with: a compressed body that was declined, or a web page."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise BadRequestUpstream(provider, response.status_code, "the answer is compressed, which was declined")
    if media_type(response) == "text/html":
        detail = "the answer is a web page; check that the address is that of an API"
        raise BadRequestUpstream(provider, response.status_code, detail)


def check_audio(provider: str, response: httpx2.Response, *, in_events: bool) -> None:
    """BadRequestUpstream for what cannot be audio. Many vendors do not say that it is, so bytes of no kind pass."""
    kind = media_type(response)
    fits = kind == Framing.SSE.value if in_events else kind.startswith("audio/") or kind in _ANY_BYTES
    if not fits:
        shown = kind if kind in _TOLD else "of some other type"
        raise BadRequestUpstream(provider, response.status_code, f"the answer is {shown}, where audio is due")


def media_type(response: httpx2.Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


async def refusal(
    adapter: Adapter, form: FormValues, response: httpx2.Response, limit: int, seconds: float
) -> UpstreamError:
    """What an answer with another status than success means; at most `limit` bytes of it are read, for so long.

    The status suffices where the rest does not come.
    """
    status = response.status_code
    if status < 400:
        return BadRequestUpstream(adapter.id, status, "it redirects elsewhere; enter the address it redirects to")
    raw = b""
    with suppress(*TRANSPORT, TimeoutError):
        async with asyncio.timeout(seconds):
            raw = await bodies.beginning(_raw(response), limit)
    return refused(adapter, form, ErrorReply(status, response.headers, bodies.lenient(blotted_bytes(raw, form))))


def refused(adapter: Adapter, form: FormValues, reply: ErrorReply) -> UpstreamError:
    """The adapter's reading of a refusal, fit to show."""
    try:
        with understood(adapter.id, form, reply.status):
            raise adapter.error(adapter.id, reply)
    except UpstreamError as failure:
        return failure

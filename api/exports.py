"""Usage to take along: the calls of a time as a CSV file, or as JSON with one call a line."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth import Admission
from api.export_query import asked
from api.graphql.ids import node_id
from domain.errors import DomainError, Forbidden, InvalidInput, NotFound, Unauthenticated
from domain.model.ids import ClientId
from domain.model.tokens import Kind, mint
from domain.model.usage import CallRecord
from domain.usecases.usage import Exported, Usage

COLUMNS = (
    "call_id",
    "at",
    "client_id",
    "application",
    "provider",
    "model",
    "type",
    "job",
    "paid_by",
    "credential_id",
    "outcome",
    "input_tokens",
    "output_tokens",
    "audio_seconds",
    "characters",
    "cost",
    "currency",
    "latency_ms",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STATUS: Mapping[type[DomainError], int] = {Unauthenticated: 401, Forbidden: 403, NotFound: 404, InvalidInput: 400}

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write rows of `COLUMNS`; `head` comes before the first."""

    ending: str
    media_type: str
    head: bytes
    written: Callable[[Sequence[Row]], bytes]


class UsageExport:
    """An ASGI application: the caller's calls, written piece by piece as the client reads them."""

    def __init__(self, usage: Usage, form: Format, challenge: str) -> None:
        """`challenge` is the WWW-Authenticate header of a request without a token."""
        self.usage = usage
        self.form = form
        self.challenge = challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method != "GET":
            answer: ASGIApp = _refused(405, "METHOD_NOT_ALLOWED", "Send a GET.", {"Allow": "GET"})
        else:
            answer = await self._answer(request)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        """The file once its first piece is read, so that a refusal still has a status of its own."""
        admission: Admission | None = request.scope["state"]["admission"]
        try:
            if admission is None:
                raise Unauthenticated
            which = asked(request.query_params, self.usage)
            pieces = self._pieces(self.usage.export(admission.actor, which))
            first = await anext(pieces, b"")
        except DomainError as refusal:
            return self._refusal(refusal)
        name = f"usage-{which.span.since:%Y%m%d}-{which.span.until:%Y%m%d}.{self.form.ending}"
        return Download(first, pieces, self.form.media_type, name, admission.over)

    async def _pieces(self, exported: Exported) -> AsyncGenerator[bytes, None]:
        head = self.form.head
        async with aclosing(exported):
            async for records, names in exported:
                yield head + self.form.written([row(record, names) for record in records])
                head = b""
        if head:
            yield head

    def _refusal(self, refusal: DomainError) -> Response:
        status = next((status for kind, status in _STATUS.items() if isinstance(refusal, kind)), 500)
        more = {"needs": str(refusal.needs)} if isinstance(refusal, Forbidden) else {}
        headers = {"WWW-Authenticate": self.challenge} if status == 401 else {}
        return _refused(status, refusal.code, refusal.message, headers, **more)


@dataclass(frozen=True, slots=True)
class Download:
    """An ASGI response: a file to be saved, `first` and then the other `pieces`, which are closed when it ends.

    It breaks off between two pieces when the client leaves, or `over` returns since the token is good no more:
    nothing that is reading from the store is cancelled, and nobody takes what there is for the whole.
    """

    first: bytes
    pieces: AsyncGenerator[bytes, None]
    media_type: str
    name: str
    over: Callable[[], Awaitable[None]]

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        endings = [asyncio.ensure_future(_departure(receive)), asyncio.ensure_future(self.over())]
        try:
            async with aclosing(self.pieces):
                await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
                await _send_piece(send, self.first)
                async for piece in self.pieces:
                    if any(ending.done() for ending in endings):
                        return
                    await _send_piece(send, piece)
                await send({"type": "http.response.body", "body": b""})
        finally:
            for ending in endings:
                ending.cancel()

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", self.media_type.encode()),
            (b"content-disposition", f'attachment; filename="{self.name}"'.encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]


async def _send_piece(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def row(record: CallRecord, names: Mapping[ClientId, str]) -> Row:
    """A record in the order of `COLUMNS`; what is unknown is None. Ids are those of GraphQL, money is exact."""
    return (
        str(record.id),
        record.at.isoformat(),
        mint(Kind.CLIENT_ID, record.tenant_id, record.client_id.bytes),
        names.get(record.client_id),
        record.model.provider,
        record.model.name,
        record.model.type,
        record.job,
        record.paid_by,
        node_id("Credential", record.credential_id) if record.credential_id else None,
        record.outcome,
        record.input_tokens,
        record.output_tokens,
        None if record.audio_ms is None else record.audio_ms / 1_000,
        record.characters,
        f"{record.cost.amount:f}" if record.cost else None,
        record.cost.currency if record.cost else None,
        record.latency_ms,
    )


def _csv(rows: Sequence[Row]) -> bytes:
    """RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe in front."""
    lines = io.StringIO()
    csv.writer(lines).writerows([_harmless(cell) for cell in cells] for cells in rows)
    return lines.getvalue().encode()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _json_lines(rows: Sequence[Row]) -> bytes:
    return b"".join(orjson.dumps(dict(zip(COLUMNS, cells, strict=True))) + b"\n" for cells in rows)


def _refused(status: int, code: str, message: str, headers: Mapping[str, str], **more: str) -> Response:
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code, **more}}]})
    return Response(body, status, headers, "application/json")


FORMATS = (
    Format("csv", "text/csv; charset=utf-8; header=present", _csv([COLUMNS]), _csv),
    Format("ndjson", "application/x-ndjson", b"", _json_lines),
)

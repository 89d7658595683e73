"""The schema over WebSocket, in the graphql-transport-ws protocol: who may connect, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.types.unset import UNSET
from typing_extensions import override

from api.graphql.context import Context
from api.graphql.errors import Refused
from api.graphql.http import Unserved, checked
from api.traffic.refusals import CODE, Throttled
from domain.errors import Unauthenticated

_BEARER = "bearer "


async def admit(context: Context) -> Any:
    """Take the token of `connection_init`: {"authorization": "Bearer …"}; without one, that of the handshake's header.

    ConnectionRejectionError, which closes with 4403, when there is none or it is not valid.
    """
    sent = (context.connection_params or {}).get("authorization")
    if sent is not None:
        context.caller = context.admission = None
        if isinstance(sent, str) and sent.lower().startswith(_BEARER) and context.admit is not None:
            with suppress(Unauthenticated):
                context.admission = await context.admit(sent[len(_BEARER) :].strip())
                context.caller = context.admission.actor
    if context.caller is None:
        raise ConnectionRejectionError
    return UNSET


class TextSocket(ASGIWebSocketAdapter):
    """JSON in text frames, as the protocol wants it."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_text(self.view.encode_json_string(message))
        except WebSocketDisconnect as gone:
            raise WebSocketDisconnected from gone


class Handler(BaseGraphQLTransportWSHandler[Context, None]):
    """Closes with 4400 on what is no message, and with 4401 when the token is good no more, or allows less.

    Each operation goes through the gate as a request does; one that is too much ends in an `error` message.
    """

    _watch: asyncio.Task[None] | None = None

    async def handle_message(self, message: Any) -> None:
        if _well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("Malformed message")

    async def handle_connection_init(self, message: Any) -> None:
        await super().handle_connection_init(message)
        admission = self.context.admission
        if self.connection_acknowledged and self._watch is None and admission is not None:
            self._watch = asyncio.create_task(self._close_when(admission.over))

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        assert self.context.gate is not None
        try:
            await self.context.gate.through(self.context.actor, partial(super().run_operation, operation))
        except Throttled as refusal:
            await operation.send_initial_errors(
                [Refused(CODE, refusal.message, retryAfter=refusal.retry_after)],
            )

    async def shutdown(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await super().shutdown()

    async def _close_when(self, over: Callable[[], Awaitable[None]]) -> None:
        await over()
        await self.websocket.close(4401, "Token expired or revoked")

    @staticmethod
    @override
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """A faulty document is answered with an `error` message; the connection stays."""
        return None


def _well_formed(message: Any) -> bool:
    """Whether a message has the parts that its type needs; unknown types pass, to be refused by name."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] == "complete":
        return isinstance(message.get("id"), str)
    if message["type"] != "subscribe":
        return True
    try:
        checked(message.get("payload"))
    except Unserved:
        return False
    return isinstance(message.get("id"), str) and bool(message["id"])

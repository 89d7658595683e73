"""The schema over HTTP and server-sent events, as the GraphQL-over-HTTP specification wants it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from typing_extensions import override

from api.graphql import ide, sockets, uploads
from api.graphql.context import Context, GraphQLOptions, UseCases
from api.graphql.cursors import CursorSeal
from api.graphql.http import GRAPHQL, JSON, Accepted, Unserved, accepted, checked, limited, parameters
from api.graphql.languages import accepted_language
from api.graphql.operations import Answers, Schema
from api.graphql.sse import EVENTS, EventStream
from api.traffic.gate import Gate
from domain.errors import Unauthenticated
from domain.model.labels import Language

_STATUS = {
    "GRAPHQL_PARSE_FAILED": 400,
    "BAD_USER_INPUT": 422,
    "GRAPHQL_VALIDATION_FAILED": 422,
    "QUERY_TOO_COMPLEX": 422,
    "FORBIDDEN": 403,
}


Payload = dict[str, Any]

_REVOKED = {"message": Unauthenticated().message, "extensions": {"code": Unauthenticated.code}}
_FAREWELL = orjson.dumps({"errors": [_REVOKED]})
"""What a stream of events ends with when its token does."""

_READ = frozenset({OperationType.QUERY})
_ALL = frozenset({OperationType.QUERY, OperationType.MUTATION})


class View(GraphQL[Context, None]):
    """WebSockets are strawberry's, with the handlers below; requests are answered here."""

    schema: Schema
    websocket_adapter_class = sockets.TextSocket
    graphql_transport_ws_handler_class = sockets.Handler

    def __init__(self, schema: Schema, usecases: UseCases, options: GraphQLOptions, gate: Gate) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            allowed_origins=options.allowed_origins,
        )
        self.usecases = usecases
        self.options = options
        self.gate = gate
        self.seal = CursorSeal(options.cursor_key)
        self.uploads = uploads.Turnstile(options.uploads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await super().__call__(scope, receive, send)
            return
        has_files, caller = uploads.sent(scope), self._caller(Request(scope))
        limit = self.options.upload_limit if has_files else self.options.body_limit
        request = Request(scope, limited(receive, limit))
        try:
            with self.uploads.one(caller.tenant_id) if has_files and caller else nullcontext():
                response: ASGIApp = await self._answer(request)
        except Unserved as refusal:
            response = self._refusal(refusal)
        finally:
            await request.close()
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        if request.method not in ("GET", "POST"):
            raise Unserved(405, "METHOD_NOT_ALLOWED", "Send a POST, or a GET for queries.", {"Allow": "GET, POST"})
        if self.options.ide and ide.wanted(request):
            return ide.page(request)
        if self._caller(request) is None:
            challenge = {"WWW-Authenticate": self.options.challenge}
            raise Unserved(401, Unauthenticated.code, Unauthenticated().message, challenge)
        return await self._executed(request)

    def _refusal(self, refusal: Unserved) -> Response:
        error = {"message": refusal.message, "extensions": {"code": refusal.code}}
        return Response(orjson.dumps({"errors": [error]}), refusal.status, refusal.headers, JSON)

    def _caller(self, connection: Request | WebSocket) -> Any:
        return _state(connection).get("actor")

    @override
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return self._context(request)

    def _context(self, connection: Request | WebSocket) -> Context:
        language = accepted_language(connection.headers.get("accept-language"))
        state, caller = _state(connection), self._caller(connection)
        admission, admit = state.get("admission"), state.get("admit")
        return Context(self.usecases, self.seal, caller, admission, admit, language=language, gate=self.gate)

    async def _executed(self, request: Request) -> ASGIApp:
        """One answer where the client takes one; a stream of events for subscriptions, and for who takes only that."""
        taken = accepted(request.headers.get("accept"))
        has_files = uploads.sent(request.scope)
        asked = checked(await uploads.from_multipart(request)) if has_files else await parameters(request)
        context = self._context(request)
        arguments: dict[str, Any] = {
            "query": asked.query,
            "variable_values": asked.variables,
            "context_value": context,
            "operation_name": asked.operation_name,
            "operation_extensions": asked.extensions,
        }
        served = _READ if request.method == "GET" else _ALL
        if taken.answer:
            try:
                result = await self.schema.execute(**arguments, allowed_operation_types=served)
            except InvalidOperationTypeError as error:
                _check_streamable(error.operation_type, taken)
            else:
                return _answered(_payload(result), taken.answer, context.language)
        answers = await self.schema.stream(**arguments, allowed_operation_types={*served, OperationType.SUBSCRIPTION})
        over = context.admission.over if context.admission else _never
        return EventStream(_payloads(answers), over, _FAREWELL)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    async def on_ws_connect(self, context: Context) -> Any:
        return await sockets.admit(context)


def _state(connection: Request | WebSocket) -> Payload:
    """What authentication left there."""
    found: Payload = connection.scope.get("state", {})
    return found


def _payload(result: ExecutionResult) -> Payload:
    """The answer as JSON: `data` is left out when nothing was executed."""
    errors = result.errors or []
    executed = result.data is not None or any(error.path for error in errors)
    answer: Payload = {"data": result.data} if executed else {}
    if errors:
        answer["errors"] = [error.formatted for error in errors]
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


async def _payloads(answers: Answers) -> AsyncGenerator[bytes, None]:
    async with aclosing(answers):
        async for answer in answers:
            yield orjson.dumps(_payload(answer))


async def _never() -> None:
    await asyncio.Event().wait()


def _answered(payload: Payload, media_type: str, language: Language) -> Response:
    """A request that was not executed has a status of its own only under the media type that allows it, and 429."""
    status, headers = 200, {"Content-Language": language.value, "Vary": "Accept, Accept-Language"}
    why = {} if "data" in payload else payload["errors"][0]["extensions"]
    if "retryAfter" in why:
        status, headers["Retry-After"] = 429, str(why["retryAfter"])
    elif why and media_type == GRAPHQL:
        status = _STATUS.get(why["code"], 500)
    return Response(orjson.dumps(payload), status, headers, media_type)


def _check_streamable(operation: OperationType, taken: Accepted) -> None:
    """Unserved for an operation that is neither a subscription nor served by this method, or cannot be streamed."""
    if operation is not OperationType.SUBSCRIPTION:
        raise Unserved(405, "METHOD_NOT_ALLOWED", "Send mutations with POST.", {"Allow": "POST"})
    if not taken.events:
        raise Unserved(406, "NOT_ACCEPTABLE", f"A subscription needs a WebSocket, or Accept: {EVENTS}.")

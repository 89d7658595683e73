"""The schema over HTTP and server-sent events, as the GraphQL-over-HTTP specification wants it."""

from typing import Any, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.execution import SubscriptionExecutionResult
from strawberry.types.graphql import OperationType
from typing_extensions import override

from api.graphql import ide, sockets
from api.graphql.context import Context, GraphQLOptions, UseCases
from api.graphql.cursors import CursorSeal
from api.graphql.errors import present
from api.graphql.http import EVENTS, GRAPHQL, JSON, Accepted, Unserved, limited, parameters
from api.graphql.schema import Schema
from domain.errors import Unauthenticated

_STATUS = {
    "GRAPHQL_PARSE_FAILED": 400,
    "BAD_USER_INPUT": 422,
    "GRAPHQL_VALIDATION_FAILED": 422,
    "QUERY_TOO_COMPLEX": 422,
    "FORBIDDEN": 403,
}


class View(GraphQL[Context, None]):
    websocket_adapter_class = sockets.TextSocket
    graphql_transport_ws_handler_class = sockets.Handler

    def __init__(self, schema: Schema, usecases: UseCases, options: GraphQLOptions) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            allowed_origins=options.allowed_origins,
        )
        self.usecases = usecases
        self.options = options
        self.seal = CursorSeal(options.cursor_key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, limited(receive, self.options.body_limit))
        try:
            response = await self._answer(request)
        except Unserved as refusal:
            response = self._refusal(refusal)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            raise Unserved(405, "METHOD_NOT_ALLOWED", "Send a POST, or a GET for queries.", {"Allow": "GET, POST"})
        if self.options.ide and ide.wanted(request):
            return ide.page(request)
        if self._caller(request) is None:
            challenge = {"WWW-Authenticate": self.options.challenge}
            raise Unserved(401, Unauthenticated.code, Unauthenticated().message, challenge)
        return await self.run(request)

    def _refusal(self, refusal: Unserved) -> Response:
        error = {"message": refusal.message, "extensions": {"code": refusal.code}}
        return Response(self.encode_json({"errors": [error]}), refusal.status, refusal.headers, JSON)

    def _caller(self, connection: Request | WebSocket) -> Any:
        return connection.scope.get("state", {}).get("actor")

    @override
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return Context(self.usecases, self.seal, self._caller(request))

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Carries the media type of the answer from the request's Accept header to `create_response`."""
        accepted = Accepted.of(request.headers.get("accept"))
        carrier: Response = await super().get_sub_response(request)
        carrier.media_type = accepted.answer or EVENTS
        return carrier

    @override
    def should_render_graphql_ide(self, request: Any) -> bool:
        return False

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        asked = await parameters(request)
        accepted = Accepted.of(request.headers.get("accept"))
        return GraphQLRequestData(
            query=asked.query,
            variables=asked.variables,
            operation_name=asked.operation_name,
            extensions=asked.extensions,
            protocol="sse" if accepted.events else "http",
        )

    @override
    async def execute_operation(
        self,
        request: Request,
        request_adapter: Any,
        request_data: Any,
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> ExecutionResult | SubscriptionExecutionResult:
        """One answer where the client takes one; a stream of events for subscriptions, and for who takes only that."""
        asked = {
            "query": request_data.query,
            "variable_values": request_data.variables,
            "context_value": context,
            "operation_name": request_data.operation_name,
            "operation_extensions": request_data.extensions,
        }
        served = {OperationType.QUERY} if request.method == "GET" else {OperationType.QUERY, OperationType.MUTATION}
        if sub_response.media_type != EVENTS:
            try:
                return await self.schema.execute(**asked, allowed_operation_types=served)
            except CannotGetOperationTypeError as error:
                unknown = GraphQLError(error.as_http_error_reason(), original_error=error)
                return ExecutionResult(data=None, errors=present([unknown]))
            except InvalidOperationTypeError as error:
                _check_streamable(error.operation_type, request_data.protocol)
        stream = await self.schema.stream(**asked, allowed_operation_types=served | {OperationType.SUBSCRIPTION})
        return cast(SubscriptionExecutionResult, stream)

    @override
    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """`data` is left out when nothing was executed."""
        errors = result.errors or []
        executed = result.data is not None or any(error.path for error in errors)
        answer: GraphQLHTTPResponse = {"data": result.data} if executed else {}
        if errors:
            answer["errors"] = [error.formatted for error in errors]
        if result.extensions:
            answer["extensions"] = result.extensions
        return answer

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        """A request that was not executed has a status of its own only under the media type that allows it."""
        media_type = sub_response.media_type or JSON
        status = 200
        if "data" not in response_data and media_type == GRAPHQL:
            status = _STATUS.get(response_data["errors"][0]["extensions"]["code"], 500)
        return Response(self.encode_json(response_data), status, media_type=media_type)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    async def on_ws_connect(self, context: Context) -> Any:
        return await sockets.admit(context)


def _check_streamable(operation: OperationType, protocol: str) -> None:
    """Unserved for an operation that is neither a subscription nor served by this method, or cannot be streamed."""
    if operation is not OperationType.SUBSCRIPTION:
        raise Unserved(405, "METHOD_NOT_ALLOWED", "Send mutations with POST.", {"Allow": "POST"})
    if protocol != "sse":
        raise Unserved(406, "NOT_ACCEPTABLE", f"A subscription needs a WebSocket, or Accept: {EVENTS}.")

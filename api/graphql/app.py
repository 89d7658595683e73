"""The whole front as one ASGI application, to be mounted where the operator wants it."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from api.graphql import ide
from api.graphql.context import GraphQLOptions, UseCases
from api.graphql.schema import build_schema
from api.graphql.view import View
from api.traffic.gate import Gate


def graphql_app(usecases: UseCases, options: GraphQLOptions, gate: Gate) -> ASGIApp:
    """GraphQL at the path where this is mounted, and below it, when the IDE is on, the IDE's own files.

    The caller is read from `scope["state"]["actor"]`: an Actor, or None for a request without a token. Requests must
    have passed the gate; a WebSocket's operations are led there from here, and what an operation costs is taken there.
    """
    view = View(build_schema(introspection=options.introspection), usecases, options, gate)
    return WithFiles(view, ide.files()) if options.ide else view


@dataclass(frozen=True, slots=True)
class WithFiles:
    """The view beside the files of its IDE."""

    view: ASGIApp
    files: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_file = scope["type"] == "http" and ide.FOLDER in scope["path"]
        await (self.files if is_file else self.view)(scope, receive, send)

"""GraphiQL, served from here without a content delivery network, for whoever tries the API in a browser."""

from html import escape
from pathlib import Path

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = "/ide/"

_HERE = Path(__file__).parent / "static"
_PAGE = (_HERE / "page.html").read_text(encoding="utf-8")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # GraphiQL's editor sets styles of its own
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


def wanted(request: Request) -> bool:
    """Whether a person's browser asks for the page, rather than a program for an answer."""
    return request.method == "GET" and "query" not in request.query_params and _takes_html(request)


def page(request: Request) -> HTMLResponse:
    """The page; it finds its files below the path at which it is served."""
    here = escape(request.url.path.rstrip("/"), quote=True)
    return HTMLResponse(_PAGE.replace("{{here}}", here), headers=_HEADERS)


def files() -> ASGIApp:
    """The files of the page, whatever the path in front of FOLDER."""
    static = ExceptionMiddleware(StaticFiles(directory=_HERE))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].rpartition(FOLDER)[2]
        await static({**scope, "path": f"/{name}", "root_path": ""}, receive, send)

    return serve


def _takes_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")

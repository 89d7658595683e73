"""From a template and values to a page under strict headers."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ExceptionHandler

from api.pages.browser import FORM_FIELD, binding, browser, keep
from api.pages.refusal import Refused

_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_FEATURES = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send the Origin of a form as "null"
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
}
_ADVICE = {
    404: ("There is no such page", "Check the address, or start from your account."),
    405: ("This page does not work that way", "Start from your account."),
}


def page(
    request: Request,
    template: str,
    status: int = 200,
    *,
    form_action: Collection[str] = (),
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """The page of this template. `form_action` are the origins beside ours that a form, or the redirect it is answered
    with, may lead to. A template extends `layout.html` and gets `form_token` for its forms; a value it does not get is
    an error.
    """
    house = browser(request)
    bound_to, new = binding(request)
    token = house.form_token(bound_to)
    known: dict[str, Any] = {"form_field": FORM_FIELD, "form_token": token, "errors": {}, "signed_in": None}
    html = _TEMPLATES.get_template(template).render(known | values)
    policy = {"Content-Security-Policy": _policy(form_action)}
    answer = HTMLResponse(html, status, _HEADERS | policy | dict(headers or {}))
    if new:
        keep(request, answer, bound_to, "form")
    return answer


def problem(request: Request, refusal: Refused) -> Response:
    """An error page."""
    title, advice = refusal.title, refusal.advice
    return page(request, "problem.html", refusal.status, headers=refusal.headers, title=title, advice=advice)


def problems() -> dict[Any, ExceptionHandler]:
    """The exception handlers of an application with pages: browsers get a page, programs what they got before."""
    return {Refused: _refused, HTTPException: _no_such_page, Exception: _broken}


def files() -> Mount:
    """The stylesheet and the icon."""
    return Mount("/static", StaticFiles(directory=_HERE / "static"))


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refused)
    return problem(request, refusal)


async def _no_such_page(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)
    headers = dict(failure.headers or {})
    if not _wants_page(request):
        return PlainTextResponse(failure.detail, failure.status_code, headers)
    status = failure.status_code
    title, advice = _ADVICE.get(status, (HTTPStatus(status).phrase, "Start from your account."))
    return problem(request, Refused(status, title, advice, headers))


async def _broken(request: Request, _: Exception) -> Response:
    """Who serves the application gets the failure besides, and logs it. Programs read it as one of OAuth's errors."""
    if not _wants_page(request):
        told = {"error": "server_error", "error_description": "Something unforeseen happened; try again later."}
        return JSONResponse(told, 500)
    return problem(request, Refused(500, "Something unforeseen happened", "Try again; if it stays, tell the operator."))


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _policy(form_action: Collection[str]) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            " ".join(("form-action 'self'", *form_action)),
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )

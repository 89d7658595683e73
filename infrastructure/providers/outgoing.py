"""Requests as they leave: where they go, and what they carry before they are signed."""

from functools import lru_cache
from typing import Any

import httpx2

from domain.errors import FieldProblem, InvalidForm, InvalidRange
from domain.model.catalogue import FieldKind, FormValues
from infrastructure.providers.spec import Adapter, Request
from infrastructure.providers.wire import bodies

_HEADERS = {"accept-encoding": "identity", "user-agent": "portunus"}


def outgoing(
    adapter: Adapter, form: FormValues, request: Request, body: bytes | None, accept: str, extensions: dict[str, Any]
) -> httpx2.Request:
    """The request, unsigned. Compression is declined, so that no answer can be larger than what is read of it."""
    headers = {**_HEADERS, "accept": accept, **request.headers}
    if body is not None:
        headers["content-type"] = "application/json"
    url = _address(adapter, form, request.path)
    if request.query:
        url = url.copy_merge_params(request.query)
    return httpx2.Request(request.method, url, headers=headers, content=body, extensions=extensions)


def body_of(request: Request) -> bytes | None:
    """Its JSON; InvalidRange for text or numbers that JSON cannot carry."""
    if request.json is None:
        return None
    try:
        return bodies.rendered(request.json)
    except ValueError:
        raise InvalidRange("input", "holds text that is not Unicode, or an integer beyond 64 bits") from None


def origin(adapter: Adapter, form: FormValues) -> str:
    """scheme://host, and the port where it is not the scheme's own (RFC 6454, section 6.2)."""
    url = _address(adapter, form, "")
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _address(adapter: Adapter, form: FormValues, path: str) -> httpx2.URL:
    url = _joined(adapter.base_url(form), path)
    if url is None:
        field = next((f.name for f in adapter.form if f.kind is FieldKind.URL), "form")
        reason = "must be an address like https://host/path, without user, query or fragment"
        raise InvalidForm((FieldProblem(field, reason),))
    return url


@lru_cache(maxsize=4096)
def _joined(base: str, path: str) -> httpx2.URL | None:
    """Base and path with one slash between; None for a base that is no plain http or https address."""
    try:
        url = httpx2.URL(base.rstrip("/") + "/" + path.lstrip("/"))
    except httpx2.InvalidURL:
        return None
    plain = url.scheme in ("http", "https") and url.host and not url.userinfo and not {"?", "#"} & set(base)
    return url if plain and (url.port or 0) < 2**16 else None

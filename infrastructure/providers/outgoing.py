"""Requests as they leave: where they go, and what they carry before they are signed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx2

from domain.errors import FieldProblem, InvalidForm, InvalidRange
from domain.model.catalogue import FieldKind, FormValues
from infrastructure.providers.spec import JSON, Adapter, Request
from infrastructure.providers.wire import bodies, multipart

_HEADERS = {"accept-encoding": "identity", "user-agent": "portunus"}


@dataclass(frozen=True, slots=True, repr=False)
class Body:
    content: bytes
    media_type: str


def outgoing(
    adapter: Adapter, form: FormValues, request: Request, body: Body | None, extensions: dict[str, Any]
) -> httpx2.Request:
    """The request, unsigned. Compression is declined, so that no answer can be larger than what is read of it."""
    headers = {**_HEADERS, "accept": request.accept, **request.headers}
    if body is not None:
        headers["content-type"] = body.media_type
    base = request.base or adapter.base_url
    url = _address(adapter, base if isinstance(base, str) else base(form), request.path)
    if request.query:
        url = url.copy_merge_params(request.query)
    content = body.content if body else None
    return httpx2.Request(request.method, url, headers=headers, content=content, extensions=extensions)


def body_of(request: Request, boundary: Callable[[], str] = multipart.fresh_boundary) -> Body | None:
    """Its JSON, its form or its bytes; InvalidRange for text or numbers that these cannot carry."""
    try:
        if request.parts:
            line = boundary()
            return Body(multipart.encoded(request.parts, line), multipart.media_type(line))
        if request.content:
            return Body(request.content, request.media_type)
        return None if request.json is None else Body(bodies.rendered(request.json), JSON)
    except ValueError:
        raise InvalidRange("input", "holds text that is not Unicode, or an integer beyond 64 bits") from None


def origin(adapter: Adapter, form: FormValues) -> str:
    """scheme://host, and the port where it is not the scheme's own (RFC 6454, section 6.2)."""
    url = _address(adapter, adapter.base_url(form), "")
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _address(adapter: Adapter, base: str, path: str) -> httpx2.URL:
    url = _joined(base, path)
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

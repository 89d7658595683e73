"""Files in a request, by the GraphQL multipart request specification, of which each file may stand for one variable.

https://github.com/jaydenseric/graphql-multipart-request-spec
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NewType, cast

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Scope

from api.graphql.http import Unserved, decoded, malformed
from api.traffic.stays import afterwards
from domain.model.ids import TenantId
from domain.model.speech import Recording

MULTIPART = "multipart/form-data"
PREFLIGHT = "graphql-require-preflight"
FILES_LIMIT = 8
_PART_LIMIT = 2**20
_NAMED = 2
_UNNAMED = "audio"

Upload = NewType("Upload", UploadFile)
"""A file that came with the request; it lives as long as the request does."""


class Turnstile:
    """Lets so many through at once. A tenant may send another one as long as it has fewer than are free, so that files
    for slow vendors of one tenant leave room for another's.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._held = Counter[TenantId]()

    @contextmanager
    def one(self, tenant: TenantId) -> Iterator[None]:
        """Unserved(429) when there is no room. Who hangs up keeps the place as long as what was begun runs on."""
        if self._held[tenant] >= self._room:
            raise Unserved(429, "THROTTLED", "Too many files are on their way; try again soon.", {"Retry-After": "1"})
        self._room -= 1
        self._held[tenant] += 1
        try:
            yield
        finally:
            afterwards(partial(self._leave, tenant))

    def _leave(self, tenant: TenantId) -> None:
        self._room += 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]


def sent(scope: Scope) -> bool:
    """Whether a request comes as a multipart form."""
    content_type = Headers(scope=scope).get("content-type", "")
    return scope["method"] == "POST" and content_type.partition(";")[0].strip().lower() == MULTIPART


async def from_multipart(request: Request) -> Any:
    """The request that `operations` holds, with the files where `map` says.

    Unserved(415) without the header that forces a preflight, Unserved(400) for any other form.

    A foreign page can send a form without asking; a header that only its own script can set, it cannot.
    """
    if not request.headers.get(PREFLIGHT):
        raise Unserved(415, "PREFLIGHT_REQUIRED", f"Send the header {PREFLIGHT}: 1 with a multipart request.")
    try:
        form = await request.form(max_files=FILES_LIMIT, max_fields=_NAMED, max_part_size=_PART_LIMIT)
    except MultiPartException as broken:
        raise malformed(f"This is not a form of `operations`, `map` and up to {FILES_LIMIT} files.") from broken
    return _placed(decoded(_text(form, "operations")), decoded(_text(form, "map")), form)


async def recording(file: Upload) -> Recording:
    """The file as an audio recording."""
    return Recording(file.filename or _UNNAMED, file.content_type or "application/octet-stream", await file.read())


def _placed(operation: Any, places: Any, form: FormData) -> Any:
    if not isinstance(operation, dict) or not isinstance(places, dict):
        raise malformed("`operations` and `map` must be JSON objects.")
    taken: set[str] = set()
    for part, paths in places.items():
        file = form.get(part)
        if not isinstance(file, UploadFile):
            raise malformed("`map` names a part that is no file.")
        if not isinstance(paths, list) or len(paths) != 1 or not isinstance(paths[0], str) or paths[0] in taken:
            raise malformed("`map` must give each file one variable of its own.")
        taken.add(paths[0])
        _place(operation, paths[0].split("."), file)
    return operation


def _place(operation: dict[str, Any], path: list[str], file: UploadFile) -> None:
    """Put the file where a null stands for it."""
    holder: Any = operation
    for name in path[:-1]:
        holder = _inside(holder, name)
    if path[0] != "variables" or len(path) < _NAMED or _inside(holder, path[-1]) is not None:
        raise malformed("`map` must name a variable that is null.")
    holder[int(path[-1]) if isinstance(holder, list) else path[-1]] = file


def _inside(holder: Any, name: str) -> Any:
    try:
        return holder[int(name)] if isinstance(holder, list) else cast(Mapping[str, Any], holder)[name]
    except (LookupError, ValueError, TypeError):
        raise malformed("`map` must name a variable that is null.") from None


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str):
        raise malformed("A multipart request has the fields `operations` and `map`.")
    return value

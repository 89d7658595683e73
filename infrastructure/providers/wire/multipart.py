"""Multipart bodies for HTML forms (RFC 7578), with names escaped as browsers do (WHATWG HTML, 4.10.22.8)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_UNQUOTABLE = re.compile(r'["\x00-\x1f\x7f]')
_ANY = "application/octet-stream"


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """One field of a form: a text, or a file when it has a `filename`; then `media_type` tells what it holds."""

    name: str
    content: str | bytes
    filename: str | None = None
    media_type: str = _ANY


def fresh_boundary() -> str:
    """A line that no file holds but by an accident of one in 2^122."""
    return uuid4().hex


def encoded(parts: Sequence[Part], boundary: str) -> bytes:
    """The body; UnicodeEncodeError for lone surrogates. No name or media type can break out of its header."""
    pieces = [piece for part in parts for piece in _piece(part, boundary)]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def media_type(boundary: str) -> str:
    return f"multipart/form-data; boundary={boundary}"


def _piece(part: Part, boundary: str) -> tuple[bytes, bytes, bytes]:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.name)}"'
    if part.filename is not None:
        kind = part.media_type if _MEDIA_TYPE.fullmatch(part.media_type) else _ANY
        head += f'; filename="{_quoted(part.filename)}"\r\nContent-Type: {kind}'
    content = part.content.encode() if isinstance(part.content, str) else part.content
    return f"{head}\r\n\r\n".encode(), content, b"\r\n"


def _quoted(name: str) -> str:
    return _UNQUOTABLE.sub(lambda found: f"%{ord(found[0]):02X}", name)

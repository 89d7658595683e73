"""Newline-delimited JSON: one frame per line."""

from infrastructure.providers.spec import Frame
from infrastructure.providers.wire import Malformed
from infrastructure.providers.wire.lines import Lines


class NDJSONFramer:
    """Bytes to frames without event names; empty lines are left out. A line above `limit` bytes is Malformed."""

    __slots__ = ("_lines",)

    def __init__(self, limit: int) -> None:
        self._lines = Lines(limit)

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes."""
        return _framed(self._lines.feed(chunk))

    def end(self) -> list[Frame]:
        """The last line, if the stream ended without a newline."""
        return _framed(self._lines.end())


def _framed(lines: list[bytes]) -> list[Frame]:
    try:
        return [Frame(line.decode()) for line in lines if line and not line.isspace()]
    except UnicodeDecodeError:
        raise Malformed("the stream is not UTF-8") from None

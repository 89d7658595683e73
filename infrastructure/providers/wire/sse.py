"""Server-sent events (WHATWG HTML, 9.2.6), read leniently: some servers leave out the blank line between events."""

from infrastructure.providers.spec import Frame
from infrastructure.providers.wire import Malformed
from infrastructure.providers.wire.lines import Lines

_BOM = b"\xef\xbb\xbf"


class SSEFramer:
    """Bytes to frames; ids, retry times and comments are left out. A frame above `limit` bytes is Malformed."""

    __slots__ = ("_data", "_event", "_limit", "_lines", "_size", "_started")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines = Lines(limit)
        self._data: list[bytes] = []
        self._size = 0
        self._event = ""
        self._started = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes."""
        return self._framed(self._lines.feed(chunk))

    def end(self) -> list[Frame]:
        """The frame that was still open when the stream ended: some servers leave out the last blank line."""
        return self._framed([*self._lines.end(), b""])

    def _framed(self, lines: list[bytes]) -> list[Frame]:
        if lines and not self._started:
            self._started = True
            lines[0] = lines[0].removeprefix(_BOM)
        frames: list[Frame] = []
        for line in lines:
            if not line:
                self._dispatch(frames)
            elif line.startswith(b"data"):
                self._add(line, frames)
            elif line.startswith(b"event"):
                name, _, value = line.partition(b":")
                self._event = _text(value.removeprefix(b" ")) if name == b"event" else self._event
        return frames

    def _add(self, line: bytes, frames: list[Frame]) -> None:
        name, _, value = line.partition(b":")
        if name != b"data":
            return
        value = value.removeprefix(b" ")
        if self._data and _separate(self._data[-1], value):
            self._dispatch(frames)
        self._size += len(value) + 1
        if self._size > self._limit:
            raise Malformed(f"an event is longer than {self._limit} bytes")
        self._data.append(value)

    def _dispatch(self, frames: list[Frame]) -> None:
        if self._data:
            frames.append(Frame(_text(b"\n".join(self._data)), self._event))
            self._data.clear()
            self._size = 0
        self._event = ""


def _separate(before: bytes, after: bytes) -> bool:
    """Two data lines that no JSON text could hold side by side are two events without a blank line between."""
    return before.endswith(b"}") and after.startswith((b"{", b"["))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Malformed("the stream is not UTF-8") from None

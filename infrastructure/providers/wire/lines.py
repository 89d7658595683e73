"""Cuts a byte stream into lines, wherever its pieces begin and end."""

from infrastructure.providers.wire import Malformed


class Lines:
    """Lines end in LF, CR or CRLF; one longer than `limit` bytes is Malformed. Linear in the bytes it is fed."""

    __slots__ = ("_after_cr", "_limit", "_parts", "_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes, without their ends."""
        if not chunk:
            return []
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        if b"\n" not in chunk and b"\r" not in chunk:
            self._keep(chunk)
            return []
        lines = chunk.splitlines()
        if self._parts:
            self._keep(lines[0])
            lines[0] = self._rest()
        if not chunk.endswith((b"\n", b"\r")):
            self._keep(lines.pop())
        return lines

    def end(self) -> list[bytes]:
        """The last line, if the stream ended without its end."""
        return [self._rest()] if self._parts else []

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise Malformed(f"a line is longer than {self._limit} bytes")
        if part:
            self._parts.append(part)

    def _rest(self) -> bytes:
        line = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return line

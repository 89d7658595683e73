"""AWS event streams (application/vnd.amazon.eventstream): binary messages with checksums over prelude and whole."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from infrastructure.providers.spec import Frame
from infrastructure.providers.wire import Malformed
from infrastructure.providers.wire.sse import SSEFramer

_PRELUDE, _CHECK = 12, 4
_HEADERS = 2**17
"""Bytes of headers in a message; more are refused by AWS's own SDKs as well (botocore/eventstream.py)."""
_FIXED: Mapping[int, int] = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_BYTES, _STRING = 6, 7


@dataclass(frozen=True, slots=True)
class Message:
    """Its headers of text, and its payload."""

    headers: Mapping[str, str]
    payload: bytes


class Messages:
    """Bytes to messages; one above `limit` bytes, or with a wrong checksum, is Malformed."""

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """The messages that `chunk` completes."""
        self._rest += chunk
        while len(self._rest) >= _PRELUDE:
            size, headers = self._prelude()
            if len(self._rest) < size:
                return
            whole = bytes(self._rest[:size])
            del self._rest[:size]
            _check(whole[:-_CHECK], whole[-_CHECK:])
            end = _PRELUDE + headers
            yield Message(_headers(whole[_PRELUDE:end]), whole[end:-_CHECK])

    def _prelude(self) -> tuple[int, int]:
        """Lengths in bytes of the message that begins here, and of its headers."""
        size, headers, _ = struct.unpack_from(">III", self._rest)
        _check(bytes(self._rest[:8]), bytes(self._rest[8:_PRELUDE]))
        if size > self._limit:
            raise Malformed(f"a message is longer than {self._limit} bytes")
        if headers > min(_HEADERS, size - _PRELUDE - _CHECK):
            raise _odd()
        return size, headers


class EventStreamFramer:
    """Bytes to frames of JSON, named after the event, or after the exception and then a fault."""

    __slots__ = ("_messages",)

    def __init__(self, limit: int) -> None:
        self._messages = Messages(limit)

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes."""
        return [_fault(m) or Frame(_text(m.payload), m.headers[":event-type"]) for m in self._messages.feed(chunk)]

    def end(self) -> list[Frame]:
        """None: what is left is a message cut short."""
        return []


class PayloadFramer:
    """Server-sent events in messages that were cut from them anywhere; faults come between as frames of their own."""

    __slots__ = ("_events", "_messages")

    def __init__(self, limit: int) -> None:
        self._messages = Messages(limit)
        self._events = SSEFramer(limit)

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes."""
        frames: list[Frame] = []
        for message in self._messages.feed(chunk):
            fault = _fault(message)
            frames += [fault] if fault else self._events.feed(message.payload)
        return frames

    def end(self) -> list[Frame]:
        """The frame that was still open when the stream ended."""
        return self._events.end()


def _fault(message: Message) -> Frame | None:
    """An exception of the service's model, or an error beyond it; None for an event."""
    headers = message.headers
    match headers.get(":message-type"):
        case "event":
            return None
        case "exception":
            return Frame(_text(message.payload), headers[":exception-type"], fault=True)
        case "error":
            said = orjson.dumps({"message": headers.get(":error-message", "")}).decode()
            return Frame(said, headers.get(":error-code", ""), fault=True)
    raise _odd()


def _headers(block: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(block):
            start = at + 1
            kind = block[start + block[at]]
            name = block[start : start + block[at]]
            at = start + len(name) + 1
            if kind in (_BYTES, _STRING):
                (size,) = struct.unpack_from(">H", block, at)
                at += 2
            else:
                size = _FIXED[kind]
            if kind == _STRING:
                found[_text(name)] = _text(block[at : at + size])
            at += size
    except (LookupError, struct.error):
        raise _odd() from None
    if at > len(block):
        raise _odd()
    return found


def _check(checked: bytes, sum_: bytes) -> None:
    if zlib.crc32(checked) != int.from_bytes(sum_):
        raise Malformed("a message of the stream has a wrong checksum")


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Malformed("the stream is not UTF-8") from None


def _odd() -> Malformed:
    return Malformed("a message of the stream breaks its format")

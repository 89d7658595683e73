"""Newline-delimited JSON: the same frames however the bytes are cut."""

import pytest

from infrastructure.providers.spec import Frame
from infrastructure.providers.wire import Malformed
from infrastructure.providers.wire.ndjson import NDJSONFramer

STREAM = '{"a": "größe"}\n\r\n{"b": "🎼"}\r\n  \n{"done": true}'.encode()
FRAMES = [Frame('{"a": "größe"}'), Frame('{"b": "🎼"}'), Frame('{"done": true}')]


def framed(*pieces: bytes, limit: int = 100) -> list[Frame]:
    framer = NDJSONFramer(limit)
    return [frame for piece in pieces for frame in framer.feed(piece)] + framer.end()


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_a_stream_cut_in_two_anywhere(cut: int) -> None:
    assert framed(STREAM[:cut], STREAM[cut:]) == FRAMES


def test_a_line_is_given_as_soon_as_it_is_complete() -> None:
    framer = NDJSONFramer(100)
    assert framer.feed(b"{") == []
    assert framer.feed(b"}\n") == [Frame("{}")]


def test_a_line_above_the_limit_is_malformed() -> None:
    with pytest.raises(Malformed, match="longer than 100 bytes"):
        framed(*([b"a" * 30] * 4))


def test_bytes_that_are_no_utf8_are_malformed() -> None:
    with pytest.raises(Malformed, match="UTF-8"):
        framed(b'"\xff"\n')

"""Server-sent events: the same frames however the bytes are cut."""

import pytest

from infrastructure.providers.spec import Frame
from infrastructure.providers.wire import Malformed
from infrastructure.providers.wire.sse import SSEFramer

STREAM = (
    "\ufeffevent: first\r\n: a comment\r\ndata: {}\r\nid: 7\r\nretry: 10\r\n\r\n"
    "data: größe 漢字 🎼\n\n"
    "data:no space\rdata:  two spaces\r\r"
    "event: nameless\ndata\n\n"
    "event: forgotten\n\n"
    "data: [DONE]\n\n"
).encode()
FRAMES = [
    Frame("{}", "first"),
    Frame("größe 漢字 🎼"),
    Frame("no space\n two spaces"),
    Frame("", "nameless"),
    Frame("[DONE]"),
]


def framed(*pieces: bytes, limit: int = 1000) -> list[Frame]:
    framer = SSEFramer(limit)
    return [frame for piece in pieces for frame in framer.feed(piece)] + framer.end()


def test_a_stream_in_one_piece() -> None:
    assert framed(STREAM) == FRAMES


def test_a_stream_byte_by_byte() -> None:
    assert framed(*(STREAM[i : i + 1] for i in range(len(STREAM)))) == FRAMES


def test_a_mark_of_byte_order_further_on_is_part_of_a_name() -> None:
    assert framed(b"data: a\n\n", "\ufeffdata: b\n\n".encode(), b"data: c\n\n") == [Frame("a"), Frame("c")]


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_a_stream_cut_in_two_anywhere(cut: int) -> None:
    assert framed(STREAM[:cut], b"", STREAM[cut:]) == FRAMES


def test_a_frame_is_given_as_soon_as_it_is_complete() -> None:
    framer = SSEFramer(100)
    assert framer.feed(b"data: now") == []
    assert framer.feed(b"\n") == []
    assert framer.feed(b"\n") == [Frame("now")]
    assert framer.end() == []


def test_the_last_frame_may_lack_its_blank_line() -> None:
    assert framed(b"data: a\n\ndata: b\n") == [Frame("a"), Frame("b")]
    assert framed(b"data: a\n\ndata: b") == [Frame("a"), Frame("b")]


def test_json_texts_without_blank_lines_between_are_frames_of_their_own() -> None:
    stream = b'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n'
    assert framed(stream) == [Frame('{"a":1}'), Frame('{"b":2}'), Frame("[DONE]")]


def test_json_over_several_data_lines_stays_one_frame() -> None:
    assert framed(b'data: {"a": [{}\ndata: ,{}]\ndata: }\n\n') == [Frame('{"a": [{}\n,{}]\n}')]


def test_fields_that_only_begin_like_known_ones_are_left_out() -> None:
    assert framed(b"database: x\nevents: y\ndata: z\n\n") == [Frame("z")]


@pytest.mark.parametrize(
    "pieces",
    [
        (b"data: " + b"a" * 60,),
        (b"data: ",) + (b"a",) * 60,
        (b"data: " + b"a" * 20 + b"\n",) * 3,
        (b"data:\n",) * 60,
        (b":" + b"a" * 60,),
    ],
    ids=["one line", "one line in many pieces", "many lines", "many empty lines", "a comment"],
)
def test_what_outgrows_the_limit_is_malformed(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(Malformed, match="longer than 50 bytes"):
        framed(*pieces, limit=50)


def test_frames_within_the_limit_may_add_up_to_more() -> None:
    assert len(framed(*(b"data: aaaaaaaaaa\n\n" for _ in range(100)), limit=50)) == 100


def test_bytes_that_are_no_utf8_are_malformed() -> None:
    with pytest.raises(Malformed, match="UTF-8"):
        framed(b"data: \xff\n\n")

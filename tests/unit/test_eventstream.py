"""AWS event streams: the same frames however the bytes are cut (vectors decoded by botocore 1.44.5)."""

import base64
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from infrastructure.providers.spec import Frame
from infrastructure.providers.wire import Malformed
from infrastructure.providers.wire.eventstream import EventStreamFramer, Messages, PayloadFramer
from tests.contract.amazon import packed, written

FILE = Path(__file__).parents[1] / "contract/aws_bedrock/eventstream_vectors.json"
VECTORS = json.loads(FILE.read_text())
STREAM = base64.b64decode(VECTORS["concatenated_base64"])
FRAMES = [
    Frame(f["payload_utf8"], h.get(":event-type") or h[":exception-type"], fault=h[":message-type"] == "exception")
    for f in VECTORS["frames"]
    for h in [f["headers"]]
]
EVENT = {":message-type": "event", ":event-type": "PayloadPart"}


def framed(*pieces: bytes, limit: int = 1000) -> list[Frame]:
    framer = EventStreamFramer(limit)
    return [frame for piece in pieces for frame in framer.feed(piece)] + framer.end()


@pytest.mark.parametrize("size", [1, 7, 64, len(STREAM)])
def test_the_vectors_are_read_in_slices_of_any_size(size: int) -> None:
    assert framed(*(STREAM[at : at + size] for at in range(0, len(STREAM), size))) == FRAMES


@pytest.mark.parametrize("vector", VECTORS["frames"], ids=lambda vector: vector["name"])
def test_a_vector_has_its_headers_and_its_payload(vector: Mapping[str, object]) -> None:
    (message,) = Messages(1000).feed(base64.b64decode(str(vector["base64"])))
    assert message.headers == vector["headers"]
    assert message.payload.decode() == vector["payload_utf8"]


@pytest.mark.parametrize("at", [0, 4, 9, 13, 40, -1])
def test_a_byte_that_changed_on_the_way_is_noticed(at: int) -> None:
    broken = bytearray(base64.b64decode(VECTORS["frames"][0]["base64"]))
    broken[at] ^= 1
    with pytest.raises(Malformed):
        framed(bytes(broken))


def test_a_wrong_length_is_noticed_before_anything_is_waited_for() -> None:
    broken = bytearray(STREAM[:12])
    broken[3] ^= 1
    with pytest.raises(Malformed, match="checksum"):
        framed(bytes(broken))


def test_the_vector_with_a_wrong_checksum_is_malformed() -> None:
    with pytest.raises(Malformed, match="checksum"):
        framed(base64.b64decode(VECTORS["bad_message_crc_base64"]))


def test_a_message_above_the_limit_is_malformed_before_it_is_read() -> None:
    with pytest.raises(Malformed, match="longer than 100 bytes"):
        framed(STREAM[:12], limit=100)


def test_a_message_cut_short_gives_no_frame() -> None:
    assert framed(STREAM[:117]) == []


def test_headers_of_every_type_are_passed_over() -> None:
    sized = [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)]
    odd = b"".join(b"\x01a" + bytes([kind]) + bytes(size) for kind, size in sized) + b"\x01b\x06\x00\x02xy"
    (message,) = Messages(1000).feed(packed(odd + written(EVENT), b"{}"))
    assert message.headers == EVENT


@pytest.mark.parametrize(
    "message",
    [
        packed(b"\x01a\x0a"),  # a type that does not exist
        packed(b"\x09a"),
        packed(b"\x01a\x07\x00"),
        packed(b"\x01a\x07\x00\x09x"),
        packed(written({":message-type": "tomorrow"})),
        packed(written(EVENT), b"\xff"),
        struct.pack(">II", 16, 1) + zlib.crc32(struct.pack(">II", 16, 1)).to_bytes(4),
        struct.pack(">II", 3, 0) + zlib.crc32(struct.pack(">II", 3, 0)).to_bytes(4),
    ],
    ids=range(8),
)
def test_a_message_that_breaks_the_format_is_malformed(message: bytes) -> None:
    with pytest.raises(Malformed):
        framed(message)


def test_a_message_of_more_headers_than_any_has_is_malformed_before_they_are_read() -> None:
    with pytest.raises(Malformed):
        framed(packed(b"\x00\x00" * 2**16 + b"\x01a\x00")[:12], limit=2**20)


def test_an_error_beyond_the_services_model_is_a_fault() -> None:
    headers = {":message-type": "error", ":error-code": "InternalError", ":error-message": "An internal server error"}
    assert framed(packed(written(headers))) == [Frame('{"message":"An internal server error"}', "InternalError", True)]


@pytest.mark.parametrize("cut", [1, 7, 13, 17, 25])
def test_events_are_put_together_over_the_messages_that_carry_them(cut: int) -> None:
    text = 'data: {"a": "größe"}\n\ndata: [DONE]\n\n'.encode()
    parts = [packed(written(EVENT), piece) for piece in (text[:cut], text[cut:])]
    fault = packed(written({":message-type": "exception", ":exception-type": "ModelStreamError"}), b'{"Message":"x"}')
    framer = PayloadFramer(1000)
    frames = [frame for part in (*parts, fault) for frame in framer.feed(part)] + framer.end()
    assert frames == [Frame('{"a": "größe"}'), Frame("[DONE]"), Frame('{"Message":"x"}', "ModelStreamError", True)]

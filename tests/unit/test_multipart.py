"""Forms with files, byte for byte, and names that try to break out of their headers."""

import pytest

from infrastructure.providers.wire.multipart import Part, encoded, fresh_boundary, media_type
from tests.stubs.asgi import read_body


def test_a_form_is_written_as_rfc_7578_has_it() -> None:
    parts = [Part("model", "whisper-1"), Part("file", b"\x00\r\n--x\xff", "größe.wav", "audio/wav")]
    assert encoded(parts, "x") == (
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="gr\xc3\xb6\xc3\x9fe.wav"\r\n'
        b"Content-Type: audio/wav\r\n\r\n\x00\r\n--x\xff\r\n--x--\r\n"
    )
    assert media_type("x") == "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    "name", ['a"; name="model', "a\r\nX-Evil: 1\r\n\r\n", "a\nb", "a\rb", "a\x00b", "a\x1fb\x7f", "--b\r\n", '"']
)
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    body = encoded([Part(name, "text"), Part("file", b"data", name, "audio/wav")], "b")
    heads = [head for head in body.split(b"\r\n") if head.startswith(b"Content-Disposition")]
    assert body.count(b"\r\n") == 10
    assert [head.count(b'"') for head in heads] == [2, 4]
    assert all(byte >= 0x20 and byte != 0x7F for head in heads for byte in head)
    form = read_body(media_type("b"), body)
    assert next(iter(form.values())) == "text"
    assert form["file"]["bytes"] == 4


@pytest.mark.parametrize("kind", ["audio/wav\r\nX-Evil: 1", "audio", "", "text/html; charset=x", "audio/wäv"])
def test_a_media_type_that_is_none_becomes_bytes(kind: str) -> None:
    body = encoded([Part("file", b"x", "a", kind)], "b")
    assert b"Content-Type: application/octet-stream\r\n\r\nx\r\n" in body
    assert b"Evil" not in body


def test_a_form_without_fields_is_its_end_alone() -> None:
    assert encoded([], "b") == b"--b--\r\n"


def test_lone_surrogates_are_refused() -> None:
    for part in (Part("a", "\ud800"), Part("a", b"", "\ud800")):
        with pytest.raises(UnicodeEncodeError):
            encoded([part], "b")


def test_no_two_boundaries_are_the_same() -> None:
    assert len({fresh_boundary() for _ in range(100)}) == 100


def test_a_part_does_not_show_what_it_holds() -> None:
    assert "secret" not in repr(Part("a", b"secret"))

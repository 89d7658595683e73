"""JSON that is read at once has no more parts than real answers have, since reading it keeps all others waiting."""

import json

import pytest

from infrastructure.providers.wire import Malformed, bodies

MANY = 250_001
CROWDS = {
    "lists": b"[" + b"[]," * MANY + b"0]",
    "lists in lists": b"[" * MANY,
    "objects": b"[" + b"{}," * MANY + b"0]",
    "keys": b"{" + b'"a":0,' * MANY + b'"b":0}',
    "numbers": b"[" + b"0," * 4_000_001 + b"0]",
}
WORD = {"word": "keys", "start": 1.25, "end": 1.5, "speaker": 0}


@pytest.mark.parametrize("body", CROWDS.values(), ids=CROWDS)
def test_a_crowd_is_not_read(body: bytes) -> None:
    with pytest.raises(Malformed, match="too many parts"):
        bodies.parsed(body)
    assert bodies.lenient(body) == body.decode()


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"index": at, "embedding": [0.12345678] * 1536} for at in range(2048)]},
        {"text": "keys " * 40_000, "words": [WORD] * 40_000},
        {"data": [{"b64_json": "Ab+/" * 2**22}]},
        {"choices": [{"message": {"content": "{'a': [1, 2]}, " * 50_000}}]},
    ],
    ids=["a batch of vectors", "hours of speech", "audio", "a long text of code"],
)
def test_a_large_answer_is_read(answer: object) -> None:
    assert bodies.parsed(json.dumps(answer).encode()) == answer

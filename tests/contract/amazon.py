"""Signed requests in the shape of their recordings, which have no date, no signature, and no `accept` of their own; and
messages of an AWS event stream."""

import base64
import json
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.model.catalogue import FormValues
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec

HEADERS = ("authorization", "content-type", "x-amzn-sagemaker-inference-component")
PAIR: Mapping[str, str] = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG"}


def ours(provider: str, form: FormValues, request: Request) -> rec.Sent:
    return _comparable(rec.sent(ADAPTERS[provider], form, request, HEADERS))


def theirs(provider: str, name: str, *without: str, file: str = "sdk_requests.json") -> rec.Sent:
    return _comparable(rec.recorded(rec.calls(provider, file)[name], without=without, headers=HEADERS))


def replayed(provider: str, name: str) -> bytes:
    """The bytes of a stream that the SDK accepted."""
    return base64.b64decode(rec.calls(provider)[name]["reply_replayed"]["base64"])


def packed(headers: bytes, payload: bytes = b"") -> bytes:
    """A message with its lengths and checksums."""
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    whole = prelude + zlib.crc32(prelude).to_bytes(4) + headers + payload
    return whole + zlib.crc32(whole).to_bytes(4)


def written(headers: Mapping[str, str]) -> bytes:
    """Headers of text."""
    parts = ((name.encode(), value.encode()) for name, value in headers.items())
    return b"".join(bytes([len(n)]) + n + b"\x07" + struct.pack(">H", len(v)) + v for n, v in parts)


def message(kind: str, name: str, payload: Any) -> bytes:
    """An event or an exception with its JSON."""
    headers = {":message-type": kind, f":{kind}-type": name, ":content-type": "application/json"}
    return packed(written(headers), json.dumps(payload).encode())


def _comparable(sent: rec.Sent) -> rec.Sent:
    claim = sent.headers["authorization"]
    claim = re.sub(r"Signature=\S+", "Signature", re.sub(r"/(\d{8}|<yyyymmdd>)/", "/day/", claim))
    return replace(
        sent, headers={**sent.headers, "authorization": claim.replace("SignedHeaders=accept;", "SignedHeaders=")}
    )

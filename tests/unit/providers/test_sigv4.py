"""Signatures of AWS, against AWS's own published vector and those of botocore 1.44.5 at a frozen clock."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from infrastructure.providers.signing.sigv4 import (
    Keys,
    Scope,
    SigV4,
    canonical_request,
    keys_in,
    signature,
    string_to_sign,
)

CONTRACTS = Path(__file__).parents[2] / "contract"
FILES = [
    json.loads((CONTRACTS / f"{name}/sigv4_vectors.json").read_text()) for name in ("aws_bedrock", "amazon_sagemaker")
]
VECTORS = [vector for file in FILES for vector in file["vectors"]]
PUBLISHED = FILES[0]["published_reference"]


def moment(vector: Mapping[str, Any]) -> datetime:
    return datetime.strptime(vector["amz_date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def signed(vector: Mapping[str, Any]) -> httpx2.Request:
    """The vector's request with the headers of its caller, as our signer leaves it."""
    headers = {name: vector["headers"][name] for name in ("accept", "content-type") if name in vector["headers"]}
    request = httpx2.Request(vector["method"], vector["url"], headers=headers, content=vector["body"].encode())
    token = vector.get("session_token")
    keys = Keys(Secret(vector["access_key_id"]), Secret(vector["secret_access_key"]), Secret(token) if token else None)
    auth = SigV4(keys, vector["region"], vector["service_signing_name"], lambda: moment(vector))
    return next(auth.auth_flow(request))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_request_is_signed_as_the_vector_has_it(vector: Mapping[str, Any]) -> None:
    request = signed(vector)
    scope = Scope(vector["amz_date"], vector["region"], vector["service_signing_name"])
    assert canonical_request(request) == vector["canonical_request"]
    assert string_to_sign(scope, canonical_request(request)) == vector["string_to_sign"]
    assert {name: request.headers[name] for name in vector["headers"]} == vector["headers"]


def test_aws_own_vector_is_reproduced() -> None:
    scope = Scope(PUBLISHED["amz_date"], PUBLISHED["region"], PUBLISHED["service_signing_name"])
    request = httpx2.Request("GET", "https://example.amazonaws.com/", headers={"x-amz-date": PUBLISHED["amz_date"]})
    assert canonical_request(request) == PUBLISHED["canonical_request"]
    text = string_to_sign(scope, canonical_request(request))
    assert text == PUBLISHED["string_to_sign"]
    assert signature(Secret(PUBLISHED["secret_access_key"]), scope, text) == PUBLISHED["signature"]


def test_a_query_is_signed_in_order_and_with_escapes_of_one_kind() -> None:
    request = httpx2.Request("GET", httpx2.URL("https://h.example/x").copy_merge_params({"b": "a b+c/=", "a": ""}))
    assert canonical_request(request).split("\n")[2] == "a=&b=a%20b%2Bc%2F%3D"


def test_what_a_proxy_may_change_is_not_signed() -> None:
    headers = {"user-agent": "portunus", "accept-encoding": "identity", "X-Amzn-Thing": " a   b "}
    request = httpx2.Request("GET", "https://h.example:8443/", headers=headers)
    assert canonical_request(request).split("\n")[3:-2] == ["host:h.example:8443", "x-amzn-thing:a b", ""]


def test_a_form_without_a_session_token_signs_without_one() -> None:
    form: FormValues = {
        "aws_access_key_id": Secret("AKIDEXAMPLE"),
        "aws_secret_access_key": Secret("shh"),
    }
    auth = SigV4(keys_in(form), "eu-west-1", "bedrock", lambda: datetime(2026, 11, 23, tzinfo=UTC))
    request = next(auth.auth_flow(httpx2.Request("GET", "https://h.example/")))
    assert "x-amz-security-token" not in request.headers
    assert request.headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-west-1/bedrock/aws4_request, "
    )
    assert "shh" not in str(request.headers)

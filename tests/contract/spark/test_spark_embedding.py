"""Spark's embeddings: requests as the vendor's SDK sends and signs them, replies as it reads them
(sdk_requests_embedding.json: spark_ai_python 0.4.5).

Left out of the comparison: `uid`, an optional name of the application's user, and the spaces in the JSON inside.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from domain import errors
from domain.errors import InvalidRange, UnsupportedFeature, UpstreamError
from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.catalogue import ModelType
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.header import bearer, by_host
from infrastructure.providers.signing.signed_url import signed_url
from tests.contract import recordings as rec

ID, HOST = "spark", "emb-cn-huabei-1.xf-yun.com"
KEYS = {"spark_api_key": "fakeapikey0123456789", "spark_api_secret": "fakeapisecret0123456789"}
FORM = {"api_password": "<password>", "spark_app_id": "abcd1234", **KEYS}
SDK = rec.calls(ID, "sdk_requests_embedding.json")
SIGN = by_host(HOST, signed_url("spark_api_key", "spark_api_secret", lambda: 1_760_000_000.0), bearer("api_password"))


def opened(body: Mapping[str, Any]) -> Any:
    """The body with what lies in its envelope, and without the user's name."""
    header = {name: value for name, value in body["header"].items() if name != "uid"}
    inside = json.loads(base64.b64decode(body["payload"]["messages"]["text"]))
    return {**body, "header": header, "payload": inside}


@pytest.mark.parametrize(
    ("name", "purpose"), [("embedding", EmbedPurpose.DOCUMENT), ("embedding_query", EmbedPurpose.QUERY)]
)
def test_a_text_is_sent_and_signed_as_the_sdk_does(name: str, purpose: EmbedPurpose) -> None:
    adapter, goal = ADAPTERS[ID], rec.target(ID, "embedding", FORM, ModelType.EMBEDDING)
    assert adapter.embed
    request = adapter.embed.render(goal, EmbedCall(("hello",), purpose=purpose))
    ours = rec.sent(replace(adapter, sign=SIGN), goal.form, request, ("content-type", "authorization"))
    theirs = rec.recorded(SDK[name], headers=("content-type", "authorization"))
    assert replace(ours, body=opened(ours.body)) == replace(theirs, body=opened(theirs.body))
    assert request.base == f"https://{HOST}"
    assert adapter.embed.batch(goal) == 1


def test_no_key_of_one_service_goes_to_the_other() -> None:
    auth = SIGN(FORM)
    assert auth
    elsewhere = next(auth.auth_flow(httpx2.Request("POST", "https://spark-api-open.xf-yun.com/v1/chat/completions")))
    assert elsewhere.headers["authorization"] == "Bearer <password>"
    assert not elsewhere.url.query
    there = next(auth.auth_flow(httpx2.Request("POST", f"https://{HOST}/")))
    assert "authorization" not in there.headers
    assert not [value for value in KEYS.values() if value in repr(auth) + str(vars(auth))]


def test_a_chat_needs_no_keys_of_the_embeddings() -> None:
    ours = rec.asked(ID, {"api_password": "<password>"}, "lite", rec.asking("Hello"), headers=("authorization",))
    assert ours.headers == {"authorization": "Bearer <password>"}


@pytest.mark.parametrize("missing", ["spark_app_id", "spark_api_key", "spark_api_secret"])
def test_embeddings_need_the_application_and_its_keys(missing: str) -> None:
    form = {name: value for name, value in FORM.items() if name != missing}
    with pytest.raises(InvalidRange, match=missing):
        rec.embedded(ID, form, "embedding", EmbedCall(("hello",)))


def test_vectors_have_one_length() -> None:
    with pytest.raises(UnsupportedFeature):
        rec.embedded(ID, FORM, "embedding", EmbedCall(("hello",), dimensions=256))


def test_a_vector_is_what_the_sdk_reads() -> None:
    answer = rec.vectors(ID, SDK["embedding"]["reply_replayed"]["body"], 1)
    assert [list(vector) for vector in answer.vectors] == [SDK["embedding"]["sdk_result"]]
    assert (answer.usage.input, answer.usage.output) == (None, None)
    assert not ADAPTERS[ID].failed(SDK["embedding"]["reply_replayed"]["body"])


NAN = base64.b64encode(b"\x00\x00\xc0\x7f").decode()


@pytest.mark.parametrize("text", [None, "", 5, "no base64", "AAA=", NAN], ids=str)
def test_an_answer_without_a_vector_is_the_vendors_fault(text: Any) -> None:
    with pytest.raises(errors.BadRequestUpstream):
        rec.vectors(ID, {"header": {"code": 0}, "payload": {"feature": {"text": text}}}, 1)


@pytest.mark.parametrize(
    ("code", "meaning", "status"),
    [
        (11200, errors.ModelNotFoundUpstream, 403),
        (11202, errors.UpstreamRateLimited, 429),
        (10163, errors.BadRequestUpstream, 400),
        (10907, errors.ContextTooLong, 400),
    ],
)
def test_a_failure_inside_the_envelope_is_read_by_its_number(
    code: int, meaning: type[UpstreamError], status: int
) -> None:
    body = SDK["embedding_error"]["reply_replayed"]["body"]
    assert str(body["header"]["code"]) in SDK["embedding_error"]["sdk_result"]
    body = {"header": {**body["header"], "code": code}}
    assert ADAPTERS[ID].failed(body)
    failure = rec.refused(ID, 200, body)
    assert (type(failure), failure.status, failure.detail) == (meaning, status, body["header"]["message"])


@pytest.mark.parametrize("status", [401, 403])
def test_keys_that_do_not_fit_are_told_by_the_status(status: int) -> None:
    assert type(rec.refused(ID, status, {"message": "HMAC signature does not match"})) is errors.CredentialRejected

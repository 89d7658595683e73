"""Qianfan's access keys: the signature equals that of its own signer (signing_vectors.json: bce-python-sdk 0.9.79; the
last is the signing guide's example). What follows from a token is held for all vendors that give one:
../test_access_keys.py.
"""

from typing import Any

import pytest

from domain.errors import InvalidForm
from domain.model.secret import Secret
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.bce import Exchanged, Pair, authorization
from tests.contract import recordings as rec
from tests.contract.access_keys import BY_ID, QIANFAN, TOKENS_PATH, Cloud, asked

ID = "wenxin"
EXCHANGE = BY_ID[ID]
VECTORS = rec.load(ID, "signing_vectors.json")["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["path"] for vector in VECTORS])
def test_a_signature_is_the_signers(vector: Any) -> None:
    pair = Pair(Secret(vector["access_key_id"]), Secret(vector["secret_access_key"]))
    given = {name.lower(): value for name, value in vector["headers"].items()}
    headers = {name: given[name] for name in vector["signed_headers"]}
    stamp, seconds = vector["auth_string_prefix"].split("/")[2:]
    told = authorization(pair, vector["method"], vector["path"], vector["query"], headers, stamp, int(seconds))
    assert told == vector["expected_authorization"]


@pytest.mark.parametrize("end", ["2025-10-09T20:53:20Z", "2025-10-09T20:53:20", "soon"])
async def test_a_question_is_signed_and_the_end_of_its_token_is_read(end: str) -> None:
    cloud = Cloud(EXCHANGE, answer={"expireTime": end})
    async with asked(cloud) as subject:
        for _ in range(2):
            await subject.chat(EXCHANGE.target(), rec.asking("ping"))
    (headers,) = cloud.claims
    signed = {name: headers[name] for name in ("host", "x-bce-date")}
    query = EXCHANGE.question["query"]
    assert headers["authorization"] == authorization(
        QIANFAN, "GET", TOKENS_PATH, query, signed, "2025-10-09T08:53:20Z", 300
    )


def test_the_form_asks_for_the_pair_or_the_key() -> None:
    provider = ADAPTERS[ID].provider()
    assert isinstance(ADAPTERS[ID].sign(provider.checked(EXCHANGE.form, None)), Exchanged)
    with pytest.raises(InvalidForm) as refused:
        provider.checked({"auth_method": "access_key", "api_key": "k"}, None)
    assert {p.field for p in refused.value.problems} == {"api_key", "access_key", "secret_key"}

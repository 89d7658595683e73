"""VolcanoEngine's access keys: the signature equals the SDK's own (signing_vectors.json: volcenginesdkcore 5.0.54).
What follows from a token is held for all vendors that give one: ../test_access_keys.py.
"""

import pytest

from domain.errors import InvalidForm, InvalidRange, ModelNotFoundUpstream
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.lent import Lent, signed_headers
from tests.contract import recordings as rec
from tests.contract.access_keys import ARK, BY_ID, Cloud, asked

ID = "volcengine"
EXCHANGE = BY_ID[ID]


def test_a_signature_is_the_sdks() -> None:
    (vector,) = rec.load(ID, "signing_vectors.json")["vectors"]
    ours = signed_headers(ARK, vector["host"], vector["query"], vector["body"].encode(), vector["utc"])
    assert ours == {name.lower(): value for name, value in vector["expected_headers"].items()}


async def test_each_endpoint_has_a_key_of_its_own_that_is_asked_for_with_a_signature() -> None:
    cloud = Cloud(EXCHANGE)
    async with asked(cloud) as subject:
        for model in (EXCHANGE.model, "ep-m-20250101000000-fghij"):
            await subject.chat(EXCHANGE.target(model), rec.asking("ping"))
    assert [body["ResourceType"] for *_, body in cloud.asked] == ["endpoint", "presetendpoint"]
    assert cloud.chats == ["Bearer token-1", "Bearer token-2"]
    assert all(c["authorization"].startswith("HMAC-SHA256 Credential=AKLTfakefakefakefake/") for c in cloud.claims)


async def test_a_pair_is_told_that_its_endpoint_is_not_there() -> None:
    async with asked(Cloud(EXCHANGE, refusal=(404, "InvalidEndpoint.NotFound"))) as subject:
        with pytest.raises(ModelNotFoundUpstream):
            await subject.chat(EXCHANGE.target(), rec.asking("ping"))


async def test_a_pair_reaches_endpoints_alone() -> None:
    cloud = Cloud(EXCHANGE)
    async with asked(cloud) as subject:
        with pytest.raises(InvalidRange):
            await subject.chat(EXCHANGE.target("doubao-seed-2-0-lite-260428"), rec.asking("ping"))
    assert (cloud.asked, cloud.chats) == ([], [])


def test_the_form_asks_for_the_pair_or_the_key() -> None:
    provider = ADAPTERS[ID].provider()
    assert isinstance(ADAPTERS[ID].sign(provider.checked(EXCHANGE.form, None)), Lent)
    with pytest.raises(InvalidForm) as refused:
        provider.checked({"auth_method": "aksk", "volc_api_key": "k"}, None)
    assert {p.field for p in refused.value.problems} == {"volc_api_key", "volc_access_key_id", "volc_secret_access_key"}

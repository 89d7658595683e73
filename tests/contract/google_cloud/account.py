"""The service account of the vector (service_account_jwt_vector.json), whose key belongs to nobody."""

import base64
import json
from typing import Any

import httpx2
from Crypto.PublicKey import RSA

from domain.model.catalogue import FormValues
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec

ID = "google_cloud"
VECTOR = rec.load(ID, "service_account_jwt_vector.json")


def _number(name: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(VECTOR["private_key_jwk"][name] + "=="))


_PEM = RSA.construct((_number("n"), _number("e"), _number("d"))).export_key(pkcs=8).decode()


def key_file(**changes: Any) -> str:
    """The JSON file of the account's key."""
    return json.dumps({**VECTOR["service_account_info"], "private_key": _PEM, **changes})


def packed(file: str) -> str:
    return base64.b64encode(file.encode()).decode()


FORM: FormValues = {
    "vertex_project_id": "proj",
    "vertex_location": "us-central1",
    "vertex_service_account_key": packed(key_file()),
}


def let_in(values: FormValues = FORM) -> None:
    """Gives the adapter the token that the recordings were made with, as the vendor would."""
    adapter = ADAPTERS[ID]
    auth = adapter.sign(adapter.provider().checked(values, None))
    assert auth
    flow = auth.auth_flow(httpx2.Request("GET", "https://vendor.example"))
    if "authorization" not in next(flow).headers:
        flow.send(httpx2.Response(200, json={"access_token": "ya29.dummy", "expires_in": 3599}))

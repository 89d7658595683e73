"""Queries that are signed with HMAC-SHA1, in order and unescaped, and say who signed them and when."""

import base64
import hmac
import time
from collections.abc import Callable, Generator

import httpx2

from domain.model.secret import Secret
from infrastructure.providers.forms import secret_in
from infrastructure.providers.signing.header import Sign

Now = Callable[[], float]


class SignedQuery(httpx2.Auth):
    """Signs a request as it leaves: method, address and query, but neither its headers nor its body."""

    def __init__(self, key_id: Secret, key: Secret, now: Now) -> None:
        self._id, self._key, self._now = key_id, key, now

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        told = {**request.url.params, "secretid": self._id.reveal(), "timestamp": str(int(self._now()))}
        request.url = request.url.copy_with(params=dict(sorted(told.items())))
        request.headers["authorization"] = signature(self._key, string_to_sign(request))
        yield request


def string_to_sign(request: httpx2.Request) -> str:
    """The method and the address without its scheme, the query in the order in which it stands there."""
    query = "&".join(f"{name}={value}" for name, value in request.url.params.multi_items())
    return f"{request.method}{request.url.netloc.decode('ascii')}{request.url.path}?{query}"


def signature(key: Secret, text: str) -> str:
    """In Base64."""
    return base64.b64encode(hmac.digest(key.reveal().encode(), text.encode(), "sha1")).decode("ascii")


def signed_query(key_id: str, key: str, now: Now = time.time) -> Sign:
    """Signs with the secret in the form's field `key`, which `key_id` names; good for some minutes."""
    return lambda form: SignedQuery(secret_in(form, key_id), secret_in(form, key), now)

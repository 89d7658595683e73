"""Addresses that are signed with HMAC-SHA256 and say so in their query, as iFLYTEK's services want them."""

import base64
import hmac
import time
from collections.abc import Generator
from email.utils import formatdate

import httpx2

from domain.model.secret import Secret
from infrastructure.providers.forms import secret_in
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.signing.signed_query import Now


class SignedUrl(httpx2.Auth):
    """Signs a request as it leaves: host, date, method and path, but neither its headers nor its body."""

    def __init__(self, key: Secret, secret: Secret, now: Now) -> None:
        self._key, self._secret, self._now = key, secret, now

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        host, date = request.url.netloc.decode("ascii"), formatdate(self._now(), usegmt=True)
        signed = f"host: {host}\ndate: {date}\n{request.method} {request.url.path} HTTP/1.1"
        mark = _base64(hmac.digest(self._secret.reveal().encode(), signed.encode(), "sha256"))
        named = f'api_key="{self._key.reveal()}", algorithm="hmac-sha256", headers="host date request-line"'
        told = {"host": host, "date": date, "authorization": _base64(f'{named}, signature="{mark}"'.encode())}
        request.url = request.url.copy_with(params=told)
        yield request


def signed_url(key: str, secret: str, now: Now = time.time) -> Sign:
    """Signs with the secret in the form's field `secret`, which the one in `key` names; good for some minutes."""
    return lambda form: SignedUrl(secret_in(form, key), secret_in(form, secret), now)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

"""A role of AWS that a tenant's own keys assume (STS, AssumeRole): requests are signed with the keys that it lends."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx2

from domain.errors import UpstreamUnavailable
from domain.model.secret import Secret
from infrastructure.providers.signing.fetched import Fetched
from infrastructure.providers.signing.sigv4 import Keys, SigV4
from infrastructure.providers.signing.tokens import Tokens, name_of
from infrastructure.providers.wire.digging import text

MARGIN = 300.0
"""Seconds before their end in which lent keys are used no more."""

_HOUR = 3_600
_VERSION = "2011-06-15"
_SESSION = "portunus"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_PARTS = ("AccessKeyId", "SecretAccessKey", "SessionToken")


@dataclass(frozen=True, slots=True)
class Role:
    """`external_id` is what its owner may demand of whoever assumes it; `address` is that of STS in the `region`."""

    arn: str
    external_id: str
    region: str
    address: str

    def question(self) -> str:
        """The form that asks for its keys, for an hour."""
        told = {"Action": "AssumeRole", "Version": _VERSION, "RoleArn": self.arn, "RoleSessionName": _SESSION}
        also = {"ExternalId": self.external_id} if self.external_id else {}
        return urlencode({**told, **also, "DurationSeconds": str(_HOUR)})


class AssumedRole(Fetched):
    """Asks with `keys` for those of the role, and signs as `signer` does with these."""

    def __init__(
        self, provider: str, keys: Keys, role: Role, signer: Callable[[Keys], httpx2.Auth], tokens: Tokens
    ) -> None:
        super().__init__(provider, tokens)
        self._keys, self._role, self._signer = keys, role, signer

    def name(self, request: httpx2.Request) -> bytes:  # noqa: ARG002 - the same keys are good for all
        token = self._keys.token.reveal() if self._keys.token else ""
        own = (self._keys.id.reveal(), self._keys.secret.reveal(), token)
        return name_of(self._role.address, self._role.arn, self._role.external_id, *own)

    def question(self, request: httpx2.Request) -> httpx2.Request:
        headers = {"accept-encoding": "identity", "content-type": _FORM}
        body = self._role.question().encode()
        asked = httpx2.Request("POST", self._role.address, headers=headers, content=body, extensions=request.extensions)
        return next(SigV4(self._keys, self._role.region, "sts", self._now).auth_flow(asked))

    def read(self, status: int, body: Any) -> tuple[Secret, float]:
        """The three parts of the keys as one secret. XML comes as the text that it is."""
        found = [_element(body, part) for part in _PARTS]
        if status != 200 or not all(found):
            code = _element(body, "Code")
            raise self.refused(status, code, kind=UpstreamUnavailable if code.startswith("Throttl") else None)
        return Secret("\n".join(found)), self.tokens.left(_element(body, "Expiration"), _HOUR)

    def signed(self, request: httpx2.Request, token: Secret) -> httpx2.Request:
        keys = Keys(*map(Secret, token.reveal().split("\n")))
        return next(self._signer(keys).auth_flow(request))

    def spent(self, answer: httpx2.Response) -> bool:
        return answer.headers.get("x-amzn-errortype", "").startswith("ExpiredToken")

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.tokens.clock(), UTC)


def _element(body: object, name: str) -> str:
    """The text of the first element of this name. Neither keys nor codes have characters that XML escapes."""
    found = re.search(rf"<{name}>([^<>&\s]+)</{name}>", text(body))
    return found[1] if found else ""

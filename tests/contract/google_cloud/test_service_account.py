"""A service account's token: the assertion of google-auth 2.62.2 (service_account_jwt_vector.json, signed at a frozen
clock), and the exchange by RFC 7523 and RFC 6749 as the vector gives it.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from Crypto.PublicKey import RSA

from domain.errors import (
    BadRequestUpstream,
    CredentialRejected,
    InvalidForm,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.secret import Secret
from infrastructure.providers.signing.service_account import EARLY, ServiceAccount, service_account
from infrastructure.providers.signing.tokens import Tokens
from tests.contract.google_cloud.account import VECTOR, key_file, packed

NOW = datetime.fromisoformat(VECTOR["now"]).timestamp()
FIELD = "vertex_service_account_key"
Flow = Generator[httpx2.Request, httpx2.Response, None]


@dataclass
class Caller:
    """Signs requests with one account, at a clock that is moved by hand."""

    key: str = field(default_factory=lambda: packed(key_file()))
    seconds: float = NOW

    def __post_init__(self) -> None:
        self.sign = service_account("vendor", FIELD, clock=lambda: self.seconds)

    def flow(self, key: str | None = None) -> Flow:
        auth = self.sign({FIELD: Secret(key or self.key)})
        assert auth
        return auth.auth_flow(httpx2.Request("POST", "https://vendor.example/x", headers={"user-agent": "portunus"}))

    def asks(self, key: str | None = None) -> bool:
        """Whether it would ask for a token before the next request."""
        return next(self.flow(key)).url.path == "/token"

    def gets(self, reply: Any, status: int = 200, key: str | None = None) -> httpx2.Request:
        """The request that leaves after this answer of the token server."""
        flow = self.flow(key)
        next(flow)
        return flow.send(httpx2.Response(status, json=reply))


@pytest.mark.parametrize("write", [packed, str], ids=["base64", "json"])
def test_the_token_is_asked_for_as_the_vendors_library_does(write: Callable[[str], str]) -> None:
    asked = next(Caller(write(key_file())).flow())
    form = {name: values[0] for name, values in parse_qs(asked.content.decode()).items()}
    wanted = VECTOR["token_request"]
    assert (asked.method, str(asked.url)) == (wanted["method"], wanted["url"])
    assert asked.headers["content-type"] == wanted["headers"]["content-type"]
    assert form == {"grant_type": wanted["form"]["grant_type"], "assertion": VECTOR["assertion"]}
    assert "authorization" not in asked.headers


def test_the_token_signs_this_request_and_those_after_it_until_shortly_before_its_end() -> None:
    caller = Caller()
    assert caller.gets(VECTOR["token_reply"]).headers["authorization"] == "Bearer ya29.x"
    assert next(caller.flow()).headers["authorization"] == "Bearer ya29.x"
    caller.seconds += 3599 - EARLY - 1
    assert not caller.asks()
    caller.seconds += 1
    assert caller.asks()


def test_a_token_is_no_one_elses() -> None:
    caller = Caller()
    caller.gets(VECTOR["token_reply"])
    assert caller.asks(packed(key_file(private_key_id="kid-2")))


def test_a_token_without_an_end_is_used_once() -> None:
    caller = Caller()
    assert caller.gets({"access_token": "ya29.x"}).headers["authorization"] == "Bearer ya29.x"
    assert caller.asks()


def test_a_refused_token_is_forgotten() -> None:
    caller = Caller()
    caller.gets(VECTOR["token_reply"])
    for status, asks in ((403, False), (401, True)):
        flow = caller.flow()
        next(flow)
        with pytest.raises(StopIteration):
            flow.send(httpx2.Response(status))
        assert caller.asks() is asks


def test_only_so_many_tokens_are_kept() -> None:
    tokens = Tokens(EARLY, lambda: 0.0, room=2)
    for name in (b"a", b"b", b"c"):
        tokens.keep(name, Secret("t"), 3600)
    assert [tokens.find(name) is None for name in (b"a", b"b", b"c")] == [True, False, False]


def test_the_address_in_a_key_file_is_not_followed() -> None:
    caller = Caller(packed(key_file(token_uri="https://evil.example/token")))
    assert str(next(caller.flow()).url) == "https://oauth2.googleapis.com/token"


@pytest.mark.parametrize(
    ("status", "reply", "meaning", "detail"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
            CredentialRejected,
            "no access token: invalid_grant: Invalid JWT Signature.",
        ),
        (401, {"error": "invalid_client"}, CredentialRejected, "no access token: invalid_client"),
        (429, {"error": "rate_limit"}, UpstreamRateLimited, "no access token: rate_limit"),
        (503, "Down", UpstreamUnavailable, "no access token"),
        (302, {}, BadRequestUpstream, "no access token"),
        (200, {"access_token": ""}, BadRequestUpstream, "no access token"),
        (200, {"access_token": "a\r\nb"}, BadRequestUpstream, "no access token"),
        (200, [], BadRequestUpstream, "no access token"),
    ],
)
def test_no_token_is_a_failure_before_anything_was_sent(
    status: int, reply: Any, meaning: type[UpstreamError], detail: str
) -> None:
    with pytest.raises(meaning) as caught:
        Caller().gets(reply, status)
    failure = caught.value
    assert (failure.provider, failure.status, failure.detail, failure.sent) == ("vendor", status, detail, False)


@pytest.mark.parametrize(
    "key",
    [
        "sk-canary",
        packed("[]"),
        packed("{}"),
        packed(key_file(type="authorized_user")),
        packed(key_file(client_email=None)),
        packed(key_file(private_key="-----BEGIN PRIVATE KEY-----canary")),
        packed(key_file(private_key=5)),
        packed(key_file(private_key=RSA.construct(((1 << 4096) + 1, 65_537)).export_key().decode())),
    ],
)
def test_what_is_no_key_file_is_a_problem_of_its_field(key: str) -> None:
    with pytest.raises(InvalidForm) as refused:
        next(Caller(key).flow())
    (problem,) = refused.value.problems
    assert problem.field == FIELD
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_nothing_of_it_shows_a_secret() -> None:
    tokens = Tokens(EARLY, lambda: NOW)
    auth = ServiceAccount("vendor", FIELD, Secret(packed(key_file())), "https://t.example", tokens)
    flow = auth.auth_flow(httpx2.Request("GET", "https://vendor.example"))
    next(flow)
    flow.send(httpx2.Response(200, json={"access_token": "ya29.canary", "expires_in": 3599}))
    shown = repr(auth) + str(vars(auth)) + repr(tokens)
    assert not any(secret in shown for secret in ("canary", packed(key_file())[:40], "PRIVATE"))
    assert not auth.requires_response_body


def test_a_form_without_a_key_signs_nothing() -> None:
    assert service_account("vendor", FIELD)({}) is None

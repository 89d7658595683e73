"""Signing adds headers, shows no secret and never reads a body."""

import httpx2
import pytest

from domain.model.catalogue import FormValues
from domain.model.secret import Secret
from infrastructure.providers.signing.header import bearer, chosen, key_header

CANARY = "sk-canary-0123456789"


def headers(auth: httpx2.Auth | None) -> dict[str, str]:
    assert auth
    assert not auth.requires_request_body
    assert not auth.requires_response_body
    assert CANARY not in repr(auth) + str(vars(auth))
    request = next(auth.auth_flow(httpx2.Request("GET", "https://vendor.example")))
    return {name: value for name, value in request.headers.items() if name != "host"}


def test_a_key_travels_under_its_header() -> None:
    assert headers(bearer("key")({"key": Secret(CANARY)})) == {"authorization": f"Bearer {CANARY}"}
    assert headers(key_header("x-api-key", "key")({"key": Secret(CANARY)})) == {"x-api-key": CANARY}


def test_further_headers_come_from_the_form_or_are_fixed() -> None:
    sign = bearer("key", also={"X-Organization": "organization"}, fixed={"x-version": "1"})
    told = {"authorization": f"Bearer {CANARY}", "x-version": "1"}
    assert headers(sign({"key": Secret(CANARY), "organization": "ours"})) == {**told, "x-organization": "ours"}
    assert headers(sign({"key": Secret(CANARY)})) == told


@pytest.mark.parametrize("form", [{}, {"key": ""}, {"key": Secret("")}], ids=["absent", "empty", "empty secret"])
def test_an_empty_key_sends_no_header_at_all(form: FormValues) -> None:
    assert bearer("key")(form) is None


@pytest.mark.parametrize(("how", "header"), [("", "authorization"), ("bearer", "authorization"), ("own", "x-own")])
def test_a_form_may_choose_how_it_signs(how: str, header: str) -> None:
    sign = chosen("how", {"bearer": bearer("key"), "own": key_header("x-own", "key")})
    assert headers(sign({"key": Secret(CANARY), "how": how})).keys() == {header}

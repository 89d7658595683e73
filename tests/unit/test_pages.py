"""The page machinery: strict headers, forms that nobody else can send, and nowhere else to be led to."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.pages.browser import BODY_LIMIT, Browser, local, posted, see, signed_in, to_sign_in
from api.pages.page import files, page, problems
from tests.unit.usecases.people import accounts

ISSUER = "https://portunus.example"


async def shown(request: Request) -> Response:
    return page(request, "problem.html", title="A title", advice="<b>", form_action=["https://shop.example"])


async def sent(request: Request) -> Response:
    fields = await posted(request)
    return see(f"/done?{','.join(sorted(fields))}")


async def broken(request: Request) -> Response:
    raise ValueError("a secret")


async def private(request: Request) -> Response:
    return Response("in") if await signed_in(request) else to_sign_in(request)


def app(issuer: str = ISSUER) -> Starlette:
    shows = {"/page": shown, "/private": private, "/broken": broken}
    routes = [*(Route(path, show) for path, show in shows.items()), Route("/send", sent, methods=["POST"]), files()]
    made = Starlette(routes=routes, exception_handlers=problems())
    made.state.browser = Browser(issuer, b"k" * 32, accounts())
    return made


@pytest.fixture
async def browser() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app())
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        client.headers["accept"] = "text/html"
        yield client


def token_of(client: httpx2.AsyncClient) -> str:
    return Browser(ISSUER, b"k" * 32, accounts()).form_token(client.cookies["__Host-portunus-form"])


async def test_a_page_carries_strict_headers_and_nothing_from_elsewhere(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/page")
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https://shop.example; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "<script" not in answer.text
    assert set(re.findall(r'(?:src|href)="([^"]+)"', answer.text)) <= {
        "/static/portunus.svg",
        "/static/pages.css",
        "#main",
        "/account",
    }
    assert answer.text.startswith('<!doctype html>\n<html lang="en">')
    assert "&lt;b&gt;" in answer.text
    for name in ("pages.css", "portunus.svg"):
        assert (await browser.get(f"/static/{name}")).status_code == 200


async def test_the_cookie_of_forms_is_for_this_host_and_no_script(browser: httpx2.AsyncClient) -> None:
    cookie = (await browser.get("/page")).headers["set-cookie"]
    assert re.fullmatch(r"__Host-portunus-form=[\w-]{43}; HttpOnly; Path=/; SameSite=lax; Secure", cookie)
    assert "set-cookie" not in (await browser.get("/page")).headers


async def test_over_plain_http_on_loopback_the_cookie_does_without_prefix() -> None:
    issuer = "http://127.0.0.1:8080"
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app(issuer)), base_url=issuer) as client:
        answer = await client.get("/page")
    assert re.fullmatch(r"portunus-form=[\w-]{43}; HttpOnly; Path=/; SameSite=lax", answer.headers["set-cookie"])


async def test_a_form_of_this_browser_is_taken(browser: httpx2.AsyncClient) -> None:
    await browser.get("/page")
    fields = {"form_token": token_of(browser), "name": "é"}
    answer = await browser.post("/send", data=fields, headers={"origin": ISSUER})
    assert (answer.status_code, answer.headers["location"]) == (303, "/done?form_token,name")
    assert (await browser.post("/send", data=fields)).status_code == 303


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://portunus.example", f"{ISSUER}:444"])
async def test_a_form_from_another_origin_is_refused(browser: httpx2.AsyncClient, origin: str) -> None:
    await browser.get("/page")
    answer = await browser.post("/send", data={"form_token": token_of(browser)}, headers={"origin": origin})
    assert answer.status_code == 403
    assert "sent from elsewhere" in answer.text


async def test_a_form_without_the_right_token_is_refused(browser: httpx2.AsyncClient) -> None:
    assert (await browser.post("/send", data={"form_token": ""})).status_code == 403
    await browser.get("/page")
    stolen = Browser(ISSUER, b"k" * 32, accounts()).form_token("another browser's cookie")
    for token in ("", "x", "é", stolen):
        assert (await browser.post("/send", data={"form_token": token})).status_code == 403


async def test_what_is_no_form_is_refused(browser: httpx2.AsyncClient) -> None:
    await browser.get("/page")
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await browser.post("/send", json={})).status_code == 415
    assert (await browser.post("/send", content=b"a" * (BODY_LIMIT + 1), headers=form)).status_code == 413
    assert (await browser.post("/send", content=b"a=%ff", headers=form)).status_code == 400


async def test_whoever_is_not_signed_in_is_led_to_sign_in_and_back(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/private?a=b%20c&d=e")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fprivate%3Fa%3Db%2520c%26d%3De"


async def test_an_unknown_page_is_a_page_for_browsers_alone(browser: httpx2.AsyncClient) -> None:
    for path, status in (("/nowhere", 404), ("/send", 405)):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "Start from your account" in answer.text or "start from your account" in answer.text
    answer = await browser.get("/nowhere", headers={"accept": "*/*"})
    assert (answer.status_code, answer.text) == (404, "Not Found")


async def test_what_is_unforeseen_is_a_page_that_tells_nothing() -> None:
    transport = httpx2.ASGITransport(app=app(), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        for accept, said in (("text/html", "Something unforeseen happened"), ("*/*", "server_error")):
            answer = await client.get("/broken", headers={"accept": accept})
            assert (answer.status_code, said in answer.text, "secret" in answer.text) == (500, True, False)


PAIRS = [
    ("text", "card", 4.5),
    ("text", "ground", 4.5),
    ("quiet", "card", 4.5),
    ("accent", "card", 4.5),
    ("accent", "ground", 4.5),
    ("on-accent", "accent", 4.5),
    ("danger", "card", 4.5),
    ("danger", "danger-ground", 4.5),
    ("notice", "notice-ground", 4.5),
    ("edge", "card", 3),
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_what_is_to_be_read_stands_out(scheme: int) -> None:
    """WCAG 2.2, success criteria 1.4.3 and 1.4.11."""
    css = (Path(page.__code__.co_filename).parent / "static/pages.css").read_text()
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]
    colours = {name: luminance(value) for name, value in re.findall(r"--([\w-]+): #(\w{6})", block)}
    for one, other, least in PAIRS:
        dark, light = sorted((colours[one], colours[other]))
        assert (light + 0.05) / (dark + 0.05) >= least, (one, other)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("address", ["/", "/account", "/oauth/authorize?a=b&c=%2F%2Fd", "/%2f%2fevil.example", "/a//b"])
def test_paths_of_ours_are_followed(address: str) -> None:
    assert local(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "account",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: b=c",
        " //evil.example",
        "/ é",
        "%2f%2fevil.example",
        "/a\\b",
    ],
)
def test_nobody_is_led_elsewhere(address: str | None) -> None:
    assert local(address) == "/account"

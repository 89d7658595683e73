"""Redirect URIs: exact, but for the port of a native app's loopback address; nothing that a browser would run."""

import pytest

from domain.model.redirects import own_to_this_machine, permitted, shown, with_answer

KNOWN = ("https://shop.example/back?x=1", "http://127.0.0.1/cb", "http://[::1]:1/cb", "com.shop.app:/cb")


@pytest.mark.parametrize(
    "uri",
    [
        *KNOWN,
        "http://127.0.0.1:49152/cb",
        "http://127.0.0.1:1/cb",
        "http://[::1]:65535/cb",
        "http://[::1]/cb",
    ],
)
def test_where_an_application_is_registered_it_gets_its_answer(uri: str) -> None:
    assert permitted(uri, KNOWN)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://shop.example/back",
        "https://shop.example/back?x=1&y=2",
        "https://shop.example/back?x=1#f",
        "https://shop.example/back/?x=1",
        "https://shop.example:443/back?x=1",
        "https://SHOP.example/back?x=1",
        "https://shop.example/other/../back?x=1",
        "https://shop.example@evil.example/back?x=1",
        "https://evil.example/https://shop.example/back?x=1",
        "http://shop.example/back?x=1",
        "//shop.example/back?x=1",
        "http://127.0.0.1/cb/",
        "http://127.0.0.1:x/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1:80:90/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.2:80/cb",
        "http://localhost:80/cb",
        "http://[::1]:5/other",
        "https://127.0.0.1:80/cb",
        "HTTP://127.0.0.1:80/cb",
        "com.shop.app:/cb/more",
        " https://shop.example/back?x=1",
        "https://shop.example/back?x=1\n",
    ],
)
def test_nobody_else_does(uri: str) -> None:
    assert not permitted(uri, KNOWN)


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "https://a.b/#x"])
def test_what_a_browser_would_run_or_cut_is_never_permitted(uri: str) -> None:
    assert not permitted(uri, (uri,))


def test_only_https_says_who_gets_the_code() -> None:
    assert [own_to_this_machine(uri) for uri in KNOWN] == [False, True, True, True]


def test_a_person_is_shown_who_is_behind_an_address() -> None:
    assert [shown(uri) for uri in KNOWN] == ["shop.example", "127.0.0.1", "[::1]:1", "com.shop.app:"]


@pytest.mark.parametrize(
    ("uri", "answered"),
    [
        ("https://a.b", "https://a.b?state=%26+%3D&iss=i"),
        ("https://a.b/?", "https://a.b/?state=%26+%3D&iss=i"),
        ("https://a.b/?x=1", "https://a.b/?x=1&state=%26+%3D&iss=i"),
        ("app:///cb", "app:///cb?state=%26+%3D&iss=i"),
    ],
)
def test_an_answer_is_added_to_what_is_there(uri: str, answered: str) -> None:
    assert with_answer(uri, {"state": "& =", "code": None, "iss": "i"}) == answered

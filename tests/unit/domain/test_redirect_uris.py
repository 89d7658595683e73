"""Where people may be sent back to: the rules, on texts that browsers and parsers disagree on."""

import pytest

from domain.errors import InvalidRange
from domain.model.redirect_uris import check_redirect_uris, check_resource


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback",
        "https://app.example",
        "https://app.example:8443/cb?tenant=1&x=%2F",
        "https://[2001:db8::1]/cb",
        "http://localhost/cb",
        "http://localhost:53682/",
        "http://127.0.0.1:53682/cb",
        "http://[::1]:53682/cb",
        "com.example.app:/signed-in",
        "com.example.app://signed-in/here",
    ],
)
def test_these_are_good(uri: str) -> None:
    check_redirect_uris([uri], public=True)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "//app.example/cb",
        "app.example/cb",
        "https:",
        "https:/cb",
        "https:///cb",
        "https://app.example/cb#",
        "https://app.example/#token",
        "https://user@app.example/cb",
        "https://user:word@app.example/cb",
        "https://app.example@evil.example/cb",
        "https://app.example%2f@evil.example/",
        "https://app.example%00.evil.example/",
        "https://app.example\\@evil.example/cb",
        "https://app.example/cb\n",
        "https://app.example/\tcb",
        " https://app.example/cb",
        "https://app.example/a b",
        "https://äpp.example/cb",
        "https://app.example:port/cb",
        "https://app.example:99999/cb",
        "https://app.example/%zz",
        "https://[::1/cb",
        "https://*.app.example/cb",
        "https://app.example/*",
        "http://app.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.1/cb",
        "http://0.0.0.0/cb",
        "http://localhost.evil.example/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "javascript:alert(1)",
        "JavaScript://app.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/hosts",
        "vbscript:x",
        "about:blank",
        "myapp:/signed-in",
        "myapp://signed-in",
        "com.example.app:signed-in",
        "com..app:/x",
        "urn:ietf:wg:oauth:2.0:oob",
        "https://app.example/" + "x" * 2_000,
    ],
)
def test_these_are_refused(uri: str) -> None:
    with pytest.raises(InvalidRange) as refused:
        check_redirect_uris(["https://app.example/cb", uri], public=True)
    assert refused.value.field == "redirectUris"
    assert len(uri) < 6 or uri not in refused.value.message


def test_a_scheme_of_its_own_is_for_what_can_keep_no_secret() -> None:
    with pytest.raises(InvalidRange, match="https"):
        check_redirect_uris(["com.example.app:/cb"], public=False)


def test_there_are_at_most_twenty() -> None:
    many = [f"https://app.example/{number}" for number in range(21)]
    check_redirect_uris(many[:20], public=False)
    with pytest.raises(InvalidRange, match="at most 20"):
        check_redirect_uris(many, public=False)


def test_a_resource_server_is_an_address_on_the_web() -> None:
    check_resource("https://api.partner.example/v1")
    for wrong in ("com.example.app:/x", "http://api.partner.example", "https://api.partner.example#x", "partner"):
        with pytest.raises(InvalidRange, match="resource"):
            check_resource(wrong)

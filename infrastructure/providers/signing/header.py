"""Keys that travel in a header."""

from collections.abc import Callable, Generator, Mapping

import httpx2

from domain.model.catalogue import FormValues
from domain.model.secret import Secret

Sign = Callable[[FormValues], httpx2.Auth | None]


class Headers(httpx2.Auth):
    """Adds these headers to a request as it leaves; the values stay wrapped until then."""

    def __init__(self, headers: Mapping[str, Secret]) -> None:
        self._headers = headers

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        for name, value in self._headers.items():
            request.headers[name] = value.reveal()
        yield request


def key_header(
    header: str,
    field: str,
    *,
    scheme: str = "",
    also: Mapping[str, str] | None = None,
    fixed: Mapping[str, str] | None = None,
) -> Sign:
    """`header: scheme key`, with the key from the form's `field`.

    `also` maps further headers to the form's fields, `fixed` to values. A field that is empty sends no header at all:
    some gateways refuse an empty one.
    """
    prefixes = {header: (field, scheme + " " if scheme else ""), **{h: (f, "") for h, f in (also or {}).items()}}
    constant = {name: Secret(value) for name, value in (fixed or {}).items()}

    def sign(form: FormValues) -> httpx2.Auth | None:
        headers = dict(constant)
        for name, (source, prefix) in prefixes.items():
            value = form.get(source, "")
            plain = value.reveal() if isinstance(value, Secret) else value
            if plain:
                headers[name] = Secret(prefix + plain)
        return Headers(headers) if headers else None

    return sign


def bearer(field: str, *, also: Mapping[str, str] | None = None, fixed: Mapping[str, str] | None = None) -> Sign:
    """`Authorization: Bearer key` (RFC 6750, section 2.1), with the key from the form's `field`."""
    return key_header("Authorization", field, scheme="Bearer", also=also, fixed=fixed)


class ByHost(httpx2.Auth):
    """Signs requests to one host in one way, and all others in another, if at all."""

    def __init__(self, host: str, there: Callable[[], httpx2.Auth | None], elsewhere: httpx2.Auth | None) -> None:
        self._host, self._there, self._elsewhere = host, there, elsewhere

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        auth = self._there() if request.url.host == self._host else self._elsewhere
        yield from auth.auth_flow(request) if auth else (request,)


def by_host(host: str, there: Sign, elsewhere: Sign) -> Sign:
    """What signs for `host` alone is asked for no sooner than a request goes there: its keys may be missing."""
    return lambda form: ByHost(host, lambda: there(form), elsewhere(form))


def chosen(field: str, signs: Mapping[str, Sign]) -> Sign:
    """As the form's `field` says; the first way when it says nothing."""
    usual = next(iter(signs))
    return lambda form: signs[str(form.get(field) or usual)](form)

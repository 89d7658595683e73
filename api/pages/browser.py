"""What ties a page to the browser before it: its cookies, and forms that nobody else can send."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from api.pages.refusal import Refused
from domain.model.secret import Secret
from domain.usecases.accounts import Accounts, SignedIn, Visitor

Form = ImmutableMultiDict[str, str]

BODY_LIMIT = 64 * 1_024
FORM_FIELD = "form_token"
HOME = "/account"

_FORM = "application/x-www-form-urlencoded"
_LOCAL = re.compile(r"/(?!/)[!-\[\]-~]*")
"""A path of ours: printable ASCII without a backslash, which browsers take for a slash."""


@dataclass(frozen=True, slots=True)
class Browser:
    """What every page needs: kept as `app.state.browser`. `form_key` seals forms and short-lived cookies."""

    issuer: str
    form_key: bytes
    accounts: Accounts

    @property
    def secure(self) -> bool:
        return self.issuer.startswith("https:")

    def cookie(self, name: str = "") -> str:
        """The full name of a cookie of ours; the session's without a name.

        Over plain HTTP, so on loopback alone, there is no prefix: not every browser keeps `__Host-` cookies there.
        """
        return ("__Host-" if self.secure else "") + "-".join(filter(None, ("portunus", name)))

    def form_token(self, bound_to: str) -> str:
        return self.sealed("form", bound_to)

    def sealed(self, purpose: str, text: str) -> str:
        """A MAC over the text, good for one purpose alone."""
        mac = hmac.digest(self.form_key, f"{purpose}\0{text}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def browser(request: Request) -> Browser:
    found: Browser = request.app.state.browser
    return found


async def signed_in(request: Request) -> SignedIn | None:
    """Who is before the page, or None."""
    house = browser(request)
    return await house.accounts.signed_in(request.cookies.get(house.cookie()))


def visitor(request: Request) -> Visitor:
    """An address of IPv6 stands for its network of 64 bits, which is what one subscriber has."""
    cookie = request.cookies.get(browser(request).cookie())
    return Visitor(request.headers.get("user-agent", ""), _address(request), cookie)


def admitted(request: Request, session: Secret, address: str) -> Response:
    """On to a page of ours, with the cookie of a session that was opened."""
    answer = see(address)
    keep(request, answer, session.reveal(), seconds=int(browser(request).accounts.lifetime.total_seconds()))
    return answer


def to_sign_in(request: Request) -> Response:
    """To the sign-in page, and from there back to where the person wanted to go."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return see(f"/sign-in?{urlencode({'next': here})}")


def see(address: str) -> Response:
    """303: the browser goes on with GET, and never sends the form again on its own."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def local(address: str | None) -> str:
    """The address when it leads to a page of ours, else the page that a person starts from."""
    return address if address and _LOCAL.fullmatch(address) else HOME


def keep(request: Request, response: Response, value: str, name: str = "", *, seconds: int | None = None) -> None:
    """Set a cookie that neither scripts nor other hosts can read; it goes with the browser, or after `seconds`."""
    house = browser(request)
    response.set_cookie(
        house.cookie(name), value, max_age=seconds, secure=house.secure, httponly=True, samesite="lax", path="/"
    )


def kept(request: Request, name: str) -> str | None:
    return request.cookies.get(browser(request).cookie(name))


def drop(request: Request, response: Response, name: str = "") -> None:
    keep(request, response, "", name, seconds=0)


def binding(request: Request) -> tuple[str, bool]:
    """What forms of this browser are bound to, and whether that is new and still to be kept as the cookie `form`."""
    bound_to = request.cookies.get(browser(request).cookie()) or kept(request, "form")
    return (bound_to, False) if bound_to else (secrets.token_urlsafe(32), True)


async def posted(request: Request) -> Form:
    """The form that this browser sent from a page of ours; Refused for any other."""
    house = browser(request)
    origins = request.headers.getlist("origin")
    if origins and origins != [house.issuer]:
        raise Refused(403, "This form was sent from elsewhere", f"Forms of Portunus work at {house.issuer} alone.")
    form = _read(await _body(request))
    bound_to, new = binding(request)
    expected = house.form_token(bound_to)
    if new or not hmac.compare_digest(form.get(FORM_FIELD, "").encode(), expected.encode()):
        raise Refused(
            403, "This form is out of date", "Open the page again, and send the form from there. Allow cookies."
        )
    return form


def _address(request: Request) -> str | None:
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False))
    return str(address)


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refused(415, "This is not a form", "Use the form on the page.")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_LIMIT:
                raise Refused(413, "This form is too long", "Shorten what you typed, and send it again.")
    except ClientDisconnect:
        raise Refused(400, "The form broke off", "Send it again.") from None
    return bytes(body)


def _read(body: bytes) -> Form:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError:
        raise Refused(400, "The form cannot be read", "Open the page again, and send the form from there.") from None
    return ImmutableMultiDict(pairs)

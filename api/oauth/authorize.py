"""The authorization endpoint in a browser: its parameters in, pages and redirects out (RFC 6749, section 4.1)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from api.oauth.words import REFUSALS, destination, limits, sentences
from api.pages.browser import Form, posted, see, signed_in
from api.pages.page import page, problem
from api.pages.refusal import Refused
from domain.model.access import Scope
from domain.model.authorization_request import SIGNED_IN_AFTER, Sent
from domain.model.ids import PersonId
from domain.model.issuing import Lifetimes
from domain.model.redirects import scheme
from domain.usecases.accounts import SignedIn
from domain.usecases.authorizing import Authorizing, Outcome, Redirect, Refusal, SignIn, Stranger
from domain.usecases.consenting import Question, Reply

LIMIT = 16 * 1_024
"""Bytes of all parameters."""
ENDPOINT = "/oauth/authorize"

_CONTINUE = "/oauth/continue"
_ONWARD = ("https:",)
"""Browsers hold all redirects behind a form to `form-action`, and applications send people on within their sites."""
_FORM = "application/x-www-form-urlencoded"


class AuthorizationPages:
    def __init__(self, authorizing: Authorizing, lifetimes: Lifetimes) -> None:
        self.authorizing = authorizing
        self.lifetimes = lifetimes

    def routes(self) -> list[Route]:
        return [
            Route(ENDPOINT, self.asked, methods=["GET"]),
            Route(ENDPOINT, self.posted, methods=["POST"]),
            Route("/oauth/consent", self.answered, methods=["POST"]),
            Route(_CONTINUE, self.signed_in, methods=["GET"]),
        ]

    async def asked(self, request: Request) -> Response:
        return await self._next(request, parameters(request.scope["query_string"]), None)

    async def posted(self, request: Request) -> Response:
        """Like GET (OpenID Connect Core 1.0, section 3.1.2.1), by way of it: a form from elsewhere has no session."""
        pairs = _pairs(await _form(request))
        return _refusal(request, Refusal.UNREADABLE) if pairs is None else see(f"{ENDPOINT}?{urlencode(pairs)}")

    async def answered(self, request: Request) -> Response:
        """The form of the consent page. It carries the application's request, which is judged anew like any other."""
        form = await posted(request)
        return await self._next(request, parameters(form.get("request", "").encode()), reply(form))

    async def signed_in(self, request: Request) -> Response:
        """Back from sign-in. Browsers hold a form's redirects to the policy of its page, so they end on this one."""
        address = f"{ENDPOINT}?{_query(request)}"
        return page(request, "continue.html", headers={"Refresh": f"0; url={address}"}, address=address)

    async def _next(self, request: Request, sent: Sent | Refusal, answer: Reply | None) -> Response:
        if isinstance(sent, Refusal):
            return _refusal(request, sent)
        me = await signed_in(request)
        return self._shown(request, sent, await self.authorizing.authorize(sent, me, answer), me)

    def _shown(self, request: Request, sent: Sent, outcome: Outcome, me: SignedIn | None) -> Response:
        match outcome:
            case Refusal():
                return _refusal(request, outcome)
            case Redirect():
                return see(outcome.uri)
            case SignIn():
                return see(_to_sign_in(sent, outcome.at, again=me is not None))
            case Stranger():
                return page(request, "stranger.html", 403, signed_in=me, stranger=outcome, again=self._another(sent))
            case Question():
                return self._question(request, sent, outcome, me)

    def _question(self, request: Request, sent: Sent, asked: Question, me: SignedIn | None) -> Response:
        assert asked.redirect_uri is not None
        return page(
            request,
            "consent.html",
            form_action=[source(asked.redirect_uri), *_ONWARD],
            signed_in=me,
            **shown(asked, self.lifetimes),
            query=urlencode(sent),
            destination=destination(asked.redirect_uri),
            again=self._another(sent),
        )

    def _another(self, sent: Sent) -> str:
        """To where the person signs in with another account."""
        return _to_sign_in(sent, int(self.authorizing.clock().timestamp()), again=True)


def shown(asked: Question, lifetimes: Lifetimes) -> dict[str, Any]:
    """What every page needs that asks a person this."""
    return {
        "question": asked,
        "given": sentences(asked.given),
        "withheld": sentences(asked.withheld),
        "limits": limits(asked, lifetimes),
        "scopes": " ".join(sorted(asked.given)),
    }


def reply(form: Form) -> Reply | None:
    """What was pressed on such a page; None for anything that it does not send."""
    scopes = form.get("scopes", "").split() if form.get("answer") == "allow" else []
    try:
        said = Reply(PersonId(UUID(form.get("person", ""))), frozenset(map(Scope, scopes)))
    except ValueError:
        return None
    return said if form.get("answer") in ("allow", "deny") else None


def parameters(query: bytes) -> Sent | Refusal:
    """Each once, without empty ones."""
    pairs = _pairs(query)
    if pairs is None:
        return Refusal.UNREADABLE
    if len(dict(pairs)) < len(pairs):
        return Refusal.REPEATED
    return {name: value for name, value in pairs if value}


def source(uri: str) -> str:
    """The redirect's origin as a policy can name it, which for a port on an IPv6 address is its scheme alone."""
    parts = urlsplit(uri)
    plain = parts.netloc and "[" not in parts.netloc and scheme(uri) in ("https", "http")
    return f"{scheme(uri)}://{parts.netloc}" if plain else f"{scheme(uri)}:"


def _pairs(query: bytes) -> list[tuple[str, str]] | None:
    if len(query) > LIMIT:
        return None
    try:
        return parse_qsl(query.decode(), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        return None


def _query(request: Request) -> str:
    """The parameters written anew, so that nothing but parameters is in them."""
    return urlencode(_pairs(request.scope["query_string"]) or [])


def _to_sign_in(sent: Mapping[str, str], at: int, *, again: bool) -> str:
    """`again` asks even somebody who is signed in."""
    back = urlencode({**sent, SIGNED_IN_AFTER: str(at)})
    return f"/sign-in?{urlencode({**({'again': '1'} if again else {}), 'next': f'{_CONTINUE}?{back}'})}"


def _refusal(request: Request, refusal: Refusal) -> Response:
    return problem(request, Refused(400, *REFUSALS[refusal]))


async def _form(request: Request) -> bytes:
    """As much of the body as may be one byte too long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refused(415, *REFUSALS[Refusal.UNREADABLE])
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LIMIT:
                break
    except ClientDisconnect:
        raise Refused(400, *REFUSALS[Refusal.UNREADABLE]) from None
    return bytes(body)

"""To an external OpenID provider and back: to sign in, to link an account, or to make one for an invitation."""

import base64
import binascii
import hmac
import json
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.pages.account import mine
from api.pages.browser import HOME, admitted, browser, drop, keep, kept, local, see, signed_in, visitor
from api.pages.invitation import JOINED, gone, left, waiting
from api.pages.page import page
from api.pages.people import People
from api.pages.refusal import Refused
from domain.errors import DuplicateName, NoOtherWay, NotFound, ProviderFailed
from domain.model.people import Departure, Recognised
from domain.ports import IdentityProvider

COOKIE = "openid"
SECONDS = 600
"""How long a person may stay at the provider."""

_LEFT_OUT = (
    "Sign in with your password and link the provider on the page of your account, or open your invitation again."
)


@dataclass(frozen=True, slots=True)
class OpenIdPages:
    people: People

    async def sign_in(self, request: Request) -> Response:
        departure = await self._departure()
        to = local(request.query_params.get("next"))
        return _kept(request, see(departure.address), departure, purpose="sign-in", next=to)

    async def join(self, request: Request) -> Response:
        waiting(request)
        departure = await self._departure()
        return _kept(request, see(departure.address), departure, purpose="invitation")

    async def link(self, request: Request) -> Response:
        """A page with the way there: no policy of ours has to name where the provider may lead."""
        me, _ = await mine(request)
        departure = await self._departure()
        values: dict[str, Any] = {"provider": self.people.provider_name, "address": departure.address}
        answer = page(request, "link.html", signed_in=me, **values)
        return _kept(request, answer, departure, purpose="link", session=me.session.digest.hex())

    async def unlink(self, request: Request) -> Response:
        me, _ = await mine(request)
        try:
            await self.people.recognition.unlink(me)
        except NoOtherWay as refusal:
            raise Refused(409, "This is your only way to sign in", refusal.message) from None
        return see(f"{HOME}?done=unlinked")

    async def arrive(self, request: Request) -> Response:
        """Back from the provider."""
        trip = _trip(request)
        try:
            who = await self._provider.arrival(Departure(**trip["departure"]), dict(request.query_params))
        except ProviderFailed as problem:
            raise Refused(502, "The provider did not sign you in", problem.message) from None
        answer = await self._welcomed(request, trip, who)
        drop(request, answer, COOKIE)
        return answer

    async def _welcomed(self, request: Request, trip: dict[str, Any], who: Recognised) -> Response:
        if trip["purpose"] == "link":
            return await self._linked(request, trip, who)
        if trip["purpose"] == "invitation":
            return await self._joined(request, who)
        try:
            session = await self.people.recognition.sign_in(who, visitor(request))
        except NotFound:
            raise Refused(403, "No account is linked to this sign-in", _LEFT_OUT) from None
        return admitted(request, session, trip["next"])

    async def _linked(self, request: Request, trip: dict[str, Any], who: Recognised) -> Response:
        me = await signed_in(request)
        if me is None or me.session.digest.hex() != trip["session"]:
            raise Refused(403, "You are signed out", "Sign in again, then link the provider.")
        try:
            await self.people.recognition.link(me, who)
        except DuplicateName:
            raise Refused(409, "This sign-in belongs to another account", "Unlink it there first.") from None
        return see(f"{HOME}?done=linked")

    async def _joined(self, request: Request, who: Recognised) -> Response:
        try:
            session = await self.people.joining.join_recognised(waiting(request), who, visitor(request))
        except NotFound:
            raise gone() from None
        except DuplicateName:
            advice = "Sign in to it, open the invitation again, and link the provider on the page of your account."
            raise Refused(409, "You have an account already", advice) from None
        return left(request, admitted(request, session, JOINED))

    async def _departure(self) -> Departure:
        try:
            return await self._provider.departure()
        except ProviderFailed as problem:
            raise Refused(502, "The provider cannot be reached", problem.message) from None

    @property
    def _provider(self) -> IdentityProvider:
        if self.people.provider is None:
            raise Refused(404, "There is no such page", "Sign in with your password.")
        return self.people.provider


def _kept(request: Request, answer: Response, departure: Departure, **more: str) -> Response:
    """With a sealed cookie of where the person went, and why."""
    told = {"departure": asdict(departure), "until": _now(request) + SECONDS, **more}
    text = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    keep(request, answer, f"{text}.{browser(request).sealed(COOKIE, text)}", COOKIE, seconds=SECONDS)
    return answer


def _trip(request: Request) -> dict[str, Any]:
    text, _, seal = (kept(request, COOKIE) or "").partition(".")
    lost = Refused(400, "The sign-in took too long", "Start it again. Allow cookies.")
    if not hmac.compare_digest(seal.encode(), browser(request).sealed(COOKIE, text).encode()):
        raise lost
    try:
        trip: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, binascii.Error):
        raise lost from None
    if trip["until"] < _now(request):
        raise lost
    return trip


def _now(request: Request) -> float:
    return browser(request).accounts.clock().timestamp()

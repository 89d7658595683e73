"""The page on which a person types the code that a device shows, and lets it in (RFC 8628, section 3.3)."""

import math
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.oauth.authorize import reply, shown
from api.pages.browser import posted, see, signed_in, to_sign_in
from api.pages.page import page
from domain.model.issuing import Lifetimes
from domain.usecases.accounts import SignedIn
from domain.usecases.consenting import Question
from domain.usecases.device_verification import Decided, DeviceVerification, Found, NoDevice, Wait, normal

PATH = "/device"
_UNKNOWN = "No device waits with this code. Check it, or let the device show a new one."


class DevicePages:
    def __init__(self, verification: DeviceVerification, lifetimes: Lifetimes) -> None:
        self.verification = verification
        self.lifetimes = lifetimes

    def routes(self) -> list[Route]:
        return [
            Route(PATH, self.opened, methods=["GET"]),
            Route(PATH, self.typed, methods=["POST"]),
            Route(f"{PATH}/answer", self.answered, methods=["POST"]),
        ]

    async def opened(self, request: Request) -> Response:
        """Nothing is looked up yet: a link with a code in it must not let anything in without a look at the device."""
        me = await signed_in(request)
        if me is None:
            return to_sign_in(request)
        return _field(request, me, readable(request.query_params.get("user_code", "")))

    async def typed(self, request: Request) -> Response:
        form, me = await posted(request), await signed_in(request)
        user_code = form.get("user_code", "")
        if me is None:
            return _sign_in_again(user_code)
        return self._next(request, me, user_code, await self.verification.find(me, user_code))

    async def answered(self, request: Request) -> Response:
        form, me = await posted(request), await signed_in(request)
        user_code, said = form.get("user_code", ""), reply(form)
        if me is None:
            return _sign_in_again(user_code)
        found = await (self.verification.decide(me, user_code, said) if said else self.verification.find(me, user_code))
        return self._next(request, me, user_code, found)

    def _next(self, request: Request, me: SignedIn, user_code: str, found: Found | Decided) -> Response:
        match found:
            case NoDevice():
                return _field(request, me, readable(user_code), 400, {"user_code": _UNKNOWN})
            case Wait():
                seconds = math.ceil(found.left.total_seconds())
                error = {"user_code": f"There were too many wrong codes. Try again in {seconds} seconds."}
                return _field(request, me, readable(user_code), 429, error, {"Retry-After": str(seconds)})
            case Question():
                values = {**shown(found, self.lifetimes), "user_code": readable(user_code)}
                return page(request, "device_question.html", signed_in=me, **values)
            case Decided():
                return page(request, "device_done.html", signed_in=me, decided=found)


def readable(user_code: str) -> str:
    """In two halves, as devices show it."""
    code = normal(user_code)[:8]
    return f"{code[:4]}-{code[4:]}" if len(code) > 4 else code


def _sign_in_again(user_code: str) -> Response:
    here = f"{PATH}?{urlencode({'user_code': normal(user_code)[:8]})}"
    return see(f"/sign-in?{urlencode({'next': here})}")


def _field(
    request: Request,
    me: SignedIn,
    user_code: str,
    status: int = 200,
    errors: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    values = {"user_code": user_code, "errors": errors or {}}
    return page(request, "device.html", status, headers=headers, signed_in=me, **values)

"""Signing in with a password, and signing out."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.pages.browser import admitted, browser, drop, local, posted, see, signed_in, visitor
from api.pages.page import page
from api.pages.people import People
from domain.errors import NotSignedIn, TooManyFailures

_NOTICES = {
    "out": "You are signed out.",
    "everywhere": "You are signed out everywhere.",
}


@dataclass(frozen=True, slots=True)
class SignInPages:
    people: People

    async def show(self, request: Request) -> Response:
        """With `again`, even a person who is signed in is asked."""
        if "again" not in request.query_params and await signed_in(request):
            return see(local(request.query_params.get("next")))
        notice = _NOTICES.get(request.query_params.get("done", ""))
        return self._page(request, request.query_params.get("next"), notice=notice)

    async def sign_in(self, request: Request) -> Response:
        form = await posted(request)
        email, to = form.get("email", ""), local(form.get("next"))
        try:
            session = await self.people.accounts.sign_in(email, form.get("password", ""), visitor(request))
        except NotSignedIn as refusal:
            return self._page(request, to, 403, email=email, errors={"email": refusal.message})
        except TooManyFailures as refusal:
            errors = {"": f"Sign-in failed too often. Try again in {spoken(refusal.retry_after)}."}
            return self._page(request, to, 429, email=email, errors=errors, retry_after=refusal.retry_after)
        return admitted(request, session, to)

    async def sign_out(self, request: Request) -> Response:
        await posted(request)
        cookie = request.cookies.get(browser(request).cookie())
        if cookie:
            await self.people.accounts.sign_out(cookie)
        answer = see("/sign-in?done=out")
        drop(request, answer)
        return answer

    def _page(
        self,
        request: Request,
        to: str | None,
        status: int = 200,
        *,
        email: str = "",
        notice: str | None = None,
        errors: dict[str, str] | None = None,
        retry_after: int | None = None,
    ) -> Response:
        headers = {"Retry-After": str(retry_after)} if retry_after else {}
        values: dict[str, Any] = {
            "next": local(to),
            "email": email,
            "notice": notice,
            "provider": self.people.provider_name,
        }
        return page(request, "sign_in.html", status, headers=headers, errors=errors or {}, **values)


def spoken(seconds: int) -> str:
    """As people say it, never less."""
    if seconds < 60:
        return f"{seconds} second{'s' * (seconds != 1)}"
    minutes = -(-timedelta(seconds=seconds) // timedelta(minutes=1))
    return f"{minutes} minute{'s' * (minutes != 1)}"

"""A new password by a link of the operator. Its token leaves the address at once, and waits in a cookie."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from api.pages.browser import HOME, admitted, drop, keep, kept, posted, see, visitor
from api.pages.page import page
from api.pages.people import People, correction
from api.pages.refusal import Refused
from domain.errors import InvalidRange, NotFound
from domain.model.tokens import PersonalKind, is_personal

COOKIE = "reset"
SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class ResetPages:
    people: People

    async def show(self, request: Request) -> Response:
        token = request.query_params.get("token")
        if token is None:
            return await self._page(request)
        if not is_personal(PersonalKind.RESET, token):
            raise _gone()
        answer = see("/reset")
        keep(request, answer, token, COOKIE, seconds=SECONDS)
        return answer

    async def renew(self, request: Request) -> Response:
        form = await posted(request)
        token = kept(request, COOKIE) or ""
        try:
            session = await self.people.resets.renew(token, form.get("password", ""), visitor(request))
        except NotFound:
            raise _gone() from None
        except InvalidRange as wrong:
            return await self._page(request, 422, correction(wrong))
        answer = admitted(request, session, f"{HOME}?done=password")
        drop(request, answer, COOKIE)
        return answer

    async def _page(self, request: Request, status: int = 200, errors: dict[str, str] | None = None) -> Response:
        try:
            person = await self.people.resets.whose(kept(request, COOKIE) or "")
        except NotFound:
            raise _gone() from None
        return page(request, "reset.html", status, person=person, errors=errors or {})


def _gone() -> Refused:
    advice = "It was used, or is older than an hour. Open it again, or ask the operator of Portunus for a new one."
    return Refused(404, "This link is not good", advice)

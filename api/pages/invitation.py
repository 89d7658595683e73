"""Taking up an invitation. Its token leaves the address at once, and waits in a cookie."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.pages.browser import HOME, admitted, drop, keep, kept, posted, see, signed_in, to_sign_in, visitor
from api.pages.page import page
from api.pages.people import People, correction
from api.pages.refusal import Refused
from domain.errors import DuplicateName, InvalidRange, NotFound
from domain.model.access import Role
from domain.model.tokens import Kind, parse

COOKIE = "invitation"
SECONDS = 3_600
JOINED = f"{HOME}?done=joined"
ROLES = {Role.OWNER: "an owner", Role.ADMIN: "an admin", Role.MEMBER: "a member", Role.AUDITOR: "an auditor"}


@dataclass(frozen=True, slots=True)
class InvitationPages:
    people: People

    async def show(self, request: Request) -> Response:
        token = request.query_params.get("token")
        if token is None:
            return await self._page(request)
        if parse(Kind.INVITATION, token) is None:
            raise gone()
        answer = see("/invitation")
        keep(request, answer, token, COOKIE, seconds=SECONDS)
        return answer

    async def accept(self, request: Request) -> Response:
        """With the account that is signed in."""
        await posted(request)
        me = await signed_in(request)
        if me is None:
            return to_sign_in(request)
        try:
            await self.people.joining.accept(me, waiting(request))
        except NotFound:
            raise gone() from None
        return left(request, see(JOINED))

    async def join(self, request: Request) -> Response:
        """With a new account. Where the address has one meanwhile, the page asks for that."""
        form = await posted(request)
        name, password = form.get("name", ""), form.get("password", "")
        try:
            session = await self.people.joining.join(waiting(request), name, password, visitor(request))
        except NotFound:
            raise gone() from None
        except DuplicateName:
            return see("/invitation")
        except InvalidRange as wrong:
            return await self._page(request, 422, name=name, errors=correction(wrong))
        return left(request, admitted(request, session, JOINED))

    async def _page(
        self, request: Request, status: int = 200, *, name: str = "", errors: dict[str, str] | None = None
    ) -> Response:
        try:
            invited = await self.people.joining.invited(waiting(request))
        except NotFound:
            raise gone() from None
        values: dict[str, Any] = {
            "invited": invited,
            "role": ROLES[invited.role],
            "provider": self.people.provider_name,
            "name": name,
        }
        me = await signed_in(request)
        return page(request, "invitation.html", status, signed_in=me, errors=errors or {}, **values)


def waiting(request: Request) -> str:
    """The token of the invitation that this browser brought."""
    token = kept(request, COOKIE)
    if not token:
        raise gone()
    return token


def left(request: Request, answer: Response) -> Response:
    """The invitation was taken up: its token is of no use any more."""
    drop(request, answer, COOKIE)
    return answer


def gone() -> Refused:
    advice = (
        "It was used, has expired, or was taken back. Open the link again, or ask whoever invited you for a new one."
    )
    return Refused(404, "This invitation is not good", advice)

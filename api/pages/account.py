"""A person's own page: sessions, password, tenants, and who was let in there."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from api.pages.browser import HOME, Form, admitted, drop, posted, see, signed_in, to_sign_in, visitor
from api.pages.browsers import named
from api.pages.page import page
from api.pages.people import People, correction
from api.pages.refusal import Refused
from api.pages.sign_in import spoken
from domain.errors import InvalidRange, NotFound, NotSignedIn, TooManyFailures
from domain.model.ids import ClientId, TenantId
from domain.usecases.accounts import SignedIn

_NOTICES = {
    "joined": "You have joined.",
    "password": "Your password is changed. Other sessions have ended.",
    "session": "The session has ended.",
    "revoked": "The application is let in no more.",
    "linked": "The sign-in is linked to your account.",
    "unlinked": "The sign-in is linked no more.",
}


@dataclass(frozen=True, slots=True)
class AccountPages:
    people: People

    async def show(self, request: Request) -> Response:
        me = await signed_in(request)
        return await self._page(request, me) if me else to_sign_in(request)

    async def change_password(self, request: Request) -> Response:
        me, form = await mine(request)
        old, new = form.get("current_password", ""), form.get("new_password", "")
        try:
            session = await self.people.accounts.change_password(me, old, new, visitor(request))
        except NotSignedIn:
            return await self._page(request, me, 403, {"current_password": "This is not your password."})
        except TooManyFailures as refusal:
            errors = {"current_password": f"Wrong too often. Try again in {spoken(refusal.retry_after)}."}
            return await self._page(request, me, 429, errors, {"Retry-After": str(refusal.retry_after)})
        except InvalidRange as wrong:
            return await self._page(request, me, 422, correction(wrong))
        return admitted(request, session, f"{HOME}?done=password")

    async def end_session(self, request: Request) -> Response:
        me, form = await mine(request)
        try:
            await self.people.accounts.end_session(me, bytes.fromhex(form.get("session", "")))
        except (NotFound, ValueError):
            raise Refused(404, "There is no such session", "It has ended already.") from None
        return see(f"{HOME}?done=session")

    async def sign_out_everywhere(self, request: Request) -> Response:
        me, form = await mine(request)
        if form.get("applications"):
            await self.people.consents.revoke_all(me)
        await self.people.accounts.sign_out_everywhere(me)
        answer = see("/sign-in?done=everywhere")
        drop(request, answer)
        return answer

    async def revoke(self, request: Request) -> Response:
        me, form = await mine(request)
        try:
            tenant, client = UUID(form.get("tenant", "")), UUID(form.get("application", ""))
            await self.people.consents.revoke(me, TenantId(tenant), ClientId(client))
        except (NotFound, ValueError):
            raise Refused(404, "This application is not let in", "You may have taken it back already.") from None
        return see(f"{HOME}?done=revoked")

    async def _page(
        self,
        request: Request,
        me: SignedIn,
        status: int = 200,
        errors: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        sessions = await self.people.accounts.sessions(me)
        values: dict[str, Any] = {
            "places": await self.people.consents.places(me),
            "sessions": [(session, named(session.browser)) for session in sessions],
            "linked": await self.people.recognition.linked(me),
            "provider": self.people.provider_name,
            "notice": _NOTICES.get(request.query_params.get("done", "")),
        }
        return page(request, "account.html", status, headers=headers, signed_in=me, errors=errors or {}, **values)


async def mine(request: Request) -> tuple[SignedIn, Form]:
    """Who is signed in, with the checked form; Refused when nobody is any more."""
    form = await posted(request)
    me = await signed_in(request)
    if me is None:
        raise Refused(403, "You are signed out", "Your session has ended. Sign in again.")
    return me, form

"""Where each page is."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.pages.account import AccountPages
from api.pages.browser import HOME, see
from api.pages.invitation import InvitationPages
from api.pages.openid import OpenIdPages
from api.pages.page import files
from api.pages.people import People
from api.pages.reset import ResetPages
from api.pages.sign_in import SignInPages


def routes(people: People) -> list[BaseRoute]:
    """Pages of accounts, with the files that all pages need."""
    sign_in, account, invitation = SignInPages(people), AccountPages(people), InvitationPages(people)
    reset, openid = ResetPages(people), OpenIdPages(people)
    return [
        Route("/", _home),
        Route("/sign-in", sign_in.show),
        Route("/sign-in", sign_in.sign_in, methods=["POST"]),
        Route("/sign-out", sign_in.sign_out, methods=["POST"]),
        Route("/sign-in/openid", openid.sign_in),
        Route("/sign-in/openid/callback", openid.arrive),
        Route("/invitation", invitation.show),
        Route("/invitation", invitation.accept, methods=["POST"]),
        Route("/invitation/account", invitation.join, methods=["POST"]),
        Route("/invitation/openid", openid.join),
        Route("/reset", reset.show),
        Route("/reset", reset.renew, methods=["POST"]),
        Route(HOME, account.show),
        Route("/account/password", account.change_password, methods=["POST"]),
        Route("/account/session", account.end_session, methods=["POST"]),
        Route("/account/sessions", account.sign_out_everywhere, methods=["POST"]),
        Route("/account/consent", account.revoke, methods=["POST"]),
        Route("/account/openid", openid.link, methods=["POST"]),
        Route("/account/openid/unlink", openid.unlink, methods=["POST"]),
        files(),
    ]


async def _home(_: Request) -> Response:
    return see(HOME)

"""The token endpoint, and those at which a token is looked up and ended."""

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from api.oauth.answers import answer
from api.oauth.context import OAuth
from api.oauth.form import Sent, sent_in
from api.oauth.grants import CLIENT, SHOWN
from api.oauth.server import Issuer
from domain.model.issuing import Issued
from domain.usecases.granting import Asking


@dataclass(slots=True)
class Tokens:
    oauth: OAuth
    issuer: Issuer = field(init=False)

    def __post_init__(self) -> None:
        self.issuer = Issuer(self.oauth.issuer)

    async def token(self, request: Request) -> Response:
        """RFC 6749, section 3.2: Authlib decides between the gathering of facts and the keeping of the grant."""
        sent = await sent_in(request)
        sent.required("grant_type")
        asking = self._asking(sent)
        decided, issued = await self.oauth.granting.grant(asking, lambda facts: self.issuer.decide(sent, facts))
        return answer(told(issued) if issued else decided.body, decided.status)

    async def revoke(self, request: Request) -> Response:
        """RFC 7009: the same answer whatever became of the token."""
        sent = await sent_in(request)
        await self.oauth.token_states.revoke(sent.client_id, self.oauth.proof(sent), sent.required("token"))
        return answer({})

    async def introspect(self, request: Request) -> Response:
        """RFC 7662."""
        sent = await sent_in(request)
        prove = self.oauth.proof(sent, public=False)
        return answer(await self.oauth.token_states.introspect(sent.client_id, prove, sent.required("token")))

    def _asking(self, sent: Sent) -> Asking:
        grant_type = sent.form["grant_type"]
        kind, parameter = SHOWN.get(grant_type, (None, ""))
        shown = (kind, sent.form.get(parameter, "")) if kind else None
        signature = kind is not None or (grant_type == CLIENT and "resource" in sent.form)
        return Asking(sent.client_id, self.oauth.proof(sent), shown, signature)


def told(issued: Issued) -> dict[str, str | int]:
    """RFC 6749, section 5.1, and OpenID Connect Core 1.0, section 3.1.3.3."""
    told: dict[str, str | int] = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "scope": " ".join(sorted(issued.scopes)),
    }
    if issued.refresh_token is not None:
        told["refresh_token"] = issued.refresh_token
    if issued.id_token is not None:
        told["id_token"] = issued.id_token
    return told

"""The device authorization endpoint (RFC 8628, section 3.1)."""

from dataclasses import dataclass

from authlib.oauth2.rfc6749.errors import UnauthorizedClientError
from starlette.requests import Request
from starlette.responses import Response

from api.oauth.answers import answer
from api.oauth.context import OAuth
from api.oauth.form import Sent, sent_in
from api.oauth.grants import DEVICE, may
from api.oauth.resources import audience
from api.oauth.server import known
from domain.model.access import IDENTITY_SCOPES, Client, Scope
from domain.usecases.devices import INTERVAL


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    oauth: OAuth

    async def start(self, request: Request) -> Response:
        sent = await sent_in(request)
        prove = self.oauth.proof(sent)
        waiting = await self.oauth.devices.start(sent.client_id, prove, lambda client: self._asked(sent, client))
        page = f"{self.oauth.issuer}/device"
        return answer(
            {
                "device_code": waiting.device_code.reveal(),
                "user_code": waiting.shown_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={waiting.shown_code}",
                "expires_in": int(waiting.expires_in.total_seconds()),
                "interval": int(INTERVAL.total_seconds()),
            }
        )

    def _asked(self, sent: Sent, client: Client) -> tuple[frozenset[Scope], str | None]:
        """What the client may ask a person for; OAuth2Error for anything else. A scope must be named."""
        if not may(client, DEVICE):
            raise UnauthorizedClientError("People let partner applications in, and no others.")
        resource = sent.form.get("resource")
        audience(resource, None, client, self.oauth.issuer)
        return known(sent.form.get("scope", ""), client.scopes | IDENTITY_SCOPES), resource

"""What the endpoints of the authorization server find: the use cases, and the public address they speak of."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.oauth.client import proof_in
from api.oauth.form import Sent
from domain.ports import Clock, Signer
from domain.usecases.access import Access
from domain.usecases.devices import Devices
from domain.usecases.granting import Granting
from domain.usecases.identity import Identity
from domain.usecases.proving import Prove
from domain.usecases.token_states import TokenStates


@dataclass(frozen=True, slots=True)
class OAuth:
    """`issuer` is the public address of this installation, without a slash at its end."""

    issuer: str
    access: Access
    granting: Granting
    devices: Devices
    token_states: TokenStates
    identity: Identity
    signer: Signer
    clock: Clock

    def proof(self, sent: Sent, *, public: bool = True) -> Prove:
        """Of a client that sent this; `public` says whether one that can keep no secret may."""
        return proof_in(sent, self.token_endpoint, self.audiences, self.clock, public=public)

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/oauth/token"

    @property
    def audiences(self) -> Sequence[str]:
        """Whom a client's signed proof may be for (RFC 7523, section 3)."""
        return self.issuer, self.token_endpoint

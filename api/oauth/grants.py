"""The grants of the token endpoint: Authlib's, over facts that were gathered before."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidGrantError, InvalidScopeError
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant
from authlib.oauth2.rfc8628.errors import AuthorizationPendingError, ExpiredTokenError, SlowDownError

from domain.model.access import Client, ClientKind, Scope
from domain.model.authorization import Code, Decision, Device, RefreshToken
from domain.model.issuing import Facts
from domain.model.tokens import Kind
from domain.usecases.devices import INTERVAL

CODE, REFRESH, DEVICE = "authorization_code", "refresh_token", DeviceCodeGrant.GRANT_TYPE
CLIENT = "client_credentials"

SHOWN: Mapping[str, tuple[Kind, str]] = {
    CODE: (Kind.CODE, "code"),
    REFRESH: (Kind.REFRESH_TOKEN, "refresh_token"),
    DEVICE: (Kind.DEVICE_CODE, "device_code"),
}
"""What is shown for a token, and in which parameter."""

GONE = "It is unknown, used or expired."
"""One description for all that is wrong with what was shown, so that it tells nothing."""


def may(client: Client, grant_type: str) -> bool:
    """A service acts for itself alone; people let partners in. What can keep no secret has nothing of its own."""
    if grant_type == CLIENT:
        return not client.public
    return client.kind is ClientKind.PARTNER and grant_type in SHOWN


class GrantClient(ClientMixin):
    """A client that proved itself, and the facts about its request."""

    def __init__(self, client_id: str, facts: Facts) -> None:
        self.client_id = client_id
        self.facts = facts

    def get_client_id(self) -> str:
        return self.client_id

    def check_grant_type(self, grant_type: str) -> bool:
        return may(self.facts.client, grant_type)


class Shown:
    """A code or a refresh token as Authlib asks about it."""

    def __init__(self, source: Code | RefreshToken) -> None:
        self.source = source
        self.code_challenge = source.challenge if isinstance(source, Code) else None
        self.code_challenge_method = "S256"

    def get_scope(self) -> str:
        return " ".join(sorted(self.source.scopes))

    def get_redirect_uri(self) -> str | None:
        return self.source.redirect_uri if isinstance(self.source, Code) else None

    def check_client(self, _: GrantClient) -> bool:
        """Another client's is not among the facts."""
        return True


class _Proven:
    """What the four have in common: the client proved itself before the facts were gathered."""

    request: Any

    def authenticate_token_endpoint_client(self) -> GrantClient:
        named: GrantClient = self.request.named
        return named

    def shown(self, kind: type[Code] | type[RefreshToken]) -> Shown:
        """InvalidGrantError for what is of no use; what was used before ends its family."""
        facts: Facts = self.request.facts
        source = facts.source
        if (
            not isinstance(source, Code | RefreshToken)
            or not isinstance(source, kind)
            or source.expires_at <= facts.now
        ):
            raise InvalidGrantError(GONE)
        if source.used_at is not None:
            self.request.replayed = source.family_id
            raise InvalidGrantError(GONE)
        return Shown(source)


class ClientCredentialsGrant(_Proven, grants.ClientCredentialsGrant):
    """RFC 6749, section 4.4."""


class AuthorizationCodeGrant(_Proven, grants.AuthorizationCodeGrant):
    """RFC 6749, section 4.1.3."""

    def query_authorization_code(self, _code: str, _client: GrantClient) -> Shown:
        return self.shown(Code)

    def authenticate_user(self, code: Shown) -> Any:
        return code.source.person_id

    def delete_authorization_code(self, _: Shown) -> None:
        """It is marked as used when the grant is kept."""


class RefreshTokenGrant(_Proven, grants.RefreshTokenGrant):
    """RFC 6749, section 6, with a new refresh token each time (RFC 9700, section 4.14)."""

    def authenticate_refresh_token(self, _: str) -> Shown:
        shown = self.shown(RefreshToken)
        if not offline(self.request.facts):
            raise InvalidGrantError(GONE)
        if self.request.payload.scope is not None and not self.request.payload.scope.strip():
            raise InvalidScopeError  # Authlib takes an empty scope for none
        return shown

    def authenticate_user(self, token: Shown) -> Any:
        return token.source.person_id

    def revoke_old_credential(self, _: Shown) -> None:
        """It is marked as used when the grant is kept."""


class DeviceGrant(_Proven, DeviceCodeGrant):
    """RFC 8628, section 3.4."""

    def query_device_credential(self, _: str) -> "Waiting":
        source = self.request.facts.source
        if not isinstance(source, Device):
            raise InvalidGrantError(GONE)
        return Waiting(source, self.request.named)

    def validate_device_credential(self, credential: "Waiting") -> Any:
        device, now = credential.device, self.request.facts.now
        if device.expires_at <= now:
            raise ExpiredTokenError
        if device.decision is Decision.DENIED:
            raise AccessDeniedError
        if device.decision is Decision.APPROVED:
            return device.person_id
        if device.polled_at is not None and now < device.polled_at + INTERVAL:
            raise SlowDownError
        raise AuthorizationPendingError


class Waiting:
    """A device as Authlib asks about it; another client's is not among the facts."""

    def __init__(self, device: Device, named: GrantClient) -> None:
        self.device = device
        self.named = named

    def get_client_id(self) -> str:
        return self.named.client_id

    def get_scope(self) -> str:
        return " ".join(sorted(self.device.scopes))


class EveryClientsChallenge(CodeChallenge):
    """PKCE (RFC 7636) with S256, of confidential clients as well; a code without a challenge is none."""

    CODE_CHALLENGE_METHODS: Mapping[str, Callable[[str, str], bool]] = {
        "S256": CodeChallenge.CODE_CHALLENGE_METHODS["S256"]
    }

    def get_authorization_code_challenge(self, code: Shown) -> str:
        if not code.code_challenge:
            raise InvalidGrantError(GONE)
        return code.code_challenge


GRANTS: Mapping[type[Any], Sequence[Any]] = {
    ClientCredentialsGrant: (),
    AuthorizationCodeGrant: (EveryClientsChallenge(required=True),),
    RefreshTokenGrant: (),
    DeviceGrant: (),
}
"""Each with Authlib's extensions to it."""


def offline(facts: Facts) -> bool:
    """Whether the client may go on without the person."""
    return facts.source is not None and Scope.OFFLINE_ACCESS in facts.source.scopes & facts.allowed

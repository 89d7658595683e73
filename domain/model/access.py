"""Who acts: applications, the tokens they hold, and what those let them do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.errors import Forbidden
from domain.model.catalogue import ModelRef
from domain.model.ids import ClientId, PersonId, TenantId


class Scope(StrEnum):
    TENANT_READ = "tenant:read"
    TENANT_LEAVE = "tenant:leave"
    TENANT_OWN = "tenant:own"
    PROVIDERS_READ = "providers:read"
    CREDENTIALS_READ = "credentials:read"
    CREDENTIALS_WRITE = "credentials:write"
    DEFAULTS_WRITE = "defaults:write"
    QUOTAS_READ = "quotas:read"
    QUOTAS_WRITE = "quotas:write"
    MODELS_WRITE = "models:write"
    MODELS_INVOKE = "models:invoke"
    USAGE_READ = "usage:read"
    KEYS_ROTATE = "keys:rotate"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    APPLICATIONS_READ = "applications:read"
    APPLICATIONS_WRITE = "applications:write"
    AUDIT_READ = "audit:read"
    TENANTS_OPEN = "tenants:open"
    TENANTS_CLOSE = "tenants:close"
    QUOTAS_GRANT = "quotas:grant"
    OPENID = "openid"
    PROFILE = "profile"
    EMAIL = "email"
    OFFLINE_ACCESS = "offline_access"


OPERATOR_SCOPES = frozenset({Scope.TENANTS_OPEN, Scope.TENANTS_CLOSE, Scope.QUOTAS_GRANT})
IDENTITY_SCOPES = frozenset({Scope.OPENID, Scope.PROFILE, Scope.EMAIL, Scope.OFFLINE_ACCESS})
"""What OpenID Connect asks about a person, and whether a client may go on alone. No field of the API needs them."""
TENANT_SCOPES = frozenset(Scope) - OPERATOR_SCOPES - IDENTITY_SCOPES


class Role(StrEnum):
    """What a person is in a tenant."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    AUDITOR = "auditor"

    @property
    def scopes(self) -> frozenset[Scope]:
        """The most that a token of a person in this role can carry."""
        return ROLE_SCOPES[self] | IDENTITY_SCOPES


_READS = frozenset(scope for scope in TENANT_SCOPES if scope.endswith(":read"))
ROLE_SCOPES: Mapping[Role, frozenset[Scope]] = {
    Role.OWNER: TENANT_SCOPES,
    Role.ADMIN: TENANT_SCOPES - {Scope.TENANT_OWN},
    Role.MEMBER: frozenset(
        {
            Scope.TENANT_READ,
            Scope.TENANT_LEAVE,
            Scope.PROVIDERS_READ,
            Scope.QUOTAS_READ,
            Scope.USAGE_READ,
            Scope.MODELS_INVOKE,
        }
    ),
    Role.AUDITOR: _READS | {Scope.TENANT_LEAVE},
}
"""The one table of what each role may do."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which models an application may use; None leaves them all open. What matches either is within."""

    providers: frozenset[str] | None = None
    models: frozenset[ModelRef] | None = None

    def includes(self, model: ModelRef) -> bool:
        if self.providers is None and self.models is None:
            return True
        return model.provider in (self.providers or ()) or model in (self.models or ())

    def touches(self, provider: str) -> bool:
        """Whether any model of that provider can be within."""
        if self.providers is None and self.models is None:
            return True
        return provider in (self.providers or ()) or any(model.provider == provider for model in self.models or ())

    def within(self, other: "Reach") -> bool:
        """Whether `other` includes all that this includes."""
        if other == EVERYWHERE or self == EVERYWHERE:
            return other == EVERYWHERE
        return (self.providers or frozenset()) <= (other.providers or frozenset()) and all(
            other.includes(model) for model in self.models or ()
        )


EVERYWHERE = Reach()


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of one request: one application of one tenant, what its token allows, and for whom it acts."""

    tenant_id: TenantId
    client_id: ClientId
    scopes: frozenset[Scope]
    expires_at: datetime
    person_id: PersonId | None = None
    reach: Reach = EVERYWHERE

    def require(self, scope: Scope) -> None:
        """Forbidden(needs=scope) unless the token carries it."""
        if scope not in self.scopes:
            raise Forbidden(scope)

    def require_all(self, scopes: frozenset[Scope]) -> None:
        """Nobody gives what he does not have: Forbidden, with the first that is missing."""
        for scope in sorted(scopes - self.scopes - IDENTITY_SCOPES):
            raise Forbidden(scope)


class ClientKind(StrEnum):
    """What an application is: the tenant's own service, a partner that people let in, or a key without OAuth."""

    SERVICE = "service"
    PARTNER = "partner"
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class Client:
    """An application of one tenant. A secret is 256 random bits, so a plain SHA-256 digest of it is kept.

    Without a secret and without `jwks` it is public. While a secret is replaced, `old_secret_digest` is good as well,
    until `old_secret_until`; `secret_hint` is how the newest one ends. `jwks` are the public keys by which a partner
    proves itself (RFC 7523). `resource` is the partner's own resource server, for which its access tokens are JWTs
    (RFC 9068); None: opaque ones.
    """

    tenant_id: TenantId
    id: ClientId
    name: str
    secret_digest: bytes | None
    scopes: frozenset[Scope]
    created_at: datetime
    kind: ClientKind = ClientKind.SERVICE
    reach: Reach = EVERYWHERE
    redirect_uris: tuple[str, ...] = ()
    resource: str | None = None
    jwks: Mapping[str, Any] | None = None
    created_by: PersonId | None = None
    old_secret_digest: bytes | None = None
    old_secret_until: datetime | None = None
    expires_at: datetime | None = None
    suspended_at: datetime | None = None
    last_used_at: datetime | None = None
    secret_hint: str | None = None

    @property
    def public(self) -> bool:
        return self.secret_digest is None and self.jwks is None

    def active(self, now: datetime) -> bool:
        """Neither suspended nor expired."""
        return self.suspended_at is None and (self.expires_at is None or now < self.expires_at)

    def secrets(self, now: datetime) -> tuple[bytes, ...]:
        """The digests of the secrets that are good now."""
        old = self.old_secret_digest if self.old_secret_until and now < self.old_secret_until else None
        return tuple(digest for digest in (self.secret_digest, old) if digest is not None)

    def narrows(self, before: "Client") -> bool:
        """Whether nobody can do more with it than with what it was `before`."""
        return (
            self.scopes <= before.scopes
            and self.reach.within(before.reach)
            and set(self.redirect_uris) <= set(before.redirect_uris)
            and (self.jwks, self.resource) == (before.jwks, before.resource)
            and (before.expires_at is None or (self.expires_at is not None and self.expires_at <= before.expires_at))
        )


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token, kept only as its SHA-256 digest; bound to one client and so to one tenant.

    `person_id` is for whom the client acts; `family_id` is shared by all tokens that came of one consent given once;
    `resource` is whom it is for where that is not Portunus itself (RFC 8707).
    """

    tenant_id: TenantId
    digest: bytes
    client_id: ClientId
    scopes: frozenset[Scope]
    issued_at: datetime
    expires_at: datetime
    person_id: PersonId | None = None
    family_id: UUID | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token with what it hangs on as that is now: its client, and the role of the person behind it.

    `consent_used_at` is when the client was last seen to act for that person.
    """

    token: AccessToken
    client: Client
    role: Role | None = None
    consent_used_at: datetime | None = None

    def scopes(self) -> frozenset[Scope]:
        """Never more than the client has, nor than the person's role allows; nothing once the person has left."""
        held = self.token.scopes & (self.client.scopes | IDENTITY_SCOPES)
        if self.token.person_id is None:
            return held
        return held & self.role.scopes if self.role else frozenset()

    def actor(self) -> Actor:
        token = self.token
        return Actor(
            token.tenant_id, token.client_id, self.scopes(), token.expires_at, token.person_id, self.client.reach
        )

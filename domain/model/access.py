"""Who acts: service clients, the tokens they hold, and what those let them do. People and partners join here later."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.errors import Forbidden
from domain.model.ids import ClientId, TenantId


class Scope(StrEnum):
    TENANT_READ = "tenant:read"
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
    TENANTS_OPEN = "tenants:open"
    TENANTS_CLOSE = "tenants:close"
    QUOTAS_GRANT = "quotas:grant"


OPERATOR_SCOPES = frozenset({Scope.TENANTS_OPEN, Scope.TENANTS_CLOSE, Scope.QUOTAS_GRANT})
TENANT_SCOPES = frozenset(Scope) - OPERATOR_SCOPES


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of one request: one client, one tenant, the scopes of its token."""

    tenant_id: TenantId
    client_id: ClientId
    scopes: frozenset[Scope]
    expires_at: datetime

    def require(self, scope: Scope) -> None:
        """Forbidden(needs=scope) unless the token carries it."""
        if scope not in self.scopes:
            raise Forbidden(scope)


@dataclass(frozen=True, slots=True)
class Client:
    """A service that acts for one tenant. Its secret is 256 random bits, so a plain SHA-256 digest of it is kept."""

    tenant_id: TenantId
    id: ClientId
    name: str
    secret_digest: bytes
    scopes: frozenset[Scope]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An opaque bearer token, kept only as its SHA-256 digest; bound to one client and so to one tenant."""

    tenant_id: TenantId
    digest: bytes
    client_id: ClientId
    scopes: frozenset[Scope]
    issued_at: datetime
    expires_at: datetime

    def actor(self) -> Actor:
        return Actor(self.tenant_id, self.client_id, self.scopes, self.expires_at)

"""What resolvers find: the use cases, the caller, and the seal for cursors."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import strawberry

from api.auth import Admission, Admit
from api.graphql.cursors import CursorSeal
from api.traffic.gate import Gate
from domain.errors import Unauthenticated
from domain.model.access import Actor
from domain.model.labels import Language
from domain.usecases.access import Access
from domain.usecases.api_keys import ApiKeys
from domain.usecases.applications import Applications
from domain.usecases.audit import Audit
from domain.usecases.browsing import Browsing
from domain.usecases.caps import Caps
from domain.usecases.conversations import Conversations
from domain.usecases.credential_states import CredentialStates
from domain.usecases.credential_updates import CredentialUpdates
from domain.usecases.credentials import Credentials
from domain.usecases.defaults import Defaults
from domain.usecases.grants import Grants
from domain.usecases.imports import Imports
from domain.usecases.inference import Inference
from domain.usecases.members import Members
from domain.usecases.models import Models
from domain.usecases.planning import Planning
from domain.usecases.quotas import Quotas
from domain.usecases.rotation import Rotation
from domain.usecases.tenants import Tenants
from domain.usecases.usage import Usage


@dataclass(frozen=True, slots=True)
class UseCases:
    """Everything that the schema can do."""

    tenants: Tenants
    access: Access
    credentials: Credentials
    credential_updates: CredentialUpdates
    credential_states: CredentialStates
    browsing: Browsing
    defaults: Defaults
    quotas: Quotas
    caps: Caps
    grants: Grants
    planning: Planning
    members: Members
    models: Models
    imports: Imports
    inference: Inference
    conversations: Conversations
    usage: Usage
    rotation: Rotation
    applications: Applications
    api_keys: ApiKeys
    audit: Audit


@dataclass(frozen=True, slots=True)
class GraphQLOptions:
    """What an operator decides. `cursor_key` is secret and the same in all workers; sizes are in bytes.

    A process takes `uploads` requests with files at once, each of up to `upload_limit`: they are held in memory.

    `allowed_origins` may open WebSockets beside the server's own origin; `challenge` is the WWW-Authenticate header of
    a request without a token (RFC 6750).
    """

    cursor_key: bytes = field(repr=False)
    introspection: bool = True
    ide: bool = False
    allowed_origins: tuple[str, ...] = ()
    body_limit: int = 8 * 1024 * 1024
    upload_limit: int = 32 * 1024 * 1024
    uploads: int = 16
    challenge: str = "Bearer"


@dataclass(slots=True)
class Context:
    """One HTTP request, or one WebSocket connection, whose `caller` is known once its token was accepted.

    `admission` is the caller's, and `admit` gives the one of another token. `language` is the one it prefers words to
    be shown in. What runs outside a `gate` costs nothing.
    """

    usecases: UseCases
    seal: CursorSeal
    caller: Actor | None = None
    admission: Admission | None = None
    admit: Admit | None = None
    connection_params: Any = None
    language: Language = Language.EN
    gate: Gate | None = None

    @property
    def actor(self) -> Actor:
        """The caller; Unauthenticated when there is none."""
        if self.caller is None:
            raise Unauthenticated
        return self.caller


Info: TypeAlias = strawberry.Info[Context, None]

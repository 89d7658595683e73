"""A service client as Authlib's grants ask about it."""

import hmac

from authlib.oauth2.rfc6749 import ClientMixin, scope_to_list

from domain.model.access import Client
from domain.model.tokens import digest

_NOBODY = digest("nobody")


class GrantClient(ClientMixin):
    """Stands for an unknown client too: its secret is then compared with one that nobody has."""

    def __init__(self, client_id: str, client: Client | None) -> None:
        self.client_id = client_id
        self.client = client

    def get_client_id(self) -> str:
        return self.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        expected = (self.client.secret_digest if self.client else None) or _NOBODY
        return hmac.compare_digest(digest(client_secret), expected) and self.client is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method in ("client_secret_basic", "client_secret_post")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """All of the client's scopes when none is asked for; None, so invalid_scope, when one is not its own."""
        assert self.client is not None
        if scope is None:
            return " ".join(sorted(self.client.scopes))
        asked = set(scope_to_list(scope))
        return " ".join(sorted(asked)) if asked and asked <= set(self.client.scopes) else None

"""Cursors that only the tenant and the list they were made for accept."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from domain.errors import InvalidRange

_MAC = 16


@dataclass(frozen=True, slots=True)
class CursorSeal:
    """HMAC-SHA256 over tenant, list and position, cut to 128 bits; `key` is secret and shared by all workers."""

    key: bytes

    def write(self, tenant_id: UUID, connection: str, position: str) -> str:
        return urlsafe_b64encode(self._mac(tenant_id, connection, position) + position.encode()).decode()

    def read(self, tenant_id: UUID, connection: str, cursor: str) -> str:
        """The position; InvalidRange for a cursor that was forged, or made for another tenant or list."""
        try:
            raw = urlsafe_b64decode(cursor)
            position = raw[_MAC:].decode()
        except ValueError:
            raise foreign_cursor() from None
        if not hmac.compare_digest(raw[:_MAC], self._mac(tenant_id, connection, position)):
            raise foreign_cursor()
        return position

    def _mac(self, tenant_id: UUID, connection: str, position: str) -> bytes:
        return hmac.digest(self.key, b"\0".join((tenant_id.bytes, connection.encode(), position.encode())), "sha256")[
            :_MAC
        ]


def foreign_cursor() -> InvalidRange:
    """The refusal of a cursor, whatever is wrong with it."""
    return InvalidRange("after", "is not a cursor of this list")

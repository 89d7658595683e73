"""When a key of the issuer signs, and how long its public half must be found."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.model.authorization import SigningKey

ANNOUNCED = timedelta(seconds=300)
"""How long a new key is published before it signs: as long as others may remember the keys that they found."""
LEASE = timedelta(seconds=60)
"""How long a process may not notice that there is a newer key."""


def signing(keys: Sequence[SigningKey], now: datetime) -> SigningKey:
    """Of keys oldest first, the newest that was announced long enough; until one is, the oldest."""
    announced = [key for key in keys if key.created_at + ANNOUNCED <= now]
    return announced[-1] if announced else keys[0]


def published(keys: Sequence[SigningKey], now: datetime, lifetime: timedelta) -> Sequence[SigningKey]:
    """Of keys oldest first, those that something may be signed with that is still good, and those that will sign."""
    replaced = [newer.created_at + ANNOUNCED + LEASE for newer in keys[1:]]
    old = [key for key, at in zip(keys[:-1], replaced, strict=True) if now < at + lifetime]
    return [*old, *keys[-1:]]

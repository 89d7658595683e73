"""Parsed private keys, kept briefly: importing one costs tens of milliseconds, and none should stay for long."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from Crypto.PublicKey.RSA import RsaKey

from domain.model.tenant import TenantKey

LEASE = 600.0
"""Seconds for which a parsed key is kept."""


@dataclass(slots=True)
class PrivateKeys:
    """The `room` keys that were used last, each for at most `LEASE`. Safe to use from several threads."""

    parse: Callable[[TenantKey], RsaKey]
    monotonic: Callable[[], float] = time.monotonic
    room: int = 1_000
    _kept: OrderedDict[tuple[UUID, UUID], tuple[float, RsaKey]] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, key: TenantKey) -> RsaKey:
        """Raises what `parse` raises; a failure is not kept."""
        name = (key.tenant_id, key.id)
        with self._lock:
            until, parsed = self._kept.get(name, (0.0, None))
            if parsed is not None and self.monotonic() < until:
                self._kept.move_to_end(name)
                return parsed
        parsed = self.parse(key)
        self._keep(name, parsed)
        return parsed

    def forget(self, tenant_id: UUID) -> None:
        """Drop the keys of that tenant."""
        with self._lock:
            for name in [name for name in self._kept if name[0] == tenant_id]:
                del self._kept[name]

    @property
    def kept(self) -> int:
        """How many keys are in memory now."""
        return len(self._kept)

    def _keep(self, name: tuple[UUID, UUID], parsed: RsaKey) -> None:
        with self._lock:
            now = self.monotonic()
            for old in [n for n, (until, _) in self._kept.items() if until <= now]:
                del self._kept[old]
            self._kept[name] = (now + LEASE, parsed)
            self._kept.move_to_end(name)
            if len(self._kept) > self.room:
                self._kept.popitem(last=False)

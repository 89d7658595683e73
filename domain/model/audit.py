"""What was done in a tenant, by whom: entries in a chain, each bound to all before it."""

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from domain.errors import DomainError
from domain.model.access import Actor
from domain.model.catalogue import ModelRef
from domain.model.ids import ClientId, PersonId, TenantId

DONE = "DONE"
INTERRUPTED = "INTERRUPTED"
"""What was under way when its caller left, or something unforeseen happened."""
FIRST = bytes(32)
"""What the first entry of a chain is bound to."""
TARGET = 300


@dataclass(frozen=True, slots=True)
class Deed:
    """One change, or one use of a secret: `action` is what was done, `target` to what, by id or name, never a value.

    `outcome` is DONE, the code of the refusal, or INTERRUPTED. Without client and person it was the operator's own
    shell.
    """

    action: str
    target: str
    client_id: ClientId | None = None
    person_id: PersonId | None = None
    outcome: str = DONE

    def ended(self, failure: BaseException) -> "Deed":
        """The same, but it came to nothing."""
        return replace(self, outcome=failure.code if isinstance(failure, DomainError) else INTERRUPTED)


def deed(actor: Actor | None, action: str, target: object, outcome: str = DONE) -> Deed:
    """Of an actor, or without one of the operator's own shell. A model is named type:provider/name."""
    name = f"{target.type}:{target}" if isinstance(target, ModelRef) else str(target)
    client_id, person_id = (actor.client_id, actor.person_id) if actor else (None, None)
    return Deed(action, name[:TARGET], client_id, person_id, outcome)


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed in its tenant's chain. `seq` counts from 1 without gap; `mac` binds it to the one before."""

    tenant_id: TenantId
    seq: int
    at: datetime
    deed: Deed
    request_id: str | None
    mac: bytes = b""


@dataclass(frozen=True, slots=True)
class Head:
    """How long a chain is and the mac of its last entry; `seal` binds the two together."""

    tenant_id: TenantId
    length: int
    mac: bytes
    seal: bytes = b""

    def sealed(self, key: bytes) -> "Head":
        return replace(self, seal=_mac(key, self.mac, [str(self.tenant_id), self.length]))

    def genuine(self, key: bytes) -> bool:
        """Whether who wrote it had the key."""
        return hmac.compare_digest(self.seal, self.sealed(key).seal)


def new_head(tenant_id: TenantId, key: bytes) -> Head:
    """Of a chain without entries."""
    return Head(tenant_id, 0, FIRST).sealed(key)


def appended(key: bytes, head: Head, entry: Entry) -> tuple[Head, Entry]:
    """`entry` as the next one behind `head`, and the head then.

    The seal of a head that is not genuine stays as it is: no later entry heals what was cut off.
    """
    entry = replace(entry, seq=head.length + 1)
    entry = replace(entry, mac=mac(key, head.mac, entry))
    longer = replace(head, length=entry.seq, mac=entry.mac)
    return longer.sealed(key) if head.genuine(key) else longer, entry


def mac(key: bytes, previous: bytes, entry: Entry) -> bytes:
    """HMAC-SHA-256 over the mac of the entry before and this entry in one canonical form."""
    done = entry.deed
    told: list[str | int | None] = [
        str(entry.tenant_id),
        entry.seq,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        str(done.client_id) if done.client_id else None,
        str(done.person_id) if done.person_id else None,
        done.action,
        done.target,
        done.outcome,
        entry.request_id,
    ]
    return _mac(key, previous, told)


def _mac(key: bytes, previous: bytes, told: list[str | int | None]) -> bytes:
    """What is told of an entry and of a head differs in length, so neither passes for the other."""
    return hmac.digest(key, previous + json.dumps(told, separators=(",", ":")).encode(), hashlib.sha256)

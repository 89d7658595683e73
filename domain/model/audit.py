"""What was done in a tenant, by whom: entries in a chain, each bound to all before it."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.model.access import Actor
from domain.model.ids import ClientId, PersonId, TenantId

DONE = "DONE"
FIRST = bytes(32)
"""What the first entry of a chain is bound to."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One change, or one use of a secret: `action` is what was done, `target` to what, by id or name, never a value.

    `outcome` is DONE or the code of the refusal. Without client and person it was the operator's own shell.
    """

    action: str
    target: str
    client_id: ClientId | None = None
    person_id: PersonId | None = None
    outcome: str = DONE


def deed(actor: Actor, action: str, target: object, outcome: str = DONE) -> Deed:
    return Deed(action, str(target), actor.client_id, actor.person_id, outcome)


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed in its tenant's chain. `seq` counts from 1 without gap; `mac` binds it to the one before."""

    tenant_id: TenantId
    seq: int
    at: datetime
    deed: Deed
    request_id: str | None
    mac: bytes = b""


def mac(key: bytes, previous: bytes, entry: Entry) -> bytes:
    """HMAC-SHA-256 over the mac of the entry before and this entry in one canonical form."""
    done = entry.deed
    told = [
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
    return hmac.digest(key, previous + json.dumps(told, separators=(",", ":")).encode(), hashlib.sha256)

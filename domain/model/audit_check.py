"""Whether a chain is what was written: every fault that whoever had the table, but not the key, could leave in it."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from domain.model.audit import FIRST, Entry, Head, mac
from domain.model.ids import TenantId

Anchors = Mapping[int, bytes]
"""What a chain once was, told by who kept it elsewhere: the mac of its last entry by its length."""


class FaultKind(StrEnum):
    ALTERED = "altered"
    """The entry is not what was written here: it was edited, moved, or comes from another chain."""
    MISSING = "missing"
    """The entry is gone from between others."""
    CUT = "cut off"
    """The head counts this entry, and it and all behind it are gone."""
    UNCOUNTED = "uncounted"
    """The head does not count this entry."""
    HEAD_FORGED = "head forged"
    """The head was not written by who had the key: entries behind this one may be gone."""
    HEAD_MISSING = "head missing"
    """There are entries and no head, so no key to check them with."""
    KEY_UNUSABLE = "key unusable"
    """No master key that is configured opens the chain's key."""
    BEFORE_ANCHOR = "shorter than its anchor"
    """The anchor counts this entry, and the chain ends before it."""
    NOT_ANCHORED = "differs from its anchor"
    """The anchor tells another mac of this entry."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong at an entry of a chain; `seq` is 0 where it is the whole chain."""

    tenant_id: TenantId
    seq: int
    kind: FaultKind


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one tenant's chain: how many entries were read, and what is wrong with them."""

    tenant_id: TenantId
    entries: int
    faults: Sequence[Fault] = ()


@dataclass(slots=True)
class Walk:
    """Reads a chain from its first entry, piece by piece, so that a long one need not be in memory."""

    tenant_id: TenantId
    key: bytes = field(repr=False)
    anchors: Anchors = field(default_factory=dict)
    seq: int = 0
    mac: bytes = FIRST
    entries: int = 0
    faults: list[Fault] = field(default_factory=list)

    def take(self, entries: Iterable[Entry]) -> None:
        """The next ones by ascending seq. After a fault it goes on from what the entry says its mac is."""
        for entry in entries:
            if entry.seq != self.seq + 1:
                self._note(self.seq + 1, FaultKind.MISSING)
            elif not hmac.compare_digest(entry.mac, mac(self.key, self.mac, entry)):
                self._note(entry.seq, FaultKind.ALTERED)
            self.seq, self.mac, self.entries = entry.seq, entry.mac, self.entries + 1
            if self.anchors.get(entry.seq, entry.mac) != entry.mac:
                self._note(entry.seq, FaultKind.NOT_ANCHORED)

    def end(self, head: Head) -> Verdict:
        """On a chain that was taken to its end."""
        if not head.genuine(self.key):
            self._note(head.length, FaultKind.HEAD_FORGED)
        if head.length > self.seq:
            self._note(self.seq + 1, FaultKind.CUT)
        elif head.length < self.seq:
            self._note(head.length + 1, FaultKind.UNCOUNTED)
        elif head.mac != self.mac:
            self._note(self.seq, FaultKind.ALTERED)
        for length in self.anchors:
            if length > self.seq:
                self._note(length, FaultKind.BEFORE_ANCHOR)
        return Verdict(self.tenant_id, self.entries, tuple(dict.fromkeys(self.faults)))

    def _note(self, seq: int, kind: FaultKind) -> None:
        self.faults.append(Fault(self.tenant_id, seq, kind))


def verify(key: bytes, head: Head, entries: Iterable[Entry], anchors: Anchors | None = None) -> Verdict:
    """On a chain that is wholly in memory, its entries by ascending seq."""
    walk = Walk(head.tenant_id, key, anchors or {})
    walk.take(entries)
    return walk.end(head)


def unlocked(tenant_id: TenantId, kind: FaultKind) -> Verdict:
    """On a chain that nothing can be checked of."""
    return Verdict(tenant_id, 0, (Fault(tenant_id, 0, kind),))


def absent(tenant_id: TenantId, anchors: Anchors) -> Verdict:
    """On a chain that was never begun, or is wholly gone."""
    counted = (length for length in anchors if length > 0)
    return Verdict(tenant_id, 0, tuple(Fault(tenant_id, length, FaultKind.BEFORE_ANCHOR) for length in counted))

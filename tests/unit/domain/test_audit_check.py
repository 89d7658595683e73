"""Whatever is changed in a chain without its key is found, and named for what it is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.model.audit import FIRST, Deed, Entry, Head, appended, new_head
from domain.model.audit_check import FaultKind, Verdict, absent, verify
from domain.model.ids import ClientId, PersonId, TenantId
from tests.belongings import NOW

KEY, TENANT, OTHER = b"k" * 32, TenantId(UUID(int=1)), TenantId(UUID(int=2))

Chain = tuple[Head, list[Entry]]


def chain(length: int, tenant_id: TenantId = TENANT, key: bytes = KEY) -> Chain:
    return longer((new_head(tenant_id, key), []), length, key)


def longer(before: Chain, more: int, key: bytes = KEY) -> Chain:
    head, entries = before[0], list(before[1])
    for number in range(more):
        done = Deed("cap.set", str(number), ClientId(UUID(int=7)), PersonId(UUID(int=8)))
        head, entry = appended(key, head, Entry(head.tenant_id, 0, NOW + timedelta(seconds=number), done, "r" * 8))
        entries.append(entry)
    return head, entries


def faults(verdict: Verdict) -> list[tuple[int, FaultKind]]:
    return [(fault.seq, fault.kind) for fault in verdict.faults]


def found(head: Head, entries: Sequence[Entry], anchors: dict[int, bytes] | None = None) -> list[tuple[int, FaultKind]]:
    return faults(verify(KEY, head, entries, anchors))


@pytest.mark.parametrize("length", [0, 1, 9])
def test_a_chain_that_nobody_touched_has_no_fault(length: int) -> None:
    head, entries = chain(length)
    assert found(head, entries) == []
    assert verify(KEY, head, entries).entries == length
    assert [entry.seq for entry in entries] == list(range(1, length + 1))


EDITS: dict[str, Callable[[Entry], Entry]] = {
    "at": lambda entry: replace(entry, at=entry.at + timedelta(microseconds=1)),
    "action": lambda entry: replace(entry, deed=replace(entry.deed, action="cap.removed")),
    "target": lambda entry: replace(entry, deed=replace(entry.deed, target="another")),
    "outcome": lambda entry: replace(entry, deed=replace(entry.deed, outcome="NOT_FOUND")),
    "client": lambda entry: replace(entry, deed=replace(entry.deed, client_id=None)),
    "person": lambda entry: replace(entry, deed=replace(entry.deed, person_id=PersonId(UUID(int=9)))),
    "client and person": lambda entry: replace(
        entry,
        deed=replace(entry.deed, client_id=ClientId(UUID(int=8)), person_id=PersonId(UUID(int=7))),
    ),
    "request": lambda entry: replace(entry, request_id=None),
    "tenant": lambda entry: replace(entry, tenant_id=OTHER),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("at", [1, 3, 5])
def test_an_edit_is_found_where_it_is(edit: Callable[[Entry], Entry], at: int) -> None:
    head, entries = chain(5)
    entries[at - 1] = edit(entries[at - 1])
    assert found(head, entries) == [(at, FaultKind.ALTERED)]


def test_a_mac_that_was_edited_is_found_at_the_entry_and_at_the_next() -> None:
    head, entries = chain(5)
    entries[2] = replace(entries[2], mac=bytes(32))
    assert found(head, entries) == [(3, FaultKind.ALTERED), (4, FaultKind.ALTERED)]
    head, entries = chain(5)
    entries[4] = replace(entries[4], mac=bytes(32))
    assert found(head, entries) == [(5, FaultKind.ALTERED)]


def test_what_is_gone_from_the_middle_and_from_the_front_is_missed() -> None:
    head, entries = chain(5)
    assert found(head, entries[:1] + entries[3:]) == [(2, FaultKind.MISSING)]
    assert found(head, entries[2:]) == [(1, FaultKind.MISSING)]


def test_two_that_changed_places_are_found() -> None:
    head, entries = chain(5)
    swapped = [*entries[:1], replace(entries[2], seq=2), replace(entries[1], seq=3), *entries[3:]]
    assert found(head, swapped) == [(2, FaultKind.ALTERED), (3, FaultKind.ALTERED), (4, FaultKind.ALTERED)]


def test_what_was_cut_off_is_missed_by_the_head() -> None:
    head, entries = chain(5)
    assert found(head, entries[:3]) == [(4, FaultKind.CUT)]
    assert found(head, []) == [(1, FaultKind.CUT)]


def test_a_head_that_was_cut_with_the_entries_does_not_bear_its_seal() -> None:
    head, entries = chain(5)
    shorter = replace(head, length=3, mac=entries[2].mac)
    assert found(shorter, entries[:3]) == [(3, FaultKind.HEAD_FORGED)]
    assert found(replace(shorter, length=0, mac=FIRST), []) == [(0, FaultKind.HEAD_FORGED)]


def test_what_is_done_after_a_cut_does_not_heal_it() -> None:
    head, entries = chain(5)
    cut = replace(head, length=3, mac=entries[2].mac), entries[:3]
    for more in (1, 2, 3):
        assert found(*longer(cut, more)) == [(3 + more, FaultKind.HEAD_FORGED)]
    assert found(*longer((head, entries[:3]), 2)) == [(4, FaultKind.MISSING)]


def test_an_entry_that_the_head_does_not_count_is_found() -> None:
    head, entries = chain(3)
    forged = replace(entries[2], seq=4)
    assert found(head, [*entries, forged]) == [(4, FaultKind.ALTERED), (4, FaultKind.UNCOUNTED)]


def test_an_entry_of_another_tenant_or_of_another_key_is_found() -> None:
    head, entries = chain(3)
    theirs = chain(3, OTHER)[1][1]
    assert found(head, [entries[0], replace(theirs, tenant_id=TENANT), entries[2]])[0] == (2, FaultKind.ALTERED)
    forged = chain(3, key=b"x" * 32)
    assert found(*forged)[0] == (1, FaultKind.ALTERED)


def test_only_an_anchor_finds_an_old_head_that_came_back() -> None:
    old, _ = chain(3)
    head, entries = chain(5)
    assert found(old, entries[:3]) == []
    assert found(old, entries[:3], {head.length: head.mac}) == [(5, FaultKind.BEFORE_ANCHOR)]
    assert found(head, entries, {0: FIRST, 3: old.mac, 5: head.mac}) == []
    assert found(head, entries, {4: old.mac}) == [(4, FaultKind.NOT_ANCHORED)]


def test_a_chain_that_is_wholly_gone_is_missed_by_its_anchor_alone() -> None:
    assert faults(absent(TENANT, {})) == []
    assert faults(absent(TENANT, {0: FIRST, 3: b"x"})) == [(3, FaultKind.BEFORE_ANCHOR)]


def test_a_head_never_passes_for_an_entry() -> None:
    head, entries = chain(1)
    assert head.seal != entries[0].mac
    assert not replace(head, length=2).genuine(KEY)
    assert not replace(head, tenant_id=OTHER).genuine(KEY)

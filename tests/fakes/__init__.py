"""The outside of the domain, in memory; the suites in ports/ hold it to the promises of the real adapters."""

from tests.fakes.clock import CountedIds, FakeClock, FakeSeconds
from tests.fakes.gateway import Asked, FakeGateway, FakeList, FakeSpeech, Reply
from tests.fakes.rows import TenantRows
from tests.fakes.signer import FakeSigner
from tests.fakes.store import FakeLedger, FakeStore, FakeWork
from tests.fakes.vault import FakeVault

__all__ = [
    "Asked",
    "CountedIds",
    "FakeClock",
    "FakeGateway",
    "FakeLedger",
    "FakeList",
    "FakeSeconds",
    "FakeSigner",
    "FakeSpeech",
    "FakeStore",
    "FakeVault",
    "FakeWork",
    "Reply",
    "TenantRows",
]

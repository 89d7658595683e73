"""How long a call waits before it is tried again."""

import pytest

from domain.errors import UpstreamError, UpstreamRateLimited, UpstreamUnavailable
from infrastructure.providers.retries import Attempts, Patience

BUSY = UpstreamUnavailable("a", 503, sent=True)
HUNG_UP = UpstreamUnavailable("a", sent=True)


def limited(wait: float) -> UpstreamError:
    return UpstreamRateLimited("a", 429, retry_after=wait)


def pauses(*failures: UpstreamError, stand: bool = False) -> list[float | None]:
    attempts = Attempts(Patience(retries=5, backoff=1.0, longest=5.0), stand)
    return [attempts.pause(failure) for failure in failures]


def test_waits_double_but_for_their_jitter() -> None:
    for at, pause in enumerate(pauses(*[BUSY] * 5)):
        assert pause is not None
        assert 0.5 * 2**at <= pause <= 1.5 * 2**at
    assert len({pauses(BUSY)[0] for _ in range(10)}) > 1


@pytest.mark.parametrize(("wait", "kept"), [(0.0, 0.0), (5.0, 5.0), (5.1, None)])
def test_a_wait_that_a_vendor_asks_for_is_kept_as_far_as_it_is_short(wait: float, kept: float | None) -> None:
    assert pauses(limited(wait)) == [kept]


def test_one_that_hung_up_is_tried_once_more_at_once() -> None:
    assert pauses(HUNG_UP, HUNG_UP) == [0.0, None]


def test_where_refusals_stand_only_one_that_hung_up_is_tried_again() -> None:
    assert pauses(BUSY, stand=True) == pauses(limited(0), stand=True) == [None]
    assert pauses(HUNG_UP, stand=True) == [0.0]


def test_the_last_attempt_that_reached_the_vendor_is_reported() -> None:
    attempts = Attempts(Patience())
    for failure in (BUSY, limited(1), UpstreamUnavailable("a", sent=False)):
        attempts.pause(failure)
    assert isinstance(attempts.verdict(), UpstreamRateLimited)

"""How long a refused credential rests."""

from datetime import timedelta

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    CredentialRejected,
    DomainError,
    NoCredential,
    StreamBroken,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from domain.model.cooling import LONGEST, rest_after
from domain.model.credential import Cooling
from tests.unit.domain.samples import NOW, credential


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (UpstreamRateLimited("acme", 429, retry_after=7.5), 7.5),
        (UpstreamUnavailable("acme", 503, retry_after=0), 0),
        (UpstreamUnavailable("acme", 503, retry_after=-5), 0),
        (UpstreamRateLimited("acme", 429, retry_after=1e9), LONGEST.total_seconds()),
        (UpstreamRateLimited("acme", 429), 60),
        (CredentialRejected("acme", 401), 300),
        (UpstreamPaymentRequired("acme", 402), 300),
        (UpstreamUnavailable("acme", 500), 10),
        (UpstreamTimeout("acme"), 10),
    ],
)
def test_it_rests_as_long_as_the_vendor_asks_else_by_the_kind_of_refusal(failure: DomainError, seconds: float) -> None:
    rest = rest_after(failure)
    assert rest is not None
    assert rest.of(credential().id, NOW) == Cooling(credential().id, NOW + timedelta(seconds=seconds), failure.code)


@pytest.mark.parametrize(
    "failure",
    [BadRequestUpstream("acme", 400), ContentRefused("acme", 400), StreamBroken("acme", 200), NoCredential("acme")],
)
def test_what_is_not_the_keys_fault_gives_no_rest(failure: DomainError) -> None:
    assert rest_after(failure) is None

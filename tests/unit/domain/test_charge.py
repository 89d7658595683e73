"""What a call may cost, and what it does cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.catalogue import Catalogue
from domain.model.events import Usage
from domain.model.quota import Charge, Outcome, PotKind, Terms, Unit, bound, charge, granted_pot
from tests.unit.domain.samples import ACME, NOW, TENANT, TRIAL, pot, ref

COUNTS = st.none() | st.integers(-(10**12), 10**12)


@given(st.sampled_from(Unit), st.integers(1, 10**9), st.sampled_from(Outcome), COUNTS, COUNTS)
def test_a_charge_is_never_below_zero_nor_above_the_hold(
    unit: Unit, held: int, outcome: Outcome, into: int | None, out: int | None
) -> None:
    assert 0 <= charge(unit, held, outcome, Usage(into, out)).amount <= held


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNSENT])
def test_a_call_that_did_not_run_is_free(outcome: Outcome) -> None:
    assert charge(Unit.CALLS, 1, outcome, Usage()).amount == 0
    assert charge(Unit.TOKENS, 500, outcome, Usage()).amount == 0


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.BROKEN, Outcome.ABANDONED, Outcome.LOST])
def test_a_call_that_may_have_run_costs_one_call(outcome: Outcome) -> None:
    assert charge(Unit.CALLS, 1, outcome, Usage()).amount == 1


def test_tokens_cost_what_the_vendor_counted_zero_output_included() -> None:
    assert charge(Unit.TOKENS, 500, Outcome.SUCCEEDED, Usage(30, 12)).amount == 42
    assert charge(Unit.TOKENS, 500, Outcome.SUCCEEDED, Usage(30, 0)).amount == 30


@pytest.mark.parametrize("usage", [Usage(), Usage(5, None), Usage(0, 0), Usage(-1, 5), Usage(400, 101)])
def test_an_absurd_or_missing_count_costs_the_bound_and_is_an_incident(usage: Usage) -> None:
    due = charge(Unit.TOKENS, 500, Outcome.SUCCEEDED, usage)
    assert due.amount == 500
    assert due.incident


@given(st.text())
def test_the_bound_in_tokens_is_never_under_the_bytes_of_the_prompt(prompt: str) -> None:
    try:
        size = len(prompt.encode())
    except UnicodeEncodeError:
        return
    assert bound(Unit.TOKENS, len(prompt), 0) >= size
    assert bound(Unit.CALLS, len(prompt), 9) == 1


@given(st.integers(0, 10**6), st.none() | st.integers(0, 10**6), st.integers(1, 10**6))
def test_letter_i_a_bound_rests_on_sizes_and_weights_and_on_no_price(size: int, limit: int | None, weight: int) -> None:
    assert bound(Unit.CALLS, size, limit, weight) == 1
    assert bound(Unit.CREDITS, size, limit, weight) == weight
    assert bound(Unit.TOKENS, size, limit, weight) == 4 * size + (limit or 0)


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.BROKEN, Outcome.ABANDONED, Outcome.LOST])
def test_credits_cost_the_models_weight_whatever_the_vendor_counts(outcome: Outcome) -> None:
    assert charge(Unit.CREDITS, 7, outcome, Usage(10**6, 0)) == Charge(7)


def test_free_is_what_is_neither_used_nor_held() -> None:
    assert pot(200, used=20, held=30).free == 150
    assert pot(None, used=20).free is None


def test_successors_end_even_when_the_vendor_names_them_in_a_circle() -> None:
    catalogue = Catalogue((ACME,))
    assert [r.name for r in catalogue.successors(ref("old"))] == ["old", "newer"]
    assert TRIAL.terms.includes(ref("newer"), catalogue)
    assert not TRIAL.terms.includes(ref("best"), catalogue)


def test_what_is_granted_on_the_same_terms_is_one_quota() -> None:
    def made(*models: str, unit: Unit = Unit.CREDITS, provider: str | None = "acme", **weights: int) -> object:
        terms = Terms(tuple(map(ref, models)), {f"acme/{name}": weight for name, weight in weights.items()})
        return granted_pot(TENANT, PotKind.PAID, provider, unit, terms, NOW).id

    assert made("old", "best", old=2, best=3) == made("best", "old", best=3, old=2)
    others = [made("old"), made("best"), made("old", unit=Unit.CALLS), made("old", provider=None), made("old", old=2)]
    everything = granted_pot(TENANT, PotKind.PAID, "acme", Unit.CREDITS, Terms(), NOW).id
    nothing = granted_pot(TENANT, PotKind.PAID, "acme", Unit.CREDITS, Terms(()), NOW).id
    assert len({*others, everything, nothing}) == len(others) + 2

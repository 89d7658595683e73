"""What a call costs: exact, never below nothing, and unknown rather than wrong."""

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.catalogue import Model, ModelRef, ModelType, Price, PriceUnit
from domain.model.events import Usage
from domain.model.labels import Text
from domain.model.usage import MOST_NANOS, Cost, cost

PER_MILLION = Price(Decimal("0.15"), Decimal("0.60"), 1_000_000, "USD")
PER_MINUTE = Price(Decimal("0.006"), None, 60, "USD")
PER_SEARCH = Price(Decimal(2), None, 1_000, "USD", PriceUnit.SEARCHES)
PER_MILLION_CHARACTERS = Price(Decimal(15), None, 1_000_000, "USD")
TOKEN_TYPES = (ModelType.LLM, ModelType.EMBEDDING, ModelType.RERANK)


def row(kind: ModelType, price: Price | None) -> Model:
    return Model(ModelRef("acme", "best", kind), Text("Best"), price=price)


@pytest.mark.parametrize(
    ("kind", "price", "usage", "nanos"),
    [
        pytest.param(ModelType.LLM, PER_MILLION, Usage(1_000, 200), 270_000, id="what a chat reads and writes"),
        pytest.param(
            ModelType.LLM, PER_MILLION, Usage(1_000, 200, cached_input=900), 270_000, id="cached, at list price"
        ),
        pytest.param(ModelType.LLM, PER_MILLION, Usage(0, 0), 0, id="nothing used"),
        pytest.param(
            ModelType.EMBEDDING, replace(PER_MILLION, output=None), Usage(2_000), 300_000, id="texts embedded"
        ),
        pytest.param(ModelType.EMBEDDING, PER_MILLION, Usage(2_000, 9), 300_000, id="an embedding writes no tokens"),
        pytest.param(
            ModelType.RERANK, replace(PER_MILLION, output=None), Usage(2_000), 300_000, id="documents reranked"
        ),
        pytest.param(ModelType.RERANK, PER_SEARCH, Usage(9, 0, searches=3), 6_000_000, id="searches"),
        pytest.param(ModelType.SPEECH_TO_TEXT, PER_MINUTE, Usage(audio_ms=90_000), 9_000_000, id="seconds heard"),
        pytest.param(
            ModelType.SPEECH_TO_TEXT, PER_MINUTE, Usage(9, 9, audio_ms=1), 100, id="a price by the second wins"
        ),
        pytest.param(
            ModelType.SPEECH_TO_TEXT, PER_MILLION, Usage(1_000, 200, audio_ms=9), 270_000, id="heard in tokens"
        ),
        pytest.param(
            ModelType.TEXT_TO_SPEECH, PER_MILLION_CHARACTERS, Usage(characters=7), 105_000, id="characters spoken"
        ),
        pytest.param(
            ModelType.TEXT_TO_SPEECH, PER_MILLION, Usage(1_000, 200, characters=9), 270_000, id="spoken in tokens"
        ),
    ],
)
def test_each_type_is_priced_in_its_own_unit(kind: ModelType, price: Price, usage: Usage, nanos: int) -> None:
    assert cost(row(kind, price), usage) == Cost(nanos, "USD")


@pytest.mark.parametrize(
    ("kind", "price", "usage"),
    [
        pytest.param(ModelType.LLM, None, Usage(1, 1), id="no price"),
        pytest.param(ModelType.LLM, PER_MILLION, Usage(), id="nothing counted"),
        pytest.param(ModelType.LLM, PER_MILLION, Usage(1, None), id="output not counted"),
        pytest.param(ModelType.LLM, PER_MILLION, Usage(None, 1), id="input not counted"),
        pytest.param(ModelType.LLM, replace(PER_MILLION, output=None), Usage(1, 1), id="output has no rate"),
        pytest.param(ModelType.LLM, replace(PER_MILLION, input=None), Usage(1, 1), id="input has no rate"),
        pytest.param(ModelType.LLM, PER_MILLION, Usage(-1, 5), id="input below zero"),
        pytest.param(ModelType.LLM, PER_MILLION, Usage(5, -1), id="output below zero"),
        pytest.param(ModelType.LLM, replace(PER_MILLION, output=Decimal(-1)), Usage(1, 1), id="a rate below zero"),
        pytest.param(ModelType.LLM, replace(PER_MILLION, per=0), Usage(1, 1), id="a price per nothing"),
        pytest.param(ModelType.LLM, replace(PER_MILLION, per=1), Usage(2**53, 2**53), id="beyond what can be written"),
        pytest.param(ModelType.EMBEDDING, PER_MILLION, Usage(None, 3), id="texts not counted"),
        pytest.param(ModelType.RERANK, PER_MILLION, Usage(), id="documents not counted"),
        pytest.param(ModelType.RERANK, PER_SEARCH, Usage(9, 0), id="searches not counted"),
        pytest.param(ModelType.SPEECH_TO_TEXT, PER_MINUTE, Usage(5, 5), id="seconds not counted"),
        pytest.param(ModelType.SPEECH_TO_TEXT, PER_MINUTE, Usage(audio_ms=-1), id="seconds below zero"),
        pytest.param(ModelType.SPEECH_TO_TEXT, PER_MILLION, Usage(audio_ms=5), id="heard tokens not counted"),
        pytest.param(ModelType.TEXT_TO_SPEECH, PER_MILLION_CHARACTERS, Usage(5, 5), id="characters not counted"),
        pytest.param(
            ModelType.TEXT_TO_SPEECH, PER_MILLION_CHARACTERS, Usage(characters=-1), id="characters below zero"
        ),
        pytest.param(ModelType.TEXT_TO_SPEECH, PER_MILLION, Usage(characters=5), id="spoken tokens not counted"),
    ],
)
def test_a_cost_is_unknown_when_anything_it_takes_is(kind: ModelType, price: Price | None, usage: Usage) -> None:
    assert cost(row(kind, price), usage) is None


def test_a_model_that_nobody_knows_has_no_cost() -> None:
    assert cost(None, Usage(1, 1)) is None


def test_halves_of_a_nano_are_rounded_to_even() -> None:
    price = Price(Decimal("0.0005"), Decimal(0), 1_000_000, "USD")
    assert [cost(row(ModelType.LLM, price), Usage(n, 0)) for n in (1, 3, 5)] == [
        Cost(0, "USD"),
        Cost(2, "USD"),
        Cost(2, "USD"),
    ]


RATES = st.none() | st.decimals(min_value=-1, max_value=10_000, places=9)
COUNTS = st.none() | st.integers(min_value=-5, max_value=2**53)


@given(
    kind=st.sampled_from(ModelType),
    price=st.builds(Price, RATES, RATES, st.integers(min_value=0, max_value=10**6), st.just("USD")),
    usage=st.builds(Usage, COUNTS, COUNTS, audio_ms=COUNTS, characters=COUNTS),
)
def test_a_cost_is_never_below_zero_nor_too_large_to_write(kind: ModelType, price: Price, usage: Usage) -> None:
    found = cost(row(kind, price), usage)
    assert found is None or 0 <= found.nanos <= MOST_NANOS


@given(
    kind=st.sampled_from(TOKEN_TYPES),
    rates=st.tuples(*[st.decimals(min_value=0, max_value=10, places=12)] * 2),
    counts=st.tuples(*[st.integers(min_value=0, max_value=10**9)] * 2),
    per=st.sampled_from((1_000, 1_000_000, 60, 7)),
)
def test_a_cost_is_within_half_a_nano_of_the_exact_price(
    kind: ModelType, rates: tuple[Decimal, Decimal], counts: tuple[int, int], per: int
) -> None:
    """Whatever precision the caller's decimals have."""
    shares = [Fraction(rate) * count / per for rate, count in zip(rates, counts, strict=True)]
    exact = shares[0] + shares[1] if kind is ModelType.LLM else shares[0]
    with localcontext(prec=3):
        found = cost(row(kind, Price(*rates, per, "USD")), Usage(*counts))
    assert found is not None
    assert abs(found.nanos - exact * 10**9) <= Fraction(1, 2)


@given(st.integers(min_value=0, max_value=MOST_NANOS))
def test_an_amount_is_the_whole_of_it(nanos: int) -> None:
    assert Cost(nanos, "USD").amount * 10**9 == nanos

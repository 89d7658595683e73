"""What an application may use: wider, narrower, and what of a tenant's standing is left within."""

import pytest

from domain.errors import ModelDisabled, NoDefaultModel, NotPermitted
from domain.model.access import EVERYWHERE, Reach
from domain.model.catalogue import ModelRef
from domain.model.defaults import default_model, resolved
from domain.model.selection import Standing, Status, availability, sources
from tests.unit.domain.samples import EMBEDDING, LLM, PLATFORM, credential, pot, ref

NOTHING = Reach(frozenset(), frozenset())
ACME = Reach(providers=frozenset({"acme"}))
BEST = Reach(models=frozenset({ref("best")}))
BOTH = Reach(frozenset({"home"}), frozenset({ref("best")}))
EVERY = [EVERYWHERE, NOTHING, ACME, BEST, BOTH]
KEYED = Standing(credentials=(credential(),), pots=(pot(),), chosen={LLM: ref("newer")})


@pytest.mark.parametrize(
    ("reach", "inside", "outside"),
    [
        (EVERYWHERE, [ref("best"), ref("x", "home")], []),
        (NOTHING, [], [ref("best"), ref("x", "home")]),
        (ACME, [ref("best"), ref("old")], [ref("x", "home")]),
        (BEST, [ref("best")], [ref("old"), ref("best", kind=EMBEDDING)]),
        (BOTH, [ref("best"), ref("x", "home")], [ref("old")]),
    ],
)
def test_either_list_lets_a_model_in(reach: Reach, inside: list[ModelRef], outside: list[ModelRef]) -> None:
    assert all(map(reach.includes, inside))
    assert not any(map(reach.includes, outside))
    assert {model.provider for model in inside} <= {p for p in ("acme", "home") if reach.touches(p)}


@pytest.mark.parametrize("reach", EVERY)
def test_each_is_within_itself_and_within_everything_and_around_nothing(reach: Reach) -> None:
    assert reach.within(reach)
    assert reach.within(EVERYWHERE)
    assert NOTHING.within(reach)
    assert EVERYWHERE.within(reach) is (reach == EVERYWHERE)


def test_a_model_is_within_its_provider_and_not_the_other_way() -> None:
    assert BEST.within(ACME)
    assert not ACME.within(BEST)
    assert not BOTH.within(ACME)
    assert BEST.within(BOTH)


def test_a_model_beyond_the_reach_is_refused_in_true_words_whatever_else_is_wrong_with_it() -> None:
    within = Standing(pots=(pot(),), disabled=frozenset({ref("old")})).within(BEST)
    with pytest.raises(NotPermitted, match="application may not use acme/old"):
        sources(ref("old"), within, PLATFORM)
    with pytest.raises(ModelDisabled):
        sources(ref("best"), Standing(disabled=frozenset({ref("best")})).within(BEST), PLATFORM)
    assert availability(ref("old"), within, PLATFORM).status is Status.NOT_PERMITTED


def test_a_default_that_was_chosen_gives_way_to_one_within_the_reach() -> None:
    assert resolved(None, LLM, KEYED.within(ACME), PLATFORM) == ref("newer")
    assert resolved(None, LLM, KEYED.within(BEST), PLATFORM) == ref("best")
    assert default_model(LLM, KEYED.within(BEST), PLATFORM).model == ref("best")
    with pytest.raises(NoDefaultModel):
        resolved(None, EMBEDDING, KEYED.within(BEST), PLATFORM)


def test_the_tenants_own_standing_is_untouched() -> None:
    assert KEYED.within(EVERYWHERE) is KEYED
    assert KEYED.within(BEST).chosen == {}
    assert KEYED.chosen == {LLM: ref("newer")}

"""What a call would do: the keys in turn, what each would hold of which pots, at what bound, or which rule refuses."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import (
    CredentialRejected,
    InvalidForm,
    InvalidRange,
    ModelDisabled,
    NoDefaultModel,
    NotFound,
    QuotaExhausted,
    UnsupportedFeature,
    UpstreamTimeout,
)
from domain.model.cap import CapSubject, Period
from domain.model.catalogue import Catalogue, Feature, Model
from domain.model.ids import ClientId
from domain.model.labels import Text
from domain.model.parameters import ParameterKind, ParameterRule
from domain.model.planning import Demand, Plan, affordable, plan, shortage
from domain.model.quota import PotKind, Terms, Unit
from domain.model.selection import KeySource, OwnKey, Platform, PlatformKey, Standing
from tests.unit.domain.samples import (
    ACME,
    EMBEDDING,
    LLM,
    NOW,
    PLATFORM,
    TRIAL,
    a_cap,
    credential,
    pot,
    ref,
)

APP, OTHER_APP = ClientId(UUID(int=50)), ClientId(UUID(int=51))
CHAT = Demand(ref("old"), LLM, prompt_characters=10, max_output=20)
TOKENS = pot(10_000, unit=Unit.TOKENS)
BOUNDLESS = replace(
    ACME,
    models=(
        *ACME.models,
        Model(ref("boundless"), Text("Boundless")),
        Model(
            ref("tuned"),
            Text("Tuned"),
            parameters=(ParameterRule("heat", Text("Heat"), ParameterKind.FLOAT, min=0, max=1),),
        ),
    ),
)
BOUNDLESS_PLATFORM = Platform(Catalogue((BOUNDLESS,)), {"acme": TRIAL})


def planned(standing: Standing, demand: Demand = CHAT, platform: Platform = PLATFORM, spin: float = 0.0) -> Plan:
    return plan(demand, APP, standing, platform, now=NOW, spin=spin)


def amounts(found: Plan) -> list[list[int]]:
    return [[line.amount for line in candidate.lines] for candidate in found.candidates]


@pytest.mark.parametrize(("unit", "amount"), [(Unit.CALLS, 1), (Unit.TOKENS, 4 * 10 + 20), (Unit.CREDITS, 1)])
def test_a_call_holds_its_bound_in_the_unit_of_the_pot(unit: Unit, amount: int) -> None:
    (candidate,) = planned(Standing(pots=(pot(10_000, unit=unit),))).candidates
    assert [(line.pot_id, line.amount) for line in candidate.lines] == [(pot().id, amount)]


def test_credits_are_held_at_the_models_weight_and_its_successors_weigh_the_same() -> None:
    weighed = pot(100, unit=Unit.CREDITS, kind=PotKind.PAID, terms=Terms(weights={"acme/old": 12}))
    for name, amount in (("old", 12), ("newer", 12), ("best", 1)):
        assert amounts(planned(Standing(pots=(weighed,)), replace(CHAT, model=ref(name)))) == [[amount]]


def test_an_own_key_without_a_cap_holds_nothing() -> None:
    found = planned(Standing((credential(),), (pot(),)))
    assert amounts(found) == [[], [1]]
    assert isinstance(affordable(found).source, OwnKey)


@pytest.mark.parametrize(("unit", "amount"), [(Unit.CALLS, 1), (Unit.TOKENS, 60), (Unit.CREDITS, 1)])
def test_a_cap_on_the_application_is_held_whoever_pays(unit: Unit, amount: int) -> None:
    cap = a_cap(1_000, APP, unit=unit)
    standing = Standing((credential(),), (pot(),), caps=(cap,))
    own, platform = planned(standing).candidates
    assert [line.amount for line in own.lines] == [amount]
    assert [line.amount for line in platform.lines] == [1, amount]
    assert own.windows == platform.windows == (cap.window(NOW),)


def test_a_cap_on_a_key_is_held_by_that_key_alone() -> None:
    first, second = credential(1), credential(2)
    cap = a_cap(5, first.id, subject=CapSubject.CREDENTIAL)
    found = planned(Standing((first, second), (pot(),), caps=(cap,)))
    by_key = {c.source.credential.id: c.windows for c in found.candidates if isinstance(c.source, OwnKey)}
    assert by_key == {first.id: (cap.window(NOW),), second.id: ()}
    assert all(c.windows == () for c in found.candidates if isinstance(c.source, PlatformKey))


def test_a_cap_on_another_application_or_on_a_key_of_the_same_id_is_no_concern() -> None:
    caps = (a_cap(0, OTHER_APP, number=1), a_cap(0, APP, subject=CapSubject.CREDENTIAL, number=2))
    assert amounts(planned(Standing(pots=(pot(),), caps=caps))) == [[1]]


def test_a_cap_of_zero_blocks_and_says_when_it_opens_again() -> None:
    cap = a_cap(0, APP)
    found = planned(Standing((credential(),), (pot(),), caps=(cap,)))
    with pytest.raises(QuotaExhausted) as refused:
        affordable(found)
    told = refused.value
    assert (told.pot, told.unit, told.free, told.asked) == ("cap", "calls", 0, 1)
    assert told.refills_at == cap.window(NOW).closes_at
    assert "admin" in told.message


def test_what_was_spent_of_the_open_window_counts_and_a_new_period_starts_anew() -> None:
    cap = a_cap(5, APP)
    spent = replace(cap.window(NOW), used=5)
    standing = Standing((credential(),), (spent,), caps=(cap,))
    with pytest.raises(QuotaExhausted):
        affordable(planned(standing))
    tomorrow = plan(CHAT, APP, standing, PLATFORM, now=NOW + timedelta(days=1), spin=0)
    assert affordable(tomorrow).windows == (cap.window(NOW + timedelta(days=1)),)


def test_a_call_may_meet_several_caps_and_the_tightest_refuses() -> None:
    key = credential()
    caps = (
        a_cap(9, APP, number=1),
        a_cap(59, APP, unit=Unit.TOKENS, period=Period.MONTH, number=2),
        a_cap(9, key.id, subject=CapSubject.CREDENTIAL, period=Period.NEVER, number=3),
    )
    found = planned(Standing((key,), caps=caps))
    assert amounts(found) == [[1, 60, 1]]
    with pytest.raises(QuotaExhausted) as refused:
        affordable(found)
    assert (refused.value.unit, refused.value.free, refused.value.asked) == ("tokens", 59, 60)


@given(
    st.lists(st.tuples(st.sampled_from(Unit), st.sampled_from(Period)), unique=True),
    st.lists(st.tuples(st.sampled_from(Unit), st.sampled_from(Period)), unique=True),
    st.booleans(),
    st.sampled_from(KeySource),
)
def test_letter_k_no_pot_of_a_call_is_ever_left_out(
    on_app: list[tuple[Unit, Period]], on_key: list[tuple[Unit, Period]], fresh: bool, preferred: KeySource
) -> None:
    key = credential()
    mine = [a_cap(9_999, APP, unit=u, period=p, number=n) for n, (u, p) in enumerate(on_app)]
    its = [
        a_cap(9_999, key.id, subject=CapSubject.CREDENTIAL, unit=u, period=p, number=100 + n)
        for n, (u, p) in enumerate(on_key)
    ]
    opened = () if fresh else tuple(replace(cap.window(NOW), used=3) for cap in (*mine, *its))
    standing = Standing((key,), (pot(), *opened), {"acme": preferred}, caps=(*mine, *its))
    for candidate in planned(standing).candidates:
        caps = mine if isinstance(candidate.source, PlatformKey) else [*mine, *its]
        held = {p.cap_id for p in candidate.pots if p.cap_id}
        assert held == {cap.id for cap in caps}
        assert [line.pot_id for line in candidate.lines] == [p.id for p in candidate.pots]
        assert isinstance(candidate.source, OwnKey) or candidate.source.pot in candidate.pots


def test_a_pot_of_tokens_needs_a_limit_and_sends_the_models_own() -> None:
    open_ended = replace(CHAT, max_output=None)
    (candidate,) = planned(Standing(pots=(TOKENS,)), open_ended).candidates
    assert (candidate.max_output, candidate.lines[0].amount) == (100, 140)
    (counting_calls,) = planned(Standing(pots=(pot(),)), open_ended).candidates
    assert counting_calls.max_output is None
    with pytest.raises(InvalidRange, match="maxTokens must be given"):
        planned(
            Standing((credential(),), caps=(a_cap(5, APP, unit=Unit.TOKENS),)),
            Demand(ref("boundless"), LLM),
            BOUNDLESS_PLATFORM,
        )


def test_a_key_that_needs_no_bound_serves_where_the_other_cannot_be_bounded() -> None:
    paid = replace(TOKENS, kind=PotKind.PAID)
    standing = Standing((credential(),), (paid,), {"acme": KeySource.PLATFORM})
    (candidate,) = planned(standing, Demand(ref("boundless"), LLM), BOUNDLESS_PLATFORM).candidates
    assert isinstance(candidate.source, OwnKey)


def test_embedding_holds_its_prompt_alone() -> None:
    paid = replace(TOKENS, kind=PotKind.PAID)
    demand = Demand(ref("vectors", kind=EMBEDDING), EMBEDDING, prompt_characters=10)
    assert amounts(planned(Standing(pots=(paid,)), demand)) == [[40]]


def test_the_first_candidate_with_room_is_taken_and_the_first_refusal_told() -> None:
    empty, full = pot(1, used=1, kind=PotKind.PAID, number=1), pot(2, held=1, kind=PotKind.FREE, number=2)
    found = planned(Standing(pots=(empty, full, pot())))
    chosen = affordable(found)
    assert isinstance(chosen.source, PlatformKey)
    assert chosen.source.pot.kind is PotKind.FREE
    assert [shortage(candidate) is None for candidate in found.candidates] == [False, True, True]
    with pytest.raises(QuotaExhausted) as refused:
        affordable(planned(Standing(pots=(empty, replace(full, used=1)))))
    assert refused.value.pot == "paid"


def test_an_unlimited_pot_has_room_for_anything() -> None:
    (candidate,) = planned(Standing(pots=(pot(None, used=2**62, unit=Unit.TOKENS),))).candidates
    assert shortage(candidate) is None


def test_a_missing_feature_a_wrong_parameter_and_a_wrong_type_are_refused() -> None:
    mine = Standing((credential(),))
    with pytest.raises(UnsupportedFeature, match="vision"):
        planned(mine, replace(CHAT, features=frozenset({Feature.VISION})))
    tuned = Demand(ref("tuned"), LLM, parameters={"heat": 2, "cold": 1}, extra=frozenset({"cold"}))
    with pytest.raises(InvalidForm) as refused:
        planned(mine, tuned, BOUNDLESS_PLATFORM)
    assert {p.field for p in refused.value.problems} == {"heat", "cold"}
    with pytest.raises(NotFound, match="model"):
        planned(mine, Demand(ref("old"), EMBEDDING))


def test_a_refusal_of_the_model_comes_before_one_of_the_call() -> None:
    off = Standing((credential(),), disabled=frozenset({ref("old")}))
    with pytest.raises(ModelDisabled):
        planned(off, replace(CHAT, features=frozenset({Feature.VISION})))
    with pytest.raises(NoDefaultModel):
        planned(Standing(), replace(CHAT, model=None))


def test_what_else_a_call_rules_out_is_asked_of_the_row() -> None:
    seen: list[Model | None] = []
    planned(Standing(pots=(pot(),)), replace(CHAT, fits=seen.append))
    assert [row.ref for row in seen if row] == [ref("old")]


def test_several_keys_share_the_load_by_weight_and_all_stay_candidates() -> None:
    keys = (replace(credential(1), weight=1), replace(credential(2), weight=3), replace(credential(3), weight=0))
    firsts = []
    for tenth in range(8):
        found = planned(Standing(keys), spin=tenth / 8)
        assert len(found.candidates) == 3
        firsts.append(found.candidates[0].source)
    assert [sum(s == OwnKey(key) for s in firsts) for key in keys] == [2, 6, 0]


def test_only_an_own_key_takes_over_and_only_where_that_can_help() -> None:
    found = planned(Standing((credential(1), credential(2)), (pot(),)))
    left = found.after(found.candidates[0], CredentialRejected("acme", 401))
    assert left is not None
    assert [type(c.source) for c in left.candidates] == [OwnKey]
    assert found.after(found.candidates[0], UpstreamTimeout("acme")) is None
    assert found.after(found.candidates[1], CredentialRejected("acme", 401)) is None


def test_a_further_parameter_needs_a_rule_where_the_catalogue_has_the_model_and_none_elsewhere() -> None:
    def asking(name: str, provider: str) -> Demand:
        return Demand(ref(name, provider), LLM, parameters={"top_k": 5}, extra=frozenset({"top_k"}))

    standing = Standing((credential(), credential(2, "home", ref("llama", "home"))))
    with pytest.raises(InvalidForm, match="top_k: is not a parameter of this model"):
        planned(standing, asking("best", "acme"))
    assert planned(standing, asking("llama", "home")).model == ref("llama", "home")

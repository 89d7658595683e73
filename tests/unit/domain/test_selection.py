"""Which model answers, and on whose key."""

from dataclasses import replace

import pytest

from domain.errors import CredentialRemoved, ModelDisabled, NoCredential, NoDefaultModel, NotPermitted
from domain.model.catalogue import Catalogue, Feature, ModelType
from domain.model.custom_model import CustomModel
from domain.model.defaults import default_model, resolved
from domain.model.quota import POOL, PotKind, Terms, Trial, Unit
from domain.model.selection import (
    KeySource,
    OwnKey,
    Platform,
    PlatformKey,
    Standing,
    Status,
    availability,
    model_of,
    models,
    preferred,
    sources,
)
from tests.unit.domain.samples import (
    ACME,
    EMBEDDING,
    HOME,
    LLM,
    NOW,
    OTHER,
    PLATFORM,
    TENANT,
    TRIAL,
    credential,
    pot,
    ref,
)

PREFERS_PLATFORM = {"acme": KeySource.PLATFORM}
POOLED = Trial(None, Unit.CREDITS, 50, (ref("old"), ref("best", "other")), {"acme/old": 3})
WIDE = Platform(Catalogue((ACME, OTHER, HOME)), {"acme": TRIAL, POOL: POOLED}, frozenset({"acme", "other"}))
POOL_POT = pot(50, unit=Unit.CREDITS, provider=None, number=8)
MINE = CustomModel(TENANT, ref("tuned"), "Tuned", NOW)


def kinds(standing: Standing, name: str = "old") -> list[type]:
    return [type(s) for s in sources(ref(name), standing, PLATFORM)]


def test_the_trial_serves_a_tenant_without_a_key() -> None:
    assert kinds(Standing(pots=(pot(),))) == [PlatformKey]


def test_the_first_own_key_goes_first_and_the_trial_stays_behind_it() -> None:
    assert kinds(Standing((credential(),), (pot(),))) == [OwnKey, PlatformKey]


def test_a_tenant_may_prefer_the_trial_and_its_own_key_takes_over() -> None:
    assert kinds(Standing((credential(),), (pot(),), PREFERS_PLATFORM)) == [PlatformKey, OwnKey]


def test_without_its_last_key_a_tenant_is_back_on_the_trial() -> None:
    standing = Standing(pots=(pot(),), preferred={"acme": KeySource.OWN})
    assert preferred("acme", standing) is KeySource.PLATFORM
    assert kinds(standing) == [PlatformKey]


def test_a_successor_of_a_trial_model_is_in_the_trial_and_others_are_not() -> None:
    assert kinds(Standing(pots=(pot(),)), "newer") == [PlatformKey]
    with pytest.raises(NotPermitted):
        sources(ref("best"), Standing(pots=(pot(),)), PLATFORM)


def test_nothing_at_all_is_no_credential() -> None:
    with pytest.raises(NoCredential):
        sources(ref("best"), Standing(), PLATFORM)


def test_a_hosted_credential_reaches_its_own_model_only() -> None:
    mine = ref("llama", "home")
    standing = Standing((credential(provider="home", model=mine),))
    assert availability(mine, standing, PLATFORM).status is Status.ACTIVE
    assert availability(ref("other", "home"), standing, PLATFORM).status is Status.NO_CREDENTIAL


def test_a_hosted_model_is_what_its_form_says() -> None:
    mine = ref("llama", "home")
    row = model_of(mine, Standing((credential(provider="home", model=mine),)), PLATFORM.catalogue)
    assert row is not None
    assert (row.context, row.features) == (8192, frozenset({Feature.VISION, Feature.STREAMING}))
    assert row.custom


def test_models_lists_hosted_ones_once_behind_the_catalogue() -> None:
    mine = ref("llama", "home")
    standing = Standing((credential(1, "home", mine), credential(2, "home", mine)))
    names = [m.ref.name for m in models(standing, PLATFORM.catalogue)]
    assert names == ["old", "newer", "best", "vectors", "llama"]


def test_an_empty_pot_is_quota_exhausted_and_an_unlimited_one_never_is() -> None:
    assert (
        availability(ref("old"), Standing(pots=(pot(200, used=150, held=50),)), PLATFORM).status
        is Status.QUOTA_EXHAUSTED
    )
    assert availability(ref("old"), Standing(pots=(pot(None, used=10**12),)), PLATFORM).status is Status.ACTIVE


def test_the_default_is_the_most_used_model_then_the_best_ranked() -> None:
    mine = Standing((credential(),))
    assert default_model(LLM, mine, PLATFORM).model == ref("best")
    used = Standing((credential(),), uses={ref("newer"): 3, ref("best"): 2})
    assert default_model(LLM, used, PLATFORM).model == ref("newer")


def test_a_retired_model_is_the_default_only_when_nothing_else_is_usable() -> None:
    trial_only = Standing(pots=(pot(),))
    assert default_model(LLM, trial_only, PLATFORM).model == ref("newer")


def test_a_choice_stands_and_says_why_it_cannot_be_used() -> None:
    standing = Standing(pots=(pot(),), chosen={LLM: ref("best")})
    default = default_model(LLM, standing, PLATFORM)
    assert default.model == ref("best")
    assert not default.automatic
    assert default.reason == "acme/best is chosen but unusable: not permitted"
    assert resolved(None, LLM, standing, PLATFORM) == ref("best")


def test_a_used_up_trial_is_what_a_call_hears_of_and_never_that_nothing_is_set_up() -> None:
    spent = Standing(pots=(pot(200, used=200),))
    assert default_model(LLM, spent, PLATFORM).model is None
    assert resolved(None, LLM, spent, PLATFORM) == ref("newer")
    with pytest.raises(NoDefaultModel):
        resolved(None, LLM, Standing(), PLATFORM)


def test_a_type_without_a_usable_model_has_no_default_and_a_reason() -> None:
    default = default_model(ModelType.RERANK, Standing((credential(),)), PLATFORM)
    assert default.model is None
    assert default.reason


def test_a_named_model_is_taken_as_it_is() -> None:
    assert resolved(ref("x"), LLM, Standing(), PLATFORM) == ref("x")
    assert resolved(None, EMBEDDING, Standing((credential(),)), PLATFORM) == ref("vectors", kind=EMBEDDING)


def test_paid_is_spent_before_free_and_free_before_trial() -> None:
    paid, free = pot(kind=PotKind.PAID, number=1), pot(kind=PotKind.FREE, number=2)
    found = sources(ref("old"), Standing(pots=(paid, free, pot())), PLATFORM)
    assert [s.pot.kind for s in found if isinstance(s, PlatformKey)] == [PotKind.PAID, PotKind.FREE, PotKind.TRIAL]


def test_the_platforms_quotas_stay_together_before_or_behind_the_own_keys() -> None:
    pots = (pot(kind=PotKind.PAID, number=1), pot())
    both = [OwnKey, OwnKey, PlatformKey, PlatformKey]
    assert kinds(Standing((credential(1), credential(2)), pots)) == both
    assert kinds(Standing((credential(1), credential(2)), pots, PREFERS_PLATFORM)) == both[::-1]


def test_a_paid_quota_is_good_for_models_that_the_trial_does_not_include() -> None:
    standing = Standing(pots=(pot(kind=PotKind.PAID, number=1), pot()))
    (source,) = sources(ref("best"), standing, PLATFORM)
    assert isinstance(source, PlatformKey)
    assert source.pot.kind is PotKind.PAID


def test_terms_of_a_grant_name_models_and_their_successors() -> None:
    granted = Standing(pots=(pot(kind=PotKind.PAID, terms=Terms((ref("old"),))),))
    assert kinds(granted, "newer") == [PlatformKey]
    with pytest.raises(NotPermitted):
        sources(ref("best"), granted, PLATFORM)


def test_a_pool_pays_at_every_provider_where_the_platform_has_a_key() -> None:
    pool = Standing(pots=(pot(kind=PotKind.FREE, provider=None),))
    assert [type(s) for s in sources(ref("best", "other"), pool, WIDE)] == [PlatformKey]
    elsewhere = replace(WIDE, keys=frozenset({"acme"}))
    with pytest.raises(NotPermitted):
        sources(ref("best", "other"), pool, elsewhere)


def test_a_quota_at_one_provider_pays_nothing_at_another() -> None:
    with pytest.raises(NoCredential):
        sources(ref("best", "other"), Standing(pots=(pot(kind=PotKind.PAID),)), WIDE)


def test_the_pool_trial_has_an_allow_list_over_providers() -> None:
    pool = Standing(pots=(POOL_POT,))
    for allowed in (ref("newer"), ref("best", "other")):
        assert [type(s) for s in sources(allowed, pool, WIDE)] == [PlatformKey]
    with pytest.raises(NotPermitted):
        sources(ref("best"), pool, WIDE)


def test_a_trial_that_is_offered_no_more_pays_for_nothing() -> None:
    with pytest.raises(NotPermitted):
        sources(ref("old"), Standing(pots=(POOL_POT,)), replace(WIDE, trials={"acme": TRIAL}))


def test_a_weight_goes_over_to_successors_from_the_nearest() -> None:
    assert WIDE.weight(POOL_POT, ref("old")) == 3
    assert WIDE.weight(POOL_POT, ref("newer")) == 3
    assert WIDE.weight(POOL_POT, ref("best", "other")) == 1
    chain = Terms(weights={"acme/old": 3, "acme/newer": 5})
    assert chain.weight(ref("newer"), WIDE.catalogue) == 5
    assert chain.weight(ref("old", "other"), WIDE.catalogue) == 1


def test_credits_that_do_not_cover_the_models_weight_are_used_up() -> None:
    nearly = replace(POOL_POT, used=48)
    assert availability(ref("old"), Standing(pots=(nearly,)), WIDE).status is Status.QUOTA_EXHAUSTED
    assert availability(ref("best", "other"), Standing(pots=(nearly,)), WIDE).status is Status.ACTIVE


def test_what_only_the_tenant_knows_is_never_on_the_platforms_key() -> None:
    unlimited = (pot(None, kind=PotKind.PAID), pot(None, kind=PotKind.FREE, provider=None, number=8))
    standing = Standing((credential(),), unlimited, PREFERS_PLATFORM, custom={MINE.ref: MINE})
    assert [type(s) for s in sources(MINE.ref, standing, WIDE)] == [OwnKey]
    with pytest.raises(CredentialRemoved):
        sources(MINE.ref, Standing(pots=unlimited, custom={MINE.ref: MINE}), WIDE)
    with pytest.raises(NotPermitted):
        sources(ref("llama", "home"), Standing(pots=unlimited), replace(WIDE, keys=WIDE.keys | {"home"}))


def test_inactive_keys_serve_nothing_and_are_counted_in_the_refusal() -> None:
    idle = replace(credential(), active=False)
    assert kinds(Standing((idle,), (pot(),))) == [PlatformKey]
    for standing in (Standing((idle,)), Standing((idle,), (pot(),))):
        with pytest.raises(NoCredential) as refused:
            sources(ref("best"), standing, PLATFORM)
        assert refused.value.inactive == 1


def test_a_disabled_model_is_refused_whoever_would_pay() -> None:
    off = Standing((credential(),), (pot(None),), disabled=frozenset({ref("old")}))
    with pytest.raises(ModelDisabled):
        sources(ref("old"), off, PLATFORM)
    assert availability(ref("old"), off, PLATFORM).status is Status.DISABLED
    assert default_model(LLM, off, PLATFORM).model != ref("old")


def test_refusals_tell_nothing_at_all_from_not_included_from_used_up() -> None:
    empty = pot(200, used=200)
    found = [
        availability(ref(name), Standing(pots=pots), PLATFORM).status
        for name, pots in (("old", ()), ("best", (empty,)), ("old", (empty,)))
    ]
    assert found == [Status.NO_CREDENTIAL, Status.NOT_PERMITTED, Status.QUOTA_EXHAUSTED]


def test_a_pool_makes_every_included_model_a_candidate_for_the_default() -> None:
    only_there = Standing(pots=(POOL_POT,), uses={ref("best", "other"): 2})
    assert default_model(LLM, only_there, WIDE).model == ref("best", "other")

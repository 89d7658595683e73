"""Which model answers, and on whose key."""

import pytest

from domain.errors import NoCredential, NoDefaultModel, NotPermitted
from domain.model.catalogue import Feature, ModelType
from domain.model.selection import (
    KeySource,
    OwnKey,
    PlatformKey,
    Standing,
    Status,
    availability,
    default_model,
    model_of,
    models,
    preferred,
    resolved,
    sources,
)
from tests.unit.domain.samples import EMBEDDING, LLM, PLATFORM, credential, pot, ref

PREFERS_PLATFORM = {"acme": KeySource.PLATFORM}


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

"""The registry, the adapters, their rows and their fixtures name the same vendors, each complete."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import InvalidForm
from domain.model.catalogue import Feature, FieldKind, ModelRef, ModelType, ProviderKind
from domain.model.quota import Unit
from domain.model.selection import Platform as Offer
from domain.model.selection import Standing, default_model
from infrastructure.providers import adapters
from infrastructure.providers.catalogue.rows import FOLDER
from infrastructure.providers.registry import ADAPTERS, catalogue, trials
from tests.unit.domain.samples import pot

CONTRACTS = Path(__file__).parents[2] / "contract"
KINDS = {"sdk", "spec", "vector", "recorded", "documented", "inferred"}
DATA = {"trials"}
MARKS = {"request", "schema", "answer"}
CHAT_MARKS = MARKS | {"stream", "tools", "vision", "structured_output", "reasoning"}


def names(folder: Path, pattern: str) -> set[str]:
    return {path.stem for path in folder.glob(pattern) if not path.stem.startswith("_")}


def test_every_adapter_is_registered_and_every_name_has_an_adapter() -> None:
    assert set(ADAPTERS) == names(Path(adapters.__path__[0]), "*.py")
    assert all(adapter.id == name for name, adapter in ADAPTERS.items())


def test_rows_and_fixtures_belong_to_registered_vendors() -> None:
    assert names(FOLDER, "*.toml") - DATA <= set(ADAPTERS)
    assert {path.name for path in CONTRACTS.iterdir() if (path / "evidence.toml").exists()} == set(ADAPTERS)


@pytest.mark.parametrize("provider", ADAPTERS)
def test_every_mark_says_what_holds_it(provider: str) -> None:
    evidence = tomllib.loads((CONTRACTS / provider / "evidence.toml").read_text())
    adapter = ADAPTERS[provider]
    assert evidence.keys() == {t.value for t in adapter.types} | {"provider"}
    assert evidence["provider"].keys() == {"probe", "errors"} | ({"models"} if adapter.models else set())
    assert all(evidence[t.value].keys() == (CHAT_MARKS if t is ModelType.LLM else MARKS) for t in adapter.types)
    for marks in evidence.values():
        assert all(mark["kind"] in KINDS and mark["source"] for mark in marks.values())


@pytest.mark.parametrize("provider", ADAPTERS)
def test_a_form_is_labelled_in_three_languages_and_asks_for_little(provider: str) -> None:
    adapter = ADAPTERS[provider]
    assert all(field.label.en and field.label.ja and field.label.zh for field in adapter.form)
    assert len({field.name for field in adapter.form}) == len(adapter.form)
    assert sum(field.kind is FieldKind.SECRET for field in adapter.form) == 1
    with pytest.raises(InvalidForm) as refused:
        adapter.provider().checked({}, ModelType.LLM)
    assert 1 <= len(refused.value.problems) <= 2


@pytest.mark.parametrize("provider", ADAPTERS)
def test_only_vendors_whose_key_reaches_all_models_have_rows(provider: str) -> None:
    shown = catalogue().provider(provider)
    assert bool(shown.models) is (shown.kind is ProviderKind.PROPRIETARY)
    assert {model.ref.type for model in shown.models} <= shown.types
    assert all(model.context for model in shown.models)
    assert len({model.price is None for model in shown.models}) <= 1


def test_every_successor_leads_to_a_model_that_stays() -> None:
    offered = catalogue()
    for model in (m for p in offered.providers for m in p.models if m.successor):
        *_, last = offered.successors(model.ref)
        row = offered.model(last)
        assert row
        assert row.retires is None


def test_a_trial_on_gone_models_reaches_those_that_took_their_place() -> None:
    trial = trials()["openai"]
    gone = {"gpt-3.5-turbo", "gpt-3.5-turbo-16k", "text-davinci-003"}
    assert (trial.unit, trial.granted) == (Unit.CALLS, 200)
    assert {ref.name for ref in trial.models} == gone
    for name in (*gone, "gpt-6-luna"):
        assert trial.terms.includes(ModelRef("openai", name, ModelType.LLM), catalogue())
    assert not trial.terms.includes(ModelRef("openai", "gpt-6-astra", ModelType.LLM), catalogue())


def test_a_new_tenants_default_is_a_current_model_of_its_trial() -> None:
    standing = Standing(pots=(replace(pot(), provider="openai"),))
    default = default_model(ModelType.LLM, standing, Offer(catalogue(), trials()))
    assert default.model == ModelRef("openai", "gpt-6-luna", ModelType.LLM)


def test_rows_know_what_our_dialects_can_serve() -> None:
    def features(name: str) -> frozenset[Feature]:
        row = catalogue().model(ModelRef("openai", name, ModelType.LLM))
        assert row
        return row.features

    assert Feature.TOOLS in features("gpt-6-luna")
    assert Feature.TOOLS not in features("gpt-6-astra")
    vectors = catalogue().model(ModelRef("openai", "text-embedding-3-large", ModelType.EMBEDDING))
    assert vectors
    assert vectors.dimensions == 3072

"""The registry, the adapters, their rows and their fixtures name the same vendors, each complete."""

import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from domain.errors import InvalidForm
from domain.model.calls import ChatCall, Knobs, Message, Role, TextPart
from domain.model.catalogue import Feature, FieldKind, FormField, Model, ModelRef, ModelType, PriceUnit, ProviderKind
from domain.model.defaults import default_model
from domain.model.parameters import ParameterKind, check_parameters
from domain.model.quota import Unit
from domain.model.selection import Platform as Offer
from domain.model.selection import Standing
from domain.ports import Target
from infrastructure.providers import adapters
from infrastructure.providers.catalogue.rows import FOLDER, rows
from infrastructure.providers.catalogue.vendors import shown
from infrastructure.providers.registry import ADAPTERS, catalogue, trials
from infrastructure.providers.spec import Adapter
from tests.unit.domain.samples import pot

CONTRACTS = Path(__file__).parents[2] / "contract"
# In preview.
UNPRICED = {"cohere": r"command-a-(plus|reasoning|vision)|rerank-v5"}
DATA = {"trials", "parameters", "vendors", "refusals"}


def names(folder: Path, pattern: str) -> set[str]:
    return {path.stem for path in folder.glob(pattern) if not path.stem.startswith("_")}


def test_every_adapter_is_registered_and_every_name_has_an_adapter() -> None:
    assert set(ADAPTERS) == names(Path(adapters.__path__[0]), "*.py")
    assert all(adapter.id == name for name, adapter in ADAPTERS.items())


def test_rows_and_fixtures_belong_to_registered_vendors() -> None:
    assert names(FOLDER, "*.toml") - DATA <= set(ADAPTERS)
    assert {path.parent.name for path in CONTRACTS.glob("*/test_*.py")} == set(ADAPTERS)


def secrets(adapter: Adapter, kind: ModelType) -> list[FormField]:
    """The secrets that a fresh form asks for."""
    chosen = {field.name: field.default for field in adapter.form}
    shown = [f for f in adapter.form if all(chosen[name] == value for name, value in f.shown_when.items())]
    return [f for f in shown if f.kind is FieldKind.SECRET and (not f.for_types or kind in f.for_types)]


@pytest.mark.parametrize("provider", ADAPTERS)
def test_a_form_is_labelled_in_three_languages_and_asks_for_little(provider: str) -> None:
    adapter = ADAPTERS[provider]
    assert all(field.label.en and field.label.ja and field.label.zh for field in adapter.form)
    assert len({field.name for field in adapter.form}) == len(adapter.form)
    assert all(secrets(adapter, kind) for kind in adapter.types)
    with pytest.raises(InvalidForm) as refused:
        adapter.provider().checked({}, ModelType.LLM)
    assert 1 <= len(refused.value.problems) <= 3


@pytest.mark.parametrize("provider", ADAPTERS)
def test_a_vendor_is_described_in_three_languages_briefly(provider: str) -> None:
    described = catalogue().provider(provider).description
    assert described
    words = [described.en, described.ja, described.zh]
    assert all(text and 10 <= len(text) <= 160 and text[-1] in ".。" for text in words)
    assert len(set(words)) == len(words)


def test_every_vendor_is_shown_and_none_that_is_gone() -> None:
    assert shown().keys() == ADAPTERS.keys()


@pytest.mark.parametrize("provider", ADAPTERS)
def test_a_conditional_field_looks_at_fields_before_it(provider: str) -> None:
    form = ADAPTERS[provider].form
    for at, field in enumerate(form):
        before = {earlier.name: earlier for earlier in form[:at]}
        for name, value in field.shown_when.items():
            assert value in before[name].options


@pytest.mark.parametrize("provider", ADAPTERS)
def test_only_vendors_whose_key_reaches_all_models_have_rows(provider: str) -> None:
    shown = catalogue().provider(provider)
    assert bool(shown.models) is (shown.kind is ProviderKind.PROPRIETARY)
    assert {model.ref.type for model in shown.models if not model.deprecated} == (
        shown.types if shown.models else set()
    )
    counted = [model for model in shown.models if model.priced_by is PriceUnit.TOKENS]
    assert all(model.context for model in counted)
    usual = [model for model in counted if not re.match(UNPRICED.get(provider, "$"), model.ref.name)]
    unpriced = {model.ref.name for model in usual if model.price is None}
    assert len(unpriced) in (0, len(usual)) or unpriced <= named_by_hand(provider)


def named_by_hand(provider: str) -> set[str]:
    """The models whose price is known to be unknown."""
    return set(tomllib.loads((FOLDER / f"{provider}.toml").read_text(encoding="utf-8"))["hand"])


KNOBS = Knobs(0.5, 0.5, 7, ("end",), 7, 0.5, 0.5)
OFFERING = [provider.id for provider in catalogue().providers if provider.models]


def chat_rows(provider: str) -> list[Model]:
    return [row for row in catalogue().provider(provider).models if row.ref.type is ModelType.LLM]


@pytest.mark.parametrize("provider", [p for p in OFFERING if ADAPTERS[p].chat])
def test_a_chat_row_offers_only_what_its_dialect_sends(provider: str) -> None:
    adapter = ADAPTERS[provider]
    assert adapter.chat
    form = {field.name: field.default for field in adapter.form if field.default}
    for row in chat_rows(provider):
        offered = {rule.name for rule in row.parameters}
        unified = {spec.name: getattr(KNOBS, spec.name) for spec in fields(KNOBS) if spec.name in offered}
        check_parameters(row.parameters, unified)
        call = ChatCall((Message(Role.USER, (TextPart("hi"),)),), knobs=Knobs(**unified))
        assert adapter.chat.render(Target(row.ref, form), call, stream=False).warnings == ()
        assert "max_tokens" in offered
        assert Feature.STREAMING in row.features


@pytest.mark.parametrize("provider", OFFERING)
def test_a_rule_can_be_shown_in_three_languages_and_has_values(provider: str) -> None:
    for rule in (rule for row in chat_rows(provider) for rule in row.parameters):
        assert rule.help
        assert all(text.ja and text.zh for text in (rule.label, rule.help))
        assert rule.options or rule.kind is not ParameterKind.STRING


def test_ranges_are_the_vendors_own() -> None:
    def bounds(provider: str, model: str, rule: str) -> tuple[float | None, float | None]:
        row = catalogue().model(ModelRef(provider, model, ModelType.LLM))
        assert row
        (found,) = [each for each in row.parameters if each.name == rule]
        return found.min, found.max

    assert bounds("openai", "gpt-4o", "temperature") == (0, 2)
    assert bounds("openai", "gpt-4o", "max_tokens") == (1, 16_384)
    assert bounds("anthropic", "claude-sonnet-4-5", "temperature") == (0, 1)
    assert bounds("mistral_ai", "mistral-small-latest", "temperature") == (0, 1.5)
    assert bounds("mistral_ai", "mistral-small-latest", "max_tokens") == (1, None)


@pytest.mark.parametrize("provider", ADAPTERS)
def test_a_deprecated_row_is_never_a_first_choice(provider: str) -> None:
    assert not any(m.deprecated and m.rank for m in catalogue().provider(provider).models)


@pytest.mark.parametrize("provider", OFFERING)
def test_rows_of_every_type_can_be_read(provider: str) -> None:
    """Those too that the adapter does not speak yet."""
    for row in rows(provider):
        assert row.voices or row.ref.type is not ModelType.TEXT_TO_SPEECH
        assert row.limits.bytes or row.ref.type is not ModelType.SPEECH_TO_TEXT
        assert row.limits.texts or row.ref.type is not ModelType.EMBEDDING


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
    assert Feature.TOOLS in features("gpt-6-astra")
    vectors = catalogue().model(ModelRef("openai", "text-embedding-3-large", ModelType.EMBEDDING))
    assert vectors
    assert vectors.dimensions == 3072

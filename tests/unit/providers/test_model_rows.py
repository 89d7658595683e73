"""Model rows are refused when they cannot mean anything, and trials when they name no model."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.model.catalogue import (
    Catalogue,
    Feature,
    Limits,
    ModelRef,
    ModelType,
    Price,
    PriceUnit,
    Provider,
    ProviderKind,
    Voice,
)
from domain.model.labels import Text
from domain.model.parameters import ParameterKind
from domain.model.quota import POOL, Trial, Unit
from infrastructure.providers.catalogue.rows import rows
from infrastructure.providers.catalogue.trials import trials

GOOD = """
[parameters]
temperature = { of = "^ol", max = 1, default = 1 }
max_tokens = { max = "max_output" }

[limits.text_to_speech]
characters = 80
other_voices = true

[[models]]
name = "old"
type = "llm"
label = { en = "Old", ja = "旧" }
parameters = [
    "temperature", "max_tokens", "stop", { name = "top_k", max = 40, label = "K" },
    { name = "reasoning_effort", options = ["low"] },
]
features = ["tools", "vision"]
context = 1000
max_output = 100
price = { input = "0.10", output = "0.5", per = 1000000, currency = "USD" }
retires = 2026-10-23
successor = "new"
deprecated = true
rank = 3

[[models]]
name = "new"
type = "llm"

[[models]]
name = "vectors"
type = "embedding"
dimensions = 8
price = { input = "0.02", per = 1000000, currency = "CNY" }

[[models]]
name = "voice"
type = "text_to_speech"
limits = { formats = ["mp3"] }
voices = ["fox", { id = "v:1", label = { en = "One", zh = "一" }, languages = ["zh"] }]
price = { input = "15", per = 1000000, currency = "USD" }
"""


def put(folder: Path, text: str) -> Path:
    (folder / "acme.toml").write_text(text)
    return folder


def test_a_row_says_all_that_is_known(tmp_path: Path) -> None:
    old, new, vectors, voice = rows("acme", put(tmp_path, GOOD))
    assert old.ref == ModelRef("acme", "old", ModelType.LLM)
    assert old.features == {Feature.TOOLS, Feature.VISION}
    assert (old.context, old.max_output, old.rank) == (1000, 100, 3)
    assert old.price == Price(Decimal("0.10"), Decimal("0.5"), 1_000_000, "USD")
    assert (old.retires, old.successor) == (date(2026, 10, 23), "new")
    assert (new.price, new.context, new.retires) == (None, None, None)
    assert (vectors.dimensions, vectors.price) == (8, Price(Decimal("0.02"), None, 1_000_000, "CNY"))
    assert (old.label, new.label) == (Text("Old", "旧"), Text("new"))
    assert (old.deprecated, new.deprecated, old.custom) == (True, False, False)
    assert voice.limits == Limits(characters=80, formats=("mp3",), other_voices=True)
    assert voice.voices == (Voice("fox", Text("Fox")), Voice("v:1", Text("One", zh="一"), ("zh",)))
    assert (old.priced_by, voice.priced_by) == (PriceUnit.TOKENS, PriceUnit.CHARACTERS)


def test_a_rule_is_the_shared_one_then_the_vendors_then_the_models(tmp_path: Path) -> None:
    old, new, *_ = rows("acme", put(tmp_path, GOOD))
    temperature, most, stop, top_k, effort = old.parameters
    assert (temperature.kind, temperature.min, temperature.max, temperature.default) == (ParameterKind.FLOAT, 0, 1, 1)
    assert temperature.label.ja == "温度"
    assert (most.min, most.max) == (1, 100)
    assert (stop.kind, stop.max) == (ParameterKind.STRINGS, None)
    assert (top_k.max, top_k.label) == (40, Text("K"))
    assert effort.options == ("low",)
    assert new.parameters == ()


def test_a_provider_without_a_file_has_no_rows(tmp_path: Path) -> None:
    assert rows("acme", tmp_path) == ()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('type = "embedding"', 'type = "smell"'),
        ('["tools", "vision"]', '["tools", "wings"]'),
        ("context = 1000", 'context = "1000"'),
        ("context = 1000", "context = 0"),
        ("context = 1000", "contex = 1000"),
        ('input = "0.10"', "input = 0.10"),
        ('input = "0.10"', 'input = "cheap"'),
        ('input = "0.10"', 'input = "-1"'),
        ('input = "0.10"', 'input = "NaN"'),
        ('"0.5", per = 1000000', '"0.5", per = 0'),
        ('"USD"', '"dollars"'),
        ("2026-10-23", '"2026-10-23"'),
        ("2026-10-23", "2026-10-23T00:00:00Z"),
        ('successor = "new"', 'successor = "vectors"'),
        ('successor = "new"', 'successor = "gone"'),
        ('name = "new"', 'name = "old"'),
        ('name = "new"', 'name = ""'),
        ('"stop", {', '"stop", "stop", {'),
        ('"stop", {', '"stomp", {'),
        ("max = 40", "max = '40'"),
        ("max = 40", "min = 41, max = 40"),
        ("max = 40", "most = 40"),
        ("default = 1 ", "default = 2 "),
        ('options = ["low"]', "options = [1]"),
        ("characters = 80", "characters = 0"),
        ("characters = 80", "letters = 80"),
        ('["mp3"]', '[""]'),
        ('id = "v:1", ', ""),
        ('en = "One", ', ""),
        ('ja = "旧"', 'fr = "Vieux"'),
    ],
)
def test_a_row_that_cannot_be_right_is_refused(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in GOOD
    with pytest.raises(ValueError, match=r"acme\.toml"):
        rows("acme", put(tmp_path, GOOD.replace(right, wrong)))


def catalogue(folder: Path) -> Catalogue:
    models = rows("acme", put(folder, GOOD))
    types = frozenset({ModelType.LLM, ModelType.EMBEDDING})
    return Catalogue((Provider("acme", Text("Acme"), ProviderKind.PROPRIETARY, types, (), None, models),))


def test_a_trial_is_read_by_provider(tmp_path: Path) -> None:
    file = tmp_path / "trials"
    file.write_text('[acme]\nunit = "calls"\ngranted = 200\ntype = "llm"\nmodels = ["old"]\n')
    trial = Trial("acme", Unit.CALLS, 200, (ModelRef("acme", "old", ModelType.LLM),))
    assert trials(catalogue(tmp_path), file) == {"acme": trial}


POOL_TRIAL = """[pool]
unit = "credits"
granted = 500
type = "llm"
models = ["acme/old", { name = "acme/new", weight = 10 }, { name = "acme/vectors", type = "embedding" }]
"""


def test_a_pool_names_models_of_any_provider_and_type_with_their_weights(tmp_path: Path) -> None:
    file = tmp_path / "trials"
    file.write_text(POOL_TRIAL)
    models = tuple(
        ModelRef("acme", name, ModelType(kind))
        for name, kind in (("old", "llm"), ("new", "llm"), ("vectors", "embedding"))
    )
    pool = Trial(None, Unit.CREDITS, 500, models, {"acme/new": 10})
    assert trials(catalogue(tmp_path), file) == {POOL: pool}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("granted = 500", "granted = 0"),
        ("granted = 500", 'granted = "500"'),
        ("granted = 500", "granted = true"),
        ("granted = 500\n", ""),
        ("granted = 500", "granted = 500\ngrants = 1"),
        ('unit = "credits"', 'unit = "wishes"'),
        ('unit = "credits"', 'unit = "calls"'),
        ('type = "llm"\n', ""),
        ('"acme/old"', '"old"'),
        ('"acme/old"', '"acme/vectors"'),
        ('"acme/old"', "5"),
        ("weight = 10", "weight = 0"),
        ("weight = 10", "weight = 1.5"),
        ("weight = 10", "wait = 10"),
        ("[pool]", "pool = 5\n[acme]"),
    ],
)
def test_a_trial_that_cannot_be_is_refused(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in POOL_TRIAL
    file = tmp_path / "trials"
    file.write_text(POOL_TRIAL.replace(right, wrong))
    with pytest.raises(ValueError, match="trial of"):
        trials(catalogue(tmp_path), file)


@pytest.mark.parametrize(("granted", "models"), [("0", '["old"]'), ("200", "[]"), ("200", '["vectors"]')])
def test_a_trial_of_nothing_is_refused(tmp_path: Path, granted: str, models: str) -> None:
    file = tmp_path / "trials"
    file.write_text(f'[acme]\nunit = "calls"\ngranted = {granted}\ntype = "llm"\nmodels = {models}\n')
    with pytest.raises(ValueError, match="acme"):
        trials(catalogue(tmp_path), file)

"""Which trials an installation offers: those of the file, as far as the platform has keys for their models."""

from pathlib import Path

import pytest

from api.house import NotReady, offered_trials
from domain.model.catalogue import FormValues
from domain.model.quota import POOL
from infrastructure.settings import Settings

KEYS: dict[str, FormValues] = {"openai": {}, "anthropic": {}}
BOTH = """[pool]
unit = "credits"
granted = 500
type = "llm"
models = [{ name = "openai/gpt-3.5-turbo", weight = 3 }, "anthropic/claude-haiku-4-5"]
[openai]
unit = "calls"
granted = 200
type = "llm"
models = ["gpt-3.5-turbo"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trials.toml"
    path.write_text(BOTH)
    return path


def test_the_seeds_trial_is_offered_where_the_platform_has_its_key() -> None:
    assert offered_trials(Settings(), KEYS)["openai"].granted == 200
    assert offered_trials(Settings(), {"anthropic": {}}) == {}


def test_a_pool_is_offered_for_the_models_whose_provider_has_a_key(file: Path) -> None:
    offered = offered_trials(Settings(trials_file=file), KEYS)
    assert set(offered) == {POOL, "openai"}
    assert len(offered[POOL].models) == 2
    partly = offered_trials(Settings(trials_file=file), {"anthropic": {}})
    assert [m.provider for m in partly[POOL].models] == ["anthropic"]
    assert offered_trials(Settings(trials_file=file), {}) == {}


def test_the_number_of_calls_is_for_trials_that_count_calls(file: Path) -> None:
    offered = offered_trials(Settings(trials_file=file, trial_calls=3), KEYS)
    assert (offered[POOL].granted, offered["openai"].granted) == (500, 3)


def test_a_bad_file_is_named(file: Path, tmp_path: Path) -> None:
    file.write_text(BOTH.replace("granted = 500", "granted = 0"))
    for path in (file, tmp_path / "nowhere.toml"):
        with pytest.raises(NotReady, match="PORTUNUS_TRIALS_FILE"):
            offered_trials(Settings(trials_file=path), KEYS)

"""Every mark of every vendor says what holds it, and what it names is there."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from domain.model.catalogue import ModelType
from infrastructure.providers.evidence import FOLDER, Kind, evidence
from infrastructure.providers.registry import ADAPTERS

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT / "tests" / "contract"
MARKS = {"request", "schema", "answer"}
CHAT_MARKS = MARKS | {"stream", "tools", "vision", "structured_output", "reasoning"}
# A file that is ours: one in a folder of the tests, or one with a name that our data files have.
OURS = re.compile(r"(?<![\w/.])(\.\./[\w./]+|tests/[\w/]+\.py|(?:sdk_requests|request_schemas|recorded_)[\w.*]*\.json)")


def sources(provider: str) -> list[str]:
    return [held.source for marks in evidence(provider).values() for held in marks.values()]


def portunus(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["providers", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("provider", ADAPTERS)
def test_every_mark_says_what_holds_it(provider: str) -> None:
    adapter, held = ADAPTERS[provider], evidence(provider)
    assert held.keys() == {t.value for t in adapter.types} | {"provider"}
    assert held["provider"].keys() == {"probe", "errors"} | ({"models"} if adapter.models else set())
    assert all(held[t].keys() == (CHAT_MARKS if t is ModelType.LLM else MARKS) for t in adapter.types)


def test_no_evidence_is_left_of_a_vendor_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(ADAPTERS)


@pytest.mark.parametrize("provider", ADAPTERS)
def test_the_files_that_evidence_names_are_there(provider: str) -> None:
    for name in (name for source in sources(provider) for name in OURS.findall(source)):
        folder = ROOT if name.startswith("tests/") else CONTRACTS / provider
        assert list(folder.glob(name)) if "*" in name else (folder / name).exists(), name


@pytest.mark.parametrize("provider", ADAPTERS)
def test_no_data_lies_about_that_no_evidence_names(provider: str) -> None:
    """Neither beside its own tests nor, for those that share it, elsewhere."""
    named = {name for source in sources(provider) for name in re.findall(r"[\w.*]+\.json", source)}
    files = {path.name for path in (CONTRACTS / provider).glob("*.json")}
    assert [file for file in sorted(files) if not any(fnmatch(file, name) for name in named)] == []


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ('request = { kind = "hearsay", source = "a friend" }', "llm.request"),
        ('request = { kind = "sdk", source = " " }', "llm.request"),
        ('request = { kind = "sdk" }', "llm.request"),
        ('request = { kind = "sdk", source = "a", sure = true }', "llm.request"),
    ],
)
def test_evidence_without_a_kind_and_a_source_is_refused(tmp_path: Path, written: str, wrong: str) -> None:
    (tmp_path / "vendor.toml").write_text(f"[llm]\n{written}\n")
    with pytest.raises(ValueError, match=rf"vendor\.toml: {wrong}"):
        evidence("vendor", tmp_path)


def test_the_command_lists_vendors_with_what_they_are() -> None:
    told = portunus().splitlines()
    assert len(told) == len(ADAPTERS)
    assert re.fullmatch(r"jina_ai +proprietary +\d+ models +embedding, rerank", told[list(ADAPTERS).index("jina_ai")])
    listed = json.loads(portunus("--json"))
    assert list(listed) == list(ADAPTERS)
    assert listed["ollama"]["kind"] == "hosted"


def test_the_command_tells_what_holds_every_mark() -> None:
    told = portunus("--evidence")
    counted = {kind: int(re.search(rf"^{kind} +(\d+) ", told, re.MULTILINE)[1]) for kind in Kind}  # type: ignore[index]
    assert sum(counted.values()) == sum(len(sources(provider)) for provider in ADAPTERS)
    (section,) = re.findall(r"\nbaichuan\n((?:  .+\n?)+)", told)
    assert "sdk: probe; documented: errors; inferred: models" in section
    found = json.loads(portunus("--evidence", "--json"))
    assert found["openai"]["llm"]["request"]["kind"] == "sdk"
    assert "sdk_requests.json" in found["openai"]["llm"]["request"]["source"]

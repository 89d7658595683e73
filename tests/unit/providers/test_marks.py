"""The registry, the adapters, the rows, the fixtures and the table of what vendors are asked to do say the same."""

import re
from functools import cache
from pathlib import Path

import pytest

from domain.model.catalogue import Feature, ModelType, ProviderKind
from infrastructure.providers.evidence import evidence
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.unit.providers.marks import Mark, lines, marks, named

CONTRACTS = Path(__file__).parents[2] / "contract"
# A word that tests of a mark cannot do without.
TESTED = {
    ModelType.LLM: "chat",
    ModelType.EMBEDDING: "embed",
    ModelType.RERANK: "rerank",
    ModelType.SPEECH_TO_TEXT: "transcri",
    ModelType.TEXT_TO_SPEECH: "speak",
    Feature.TOOLS: "tool",
    Feature.VISION: "image|vision|photo|picture",
}


@cache
def suites(provider: str) -> str:
    """The text of the tests in the vendor's folder, and of the suites for many vendors that name it."""
    own = [path.read_text(encoding="utf-8") for path in sorted((CONTRACTS / provider).glob("test_*.py"))]
    shared = [path.read_text(encoding="utf-8") for path in sorted(CONTRACTS.glob("test_*.py"))]
    return "\n".join([*own, *(text for text in shared if own and f'"{provider}"' in text)])


def test_the_table_has_all_its_marks() -> None:
    cells = [cell for row in lines() for cell in row[1:]]
    assert len(lines()) == 47
    assert sum(bool(cell) for cell in cells) == 94
    assert sum(cell.count("+") for cell in cells) == 19


def test_the_vendors_of_the_table_are_those_of_the_registry_in_its_order() -> None:
    assert list(dict.fromkeys(named(row[0]) for row in lines())) == list(ADAPTERS)


@pytest.mark.parametrize("mark", marks(), ids=str)
def test_an_adapter_speaks_what_the_table_asks_for(mark: Mark) -> None:
    assert mark.type in ADAPTERS[mark.provider].types


@pytest.mark.parametrize("mark", marks(), ids=str)
def test_a_mark_has_a_row_or_is_for_models_that_tenants_name(mark: Mark) -> None:
    """Where models are a tenant's own, the form says what they can do."""
    provider = catalogue().provider(mark.provider)
    if provider.kind is ProviderKind.PROPRIETARY:
        rows = [row for row in provider.models if row.ref.type is mark.type and not row.deprecated]
        assert any(mark.feature in (None, *row.features) for row in rows)
        return
    granted = {feature for field in provider.form for feature in field.grants.values()}
    assert mark.feature is None or mark.feature in granted


@pytest.mark.parametrize("mark", marks(), ids=str)
def test_a_mark_is_held_by_evidence_and_tests(mark: Mark) -> None:
    held = evidence(mark.provider)
    assert {"request", "schema", "answer"} <= held[mark.type].keys()
    assert mark.feature is None or mark.feature.value in held[mark.type]
    assert re.search(TESTED[mark.feature or mark.type], suites(mark.provider))

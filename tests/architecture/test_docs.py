"""The documentation names what is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from api.cli import app
from api.graphql.schema import build_schema
from infrastructure.providers.overview import table_lines
from infrastructure.settings import Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented_and_no_other() -> None:
    rows = [line for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith("| `PORTUNUS_")]
    documented = {row.split("`")[1].removeprefix("PORTUNUS_").lower() for row in rows}
    assert documented == set(Settings.model_fields)


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:3]) for path in (ROOT / "docs/decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_operation_and_test_that_the_features_name_exists() -> None:
    rows = [line for line in (ROOT / "docs/features.md").read_text().splitlines() if line.startswith("| ")]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    tests = {name for name in named if "::" in name}
    assert len(tests) > 50
    assert [name for name in sorted(tests) if not _defined(*name.split("::"))] == []
    schema = build_schema().as_str()
    fields = {name for row in rows for name in re.findall(r"`([a-z]\w+)`", row.split("|")[2])}
    assert len(fields) > 40
    assert [name for name in sorted(fields) if not re.search(rf"^  {name}(\(|:)", schema, re.MULTILINE)] == []
    commands = {name for name in named if name.startswith("portunus ")}
    assert commands <= set(_commands("portunus", typer.main.get_command(app)))


def test_every_deed_is_documented_and_no_other() -> None:
    table = (ROOT / "docs/audit.md").read_text().split("| action |")[1].split("\n\n")[0]
    actions = " ".join(row.split("|")[1] for row in table.splitlines()[1:])
    nodes = (n for p in (ROOT / "domain/usecases").rglob("*.py") for n in ast.walk(ast.parse(p.read_text())))
    said = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    done = {text for text in said if re.fullmatch(r"[a-z_]+\.[a-z_]+", text)} - {"cap.amount"}  # a path of an input
    assert done == set(re.findall(r"`([a-z_.]+)`", actions))


def test_the_page_of_vendors_is_what_the_command_prints() -> None:
    told = [line for line in (ROOT / "docs/vendors.md").read_text().splitlines() if line.startswith("|")]
    assert told == list(table_lines())


def _commands(name: str, command: Any) -> Iterator[str]:
    for inner in getattr(command, "commands", {}).values():
        yield f"{name} {inner.name}"
        yield from _commands(f"{name} {inner.name}", inner)


def test_every_test_that_the_rules_of_oauth_name_exists() -> None:
    named = re.findall(r"`([\w/.]+::\w+)`", (ROOT / "docs/oauth.md").read_text())
    assert len(named) > 30
    assert [name for name in named if not _defined(*name.split("::"))] == []


def test_every_item_of_asvs_is_told_once_with_what_shows_it() -> None:
    rows = [line for line in (ROOT / "docs/asvs.md").read_text().splitlines() if re.match(r"\| \d", line)]
    told = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert len(told) > 100
    assert [row for row in told if len(row) != 6 or not all(row[:5])] == []
    items = [item for item, *_ in told]
    assert [item for item in items if not re.fullmatch(r"[1-9]\d?\.[1-9]\d?\.[1-9]\d?", item)] == []
    assert items == sorted(set(items), key=lambda item: [int(part) for part in item.split(".")])
    assert {level for _, level, *_ in told} == {"1", "2", "3"}
    assert {status for *_, status, _ in told} == {"held", "partly", "not"}
    assert [
        item for item, *_, status, tests in told if (status == "held" and not tests) or (status == "not" and tests)
    ] == []
    named = re.findall(r"`([^`]+::[^`]+)`", "\n".join(rows))
    assert [name for name in named if not _defined(*name.split("::"))] == []


def _defined(file: str, test: str) -> bool:
    path = ROOT / file
    return path.exists() and f"def {test}(" in path.read_text()

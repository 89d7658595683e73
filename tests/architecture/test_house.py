"""The shape of the house: sizes, names, and who may know whom."""

import ast
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [p for folder in ("api", "domain", "infrastructure") for p in sorted((ROOT / folder).rglob("*.py"))]
PATTERN_NAMES = re.compile(r"(Manager|Helper|Utils?|Base|Impl)$")


def lines(path: Path) -> int:
    return sum(1 for line in path.read_text().splitlines() if line.strip())


def sizes(folder: str) -> dict[str, int]:
    paths = [path for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py"]
    return {path.name: len(path.read_text().splitlines()) for path in paths}


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_files_are_small() -> None:
    counted = {p: lines(p) for p in CODE if p.name != "__init__.py"}
    assert statistics.median(counted.values()) <= 80
    assert {p: n for p, n in counted.items() if n > 400} == {}


def test_a_vendor_is_a_small_file_and_a_dialect_one_that_can_be_read() -> None:
    """All lines count here, the blank ones too."""
    adapters, dialects = (sizes(f"infrastructure/providers/{folder}") for folder in ("adapters", "dialects"))
    assert len(adapters) == 45
    assert statistics.median(adapters.values()) <= 40
    assert max(dialects.values()) <= 450


def test_functions_are_small() -> None:
    counted = {f"{p.relative_to(ROOT)}:{f.name}": length(f) for p in CODE for f in functions(p)}
    assert statistics.median(counted.values()) <= 8
    assert {name: n for name, n in counted.items() if n > 50} == {}


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_in_one_sentence_what_lives_there(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_classes_are_named_after_things_not_patterns() -> None:
    names = [n.name for p in CODE for n in ast.walk(ast.parse(p.read_text())) if isinstance(n, ast.ClassDef)]
    assert [name for name in names if PATTERN_NAMES.search(name)] == []


def test_vendors_are_named_only_where_they_are_declared() -> None:
    """No comparison with a vendor's name outside adapters: the names would smear over the program."""
    vendors = {p.stem for p in (ROOT / "infrastructure/providers/adapters").glob("*.py")} - {"__init__"}
    assert {"openai", "anthropic", "ollama"} <= vendors
    allowed = ("infrastructure/providers/adapters/", "infrastructure/providers/registry.py")
    found = []
    for path in CODE:
        if str(path.relative_to(ROOT)).startswith(allowed):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in vendors:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_the_layers_hold() -> None:
    contracts = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert contracts.returncode == 0, contracts.stdout


def test_the_domain_runs_on_the_standard_library_alone() -> None:
    """All of it is imported by an interpreter that sees no installed package (-S)."""
    paths = sorted((ROOT / "domain").rglob("*.py"))
    modules = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in paths if p.name != "__init__.py"]
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import " + ", ".join(modules)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_command_begins_without_what_serves() -> None:
    """Each imports what it needs when it runs: `portunus --help` takes a tenth of the time of `portunus serve`."""
    heavy = ("aiohttp", "pydantic", "sqlalchemy", "starlette", "strawberry", "uvicorn")
    code = f"import sys, api.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

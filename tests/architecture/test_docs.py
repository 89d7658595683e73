"""The documentation names what is there."""

from pathlib import Path

from infrastructure.settings import Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented_and_no_other() -> None:
    rows = [line for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith("| `PORTUNUS_")]
    documented = {row.split("`")[1].removeprefix("PORTUNUS_").lower() for row in rows}
    assert documented == set(Settings.model_fields)


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:3]) for path in (ROOT / "docs/decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))

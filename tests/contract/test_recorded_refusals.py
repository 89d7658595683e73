"""What vendors really said when they refused, as issues on GitHub quote it (recorded_refusals.json of each vendor)."""

from typing import Any

import pytest

from tests.contract import recordings as rec

VENDORS = ("deepseek", "minimax", "moonshot_ai", "novita_ai", "stepfun", "zhipu_ai")
QUOTED = [
    pytest.param(vendor, quoted, id=f"{vendor}-{quoted['quoted']}")
    for vendor in VENDORS
    for quoted in rec.load(vendor, "recorded_refusals.json")["refusals"]
]


@pytest.mark.parametrize(("vendor", "quoted"), QUOTED)
def test_a_refusal_that_was_met_keeps_its_meaning_and_its_words(vendor: str, quoted: Any) -> None:
    failure = rec.refused(vendor, quoted["status"], quoted["body"])
    said = quoted["body"].get("error", quoted["body"])["message"]
    assert (failure.code, failure.status, failure.detail) == (quoted["means"], quoted["status"], said)

"""The script that writes model rows handles what is known to be odd in its sources, and its rows can be read."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
HEAD = """# hand-kept
[source]
litellm = "acme"
prefix = "acme/"
dify = "acme"
endpoints = ["/v1/chat/completions"]
omit = "audio"
[hand]
"old" = { successor = "new" }
"only-dify" = { retires = 2024-01-04, successor = "new" }
"new" = { rank = 9, with = ["reasoning"], without = ["tools"] }
"bare" = { rank = 1 }
"""


def litellm(name: str, **more: Any) -> dict[str, Any]:
    costs = {"input_cost_per_token": "0.0000005", "output_cost_per_token": "0.0000015000000000000002"}
    return {"model": name, "litellm_provider": "acme", "mode": "chat", "max_input_tokens": 1000, "costs": costs, **more}


def dify(name: str, kind: str = "llm", unit: str = "0.001", currency: str = "USD", **more: Any) -> dict[str, Any]:
    pricing = {"input": "0.002", "output": "0.004", "unit": unit, "currency": currency}
    return {"model": name, "type": kind, "context_size": 4096, "pricing": pricing, "features": ["vision"], **more}


LITELLM = [
    litellm("new", supports=["function_calling", "vision", "pdf_input"]),
    litellm("old", deprecation_date="2026-10-23"),
    litellm("gone", deprecation_date="2026-01-01"),
    litellm("alias", max_output_tokens=None),
    litellm("alias-2026-01-01", litellm_provider="acme_cloud-chat", deprecation_date="2027-01-14"),
    litellm("alias-2025-01-01", deprecation_date="2026-12-01"),
    litellm("elsewhere", endpoints=["/v1/responses"]),
    litellm("talks-audio"),
    litellm("acme/bare", mode="embedding", max_input_tokens=None, output_vector_size=8),
    litellm("foreign", litellm_provider="other"),
    litellm("sings", mode="audio_speech"),
    litellm("listens", mode="audio_transcription", costs={"input_cost_per_second": "0.000283333333333"}),
    litellm("counts tokens", mode="audio_transcription"),
    litellm("ranks", mode="rerank", costs={"input_cost_per_query": "0.002", "input_cost_per_token": "0"}),
]
DIFY = [dify("alias", max_tokens=77), dify("only-dify", currency="RMB"), dify("only-dify"), dify("unlisted")]
DEFECT = [*DIFY, dify("bare", "text-embedding", unit="1000000"), dify("bare")]


def run(folder: Path, models: list[dict[str, Any]], head: str = HEAD) -> subprocess.CompletedProcess[str]:
    """A copy of the script beside a catalogue of one vendor, run on made-up collections."""
    script = folder / "scripts/model_rows.py"
    script.parent.mkdir()
    script.write_text((ROOT / "scripts/model_rows.py").read_text())
    file = folder / "infrastructure/providers/catalogue/acme.toml"
    file.parent.mkdir(parents=True)
    file.write_text(head)
    meta = {"provider_map": {"acme": ["acme", "acme_cloud*"]}}
    (folder / "litellm_models.json").write_text(json.dumps({"meta": meta, "models": {"acme": LITELLM}}))
    (folder / "dify_models.json").write_text(json.dumps({"models": {"acme": models}, "seed_era_models": {}}))
    return subprocess.run(
        [sys.executable, script, folder, "--as-of", "2026-11-23"], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("rows")
    done = run(folder, DEFECT)
    assert done.returncode == 0, done.stderr
    text = (folder / "infrastructure/providers/catalogue/acme.toml").read_text()
    assert text.startswith(HEAD)
    written = tomllib.loads(text)["models"]
    assert len(written) == len({row["name"] for row in written})
    return {row["name"]: row for row in written}


def test_only_models_that_can_be_called_become_rows(rows: dict[str, dict[str, Any]]) -> None:
    snapshots = {"alias", "alias-2026-01-01", "alias-2025-01-01"}
    assert rows.keys() == {"new", "old", "only-dify", "bare"} | snapshots


def test_the_hand_has_the_last_word(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["new"]["features"] == ["vision", "reasoning", "streaming"]
    assert (rows["new"]["rank"], rows["old"]["successor"]) == (9, "new")


def test_prices_are_plain_decimals_per_million(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["new"]["price"] == {"input": "0.5", "output": "1.5", "per": 1_000_000, "currency": "USD"}
    assert rows["only-dify"]["price"] == {"input": "2", "output": "4", "per": 1_000_000, "currency": "CNY"}
    assert "output" not in rows["bare"]["price"]


def test_what_one_collection_lacks_comes_from_the_other(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["alias"]["max_output"] == 77
    assert (rows["bare"]["dimensions"], rows["bare"].get("context")) == (8, 4096)


def test_an_alias_ends_with_the_last_of_its_snapshots(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["alias"]["retires"].isoformat() == "2027-01-14"


def test_a_vendor_that_only_one_collection_knows_gets_its_current_rows(tmp_path: Path) -> None:
    current = dify("now", deprecated=False, parameter_rules=[{"name": "enable_thinking"}])
    gone = [dify("named", deprecated=True), dify("gone", deprecated=True)]
    assert run(tmp_path, [current, *gone], '[source]\ndify = "acme"\n[hand]\nnamed = { rank = 1 }\n').returncode == 0
    text = (tmp_path / "infrastructure/providers/catalogue/acme.toml").read_text()
    features = {row["name"]: row["features"] for row in tomllib.loads(text)["models"]}
    assert features == {"now": ["vision", "reasoning", "streaming"], "named": ["vision", "streaming"]}


def test_a_vendor_without_prices_is_free_where_the_hand_says_so(tmp_path: Path) -> None:
    head = '[source]\ndify = "acme"\nfree = "CNY"\n[hand]\nmade = { type = "embedding", context = 512 }\n'
    assert run(tmp_path, [dify("now", unit="0.000", deprecated=False)], head).returncode == 0
    text = (tmp_path / "infrastructure/providers/catalogue/acme.toml").read_text()
    rows = {row["name"]: row for row in tomllib.loads(text)["models"]}
    assert rows["now"]["price"] == {"input": "0", "output": "0", "per": 1_000_000, "currency": "CNY"}
    assert rows["made"] == {
        "name": "made",
        "type": "embedding",
        "context": 512,
        "price": {"input": "0", "per": 1_000_000, "currency": "CNY"},
    }


def test_a_model_that_does_the_work_of_two_types_has_a_row_of_each(tmp_path: Path) -> None:
    types = 'types = ["llm", "speech_to_text"]'
    head = f'[source]\ndify = "acme"\n{types}\n[hand]\nnow = {{ rank = 7, also = "speech_to_text" }}\n'
    assert run(tmp_path, [dify("now", deprecated=False)], head).returncode == 0
    text = (tmp_path / "infrastructure/providers/catalogue/acme.toml").read_text()
    chat, speech = tomllib.loads(text)["models"]
    assert (chat["type"], chat["rank"]) == ("llm", 7)
    assert speech == {"name": "now", "type": "speech_to_text", "rank": 7}


def test_a_price_with_an_impossible_unit_is_told_and_left_out(tmp_path: Path) -> None:
    done = run(tmp_path, [dify("only-dify", unit="0.000")])
    assert done.returncode == 0
    assert "only-dify" in done.stderr
    text = (tmp_path / "infrastructure/providers/catalogue/acme.toml").read_text()
    assert "price" not in {row["name"]: row for row in tomllib.loads(text)["models"]}["only-dify"]


def test_a_hand_kept_name_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    done = run(tmp_path, [])
    assert done.returncode != 0
    assert "only-dify" in done.stderr


SPEECH = """[source]
litellm = "acme"
dify = "acme"
types = ["llm", "rerank", "speech_to_text", "text_to_speech"]
[parameters]
max_tokens = { max = "max_output" }
temperature = { of = '^alias' }
effort = { needs = "reasoning", told = true, options = ["low"] }
top_k = { listed = true }
[limits.speech_to_text]
bytes = 5
[voices]
'^made' = ["fox"]
[hand]
"new" = { with = ["reasoning"], without = ["streaming"] }
"new-2026-01-01" = { type = "llm", with = ["reasoning"] }
"says" = { label = "Says it" }
"made" = { type = "text_to_speech" }
"""
VOICES = [{"mode": "b", "name": "Bee", "language": ["ja-JP"]}, {"mode": "a", "name": "Ai", "language": []}]
SPOKEN = {"voices": VOICES, "default_voice": "a", "word_limit": 80}
HEARD = {"file_upload_limit": 25, "supported_file_extensions": "mp3, wav"}
RULES = [{"name": "effort", "options": ["low", "high"], "max": 9}, {"name": "top_k", "max": 3}, {"name": "inner"}]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("told")
    models = [
        dify("new", parameter_rules=RULES),
        dify("says", "tts", properties=SPOKEN, label_en="says"),
        dify("listens", "speech2text", properties=HEARD, label_en="Listens well"),
    ]
    done = run(folder, models, SPEECH)
    assert done.returncode == 0, done.stderr
    text = (folder / "infrastructure/providers/catalogue/acme.toml").read_text()
    return {row["name"]: row for row in tomllib.loads(text)["models"]}


def test_a_chat_model_names_the_rules_that_its_vendor_has_for_it(told: dict[str, dict[str, Any]]) -> None:
    effort = {"name": "effort", "options": ["low", "high"]}
    assert told["new"]["parameters"] == ["max_tokens", effort, "top_k"]
    assert told["new-2026-01-01"]["parameters"] == ["max_tokens", effort, "top_k"]
    assert told["alias"]["parameters"] == ["max_tokens", "temperature"]
    assert "parameters" not in told["listens"]


def test_what_writes_or_speaks_streams_unless_the_hand_says_otherwise(told: dict[str, dict[str, Any]]) -> None:
    streaming = {name for name, row in told.items() if "streaming" in row.get("features", ())}
    assert streaming.isdisjoint({"new", "listens"})
    assert {"alias", "says", "made"} <= streaming


def test_voices_begin_with_the_usual_one_and_are_the_vendors_where_it_has_its_own(
    told: dict[str, dict[str, Any]],
) -> None:
    assert [voice["id"] for voice in told["says"]["voices"]] == ["a", "b"]
    assert told["says"]["voices"][1] == {"id": "b", "label": "Bee", "languages": ["ja-JP"]}
    assert told["made"]["voices"] == ["fox"]


def test_limits_are_difys_unless_the_vendor_has_its_own(told: dict[str, dict[str, Any]]) -> None:
    assert told["says"]["limits"] == {"characters": 80}
    assert "limits" not in told["listens"]


def test_speech_is_priced_by_the_minute_and_not_by_tokens(told: dict[str, dict[str, Any]]) -> None:
    assert told["listens"]["price"] == {"input": "0.017", "per": 60, "currency": "USD"}
    assert "price" not in told["counts tokens"]


def test_reranking_is_priced_by_the_thousand_searches_where_its_vendor_counts_them(
    told: dict[str, dict[str, Any]],
) -> None:
    assert told["ranks"]["price"] == {"input": "2", "per": 1000, "currency": "USD", "unit": "searches"}


def test_a_label_is_kept_where_it_says_more_than_the_name(told: dict[str, dict[str, Any]]) -> None:
    assert (told["listens"]["label"], told["says"]["label"]) == ("Listens well", "Says it")
    assert "label" not in told["new"]


def test_what_has_ended_and_is_still_named_is_deprecated(rows: dict[str, dict[str, Any]]) -> None:
    assert {name for name, row in rows.items() if row.get("deprecated")} == {"old", "only-dify"}

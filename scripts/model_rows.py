"""Writes the model rows of infrastructure/providers/catalogue from collected facts; can be run again at any time.

    python scripts/model_rows.py FOLDER [provider …] [--as-of 2026-11-23]

FOLDER holds litellm_models.json (BerriAI/litellm's table of prices and contexts) and dify_models.json (the model files
of langgenius/dify-official-plugins). Each catalogue file begins with a hand-kept part that this script reads and keeps:
- `[source]` names the vendor in both collections (LiteLLM may know it by a pattern), the `prefix` that LiteLLM puts
  before names, and the `types` of model to take; `free` names the currency of a vendor that charges nothing.
- `[parameters]` has the vendor's rules for chat models, on top of parameters.toml: `of` is the pattern of the models
  that take one, `needs` a feature of theirs; `listed` takes those for which Dify lists the parameter, and `told` the
  options that Dify tells.
- `[limits.<type>]` holds for every model of a type, and `[voices]` by pattern; Dify's are taken where there are none.
- `[hand]` adds what neither collection knows, and whole rows where it names a type; `also` names a second type of a
  model that does the work of two.
Of the two, LiteLLM's facts win; where it has none, Dify's current rows are all taken.

Oddities that are handled: prices with a unit that cannot be right are left out, and so are those in another unit than
the type's; digits that a binary float has added to a price are cut off; RMB is CNY in ISO 4217; a model listed twice is
taken once; sizes that are missing stay unknown; Dify's ranges of parameters are its own and not the vendor's, so they
are not taken; an alias without a date ends with the last of its snapshots; models that have ended are left out unless
the hand-kept part names them, and are then deprecated.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str]

CATALOGUE = Path(__file__).parents[1] / "infrastructure/providers/catalogue"
MARK = "# ---- rows below are written by scripts/model_rows.py ----\n"
PER = 1_000_000
PRICED = {"speech_to_text": ("input_cost_per_second", 60), "text_to_speech": ("input_cost_per_character", PER)}
TYPES = ("llm", "embedding", "rerank", "speech_to_text", "text_to_speech")
LITELLM_TYPES = {
    "chat": "llm",
    "completion": "llm",
    "embedding": "embedding",
    "rerank": "rerank",
    "audio_transcription": "speech_to_text",
    "audio_speech": "text_to_speech",
}
DIFY_TYPES = {
    "llm": "llm",
    "text-embedding": "embedding",
    "rerank": "rerank",
    "speech2text": "speech_to_text",
    "tts": "text_to_speech",
}
LITELLM_FEATURES = {
    "function_calling": "tools",
    "vision": "vision",
    "response_schema": "structured_output",
    "reasoning": "reasoning",
}
DIFY_FEATURES = {
    "tool-call": "tools",
    "multi-tool-call": "tools",
    "vision": "vision",
    "structured-output": "structured_output",
}
DIFY_REASONING = {"enable_thinking", "thinking", "thinking_budget", "reasoning_effort"}
FEATURES = ("tools", "vision", "structured_output", "reasoning", "streaming")
STREAMED = ("llm", "text_to_speech")
KEYS = ("name", "type", "label", "features", "context", "max_output", "dimensions", "limits", "voices", "parameters")
KEYS += ("price", "retires", "successor", "deprecated", "rank")
CURRENCIES = {"USD": "USD", "RMB": "CNY"}
SNAPSHOT = re.compile(r"(.+)-(?:\d{4}-\d{2}-\d{2}|\d{8})")


def litellm_rows(facts: Mapping[str, Any], source: Mapping[str, Any]) -> Iterator[Row]:
    """Rows of the models that are served at one of the source's endpoints."""
    vendors = facts["meta"]["provider_map"][source["litellm"]] if "litellm" in source else ()
    wanted = set(source.get("endpoints", ()))
    for model in (m for models in facts["models"].values() for m in models):
        endpoints = model.get("endpoints")
        if (
            not any(fnmatchcase(model["litellm_provider"], vendor) for vendor in vendors)
            or model["mode"] not in LITELLM_TYPES
        ):
            continue
        if wanted and endpoints and not wanted & set(endpoints):
            continue
        supports = model.get("supports") or ()
        kind = LITELLM_TYPES[model["mode"]]
        yield {
            "name": model["model"].removeprefix(source.get("prefix", "")),
            "type": kind,
            "features": {LITELLM_FEATURES[s] for s in supports if s in LITELLM_FEATURES},
            "context": model.get("max_input_tokens"),
            "max_output": model.get("max_output_tokens") if kind == "llm" else None,
            "dimensions": model.get("output_vector_size"),
            "price": litellm_price(model.get("costs") or {}, kind),
            "retires": date.fromisoformat(model["deprecation_date"]) if model.get("deprecation_date") else None,
            "legacy": model["mode"] == "completion",
        }


def dify_rows(facts: Mapping[str, Any], source: Mapping[str, Any]) -> Iterator[Row]:
    """Today's rows, then those of the time before."""
    name = source["dify"]
    today, before = facts["models"].get(name, ()), facts["seed_era_models"].get(name, ())
    for model, legacy in (*((m, m.get("deprecated")) for m in today), *((m, True) for m in before)):
        if model["type"] in DIFY_TYPES:
            kind = DIFY_TYPES[model["type"]]
            yield {
                "name": model["model"],
                "type": kind,
                "features": dify_features(model),
                "context": model.get("context_size"),
                "max_output": model.get("max_tokens") if kind == "llm" else None,
                "price": dify_price(model["model"], model.get("pricing"), kind),
                "legacy": legacy,
                "label": model.get("label_en"),
                "limits": dify_limits(model.get("properties") or {}, kind),
                "voices": dify_voices(model.get("properties") or {}),
                "told": {rule["name"]: rule for rule in model.get("parameter_rules") or ()} or None,
            }


def dify_features(model: Mapping[str, Any]) -> set[str]:
    """Those it declares, and reasoning where a parameter steers it."""
    declared = {DIFY_FEATURES[f] for f in model.get("features") or () if f in DIFY_FEATURES}
    steered = DIFY_REASONING & {rule["name"] for rule in model.get("parameter_rules") or ()}
    return declared | ({"reasoning"} if steered else set())


def dify_limits(properties: Mapping[str, Any], kind: str) -> Row | None:
    """Texts, characters or bytes and endings, as the type has it."""
    found: Row = {}
    if kind == "embedding":
        found["texts"] = properties.get("max_chunks")
    elif kind == "text_to_speech":
        found["characters"] = properties.get("word_limit")
    elif kind == "speech_to_text":
        found["bytes"] = int(properties.get("file_upload_limit") or 0) * 2**20
        found["formats"] = (properties.get("supported_file_extensions") or "").replace(" ", "").split(",")
    return {key: value for key, value in found.items() if value and value != [""]} or None


def dify_voices(properties: Mapping[str, Any]) -> list[Row] | None:
    """The default voice first."""
    first = properties.get("default_voice")
    voices = sorted(properties.get("voices") or (), key=lambda voice: voice["mode"] != first)
    return [{"id": v["mode"], "label": v["name"], "languages": v.get("language") or []} for v in voices] or None


def litellm_price(costs: Mapping[str, str], kind: str) -> Row | None:
    """In USD per unit of the type, or per 1,000 searches. None when there is none, an empty one when in other units."""
    if kind == "rerank" and (search := costs.get("input_cost_per_query")):
        return {**priced(search, None, Decimal(1_000), "USD", kind, 1_000), "unit": "searches"}
    key, per = PRICED.get(kind, ("input_cost_per_token", PER))
    if key not in costs or "input_cost_per_query" in costs:
        return {} if costs else None
    return priced(costs[key], costs.get("output_cost_per_token"), Decimal(per), "USD", kind, per)


def dify_price(name: str, pricing: Mapping[str, Any] | None, kind: str) -> Row | None:
    """Amount × unit is the price of one token or character; a unit outside ]0, 1] is a known defect of the source."""
    if not pricing or pricing.get("input") is None or kind == "speech_to_text":
        return None
    try:
        unit = Decimal(pricing["unit"])
    except InvalidOperation:
        unit = Decimal(0)
    if not 0 < unit <= 1 or pricing["currency"] not in CURRENCIES:
        print(f"{name}: a price with unit {pricing['unit']} was left out", file=sys.stderr)
        return None
    currency = CURRENCIES[pricing["currency"]]
    return priced(pricing["input"], pricing.get("output"), unit * PER, currency, kind)


def priced(given: str, answered: str | None, factor: Decimal, currency: str, kind: str, per: int = PER) -> Row:
    price: Row = {"input": amount(given, factor)}
    if answered is not None and kind == "llm":
        price["output"] = amount(answered, factor)
    return {**price, "per": per, "currency": currency}


def amount(value: str, factor: Decimal) -> str:
    """A plain decimal of at most 12 digits, without exponent or trailing zeros."""
    product = format(Context(prec=12).multiply(Decimal(value), factor), "f")
    return product.rstrip("0").rstrip(".") if "." in product else product


def gathered(folder: Path, head: Mapping[str, Any], as_of: date) -> list[Row]:
    """The rows to write: LiteLLM's, completed from Dify's, and of Dify's alone only those that the hand names."""
    source, hand = head["source"], head.get("hand", {})
    litellm = json.loads((folder / "litellm_models.json").read_text())
    dify = json.loads((folder / "dify_models.json").read_text())
    types = source.get("types", ("llm", "embedding"))
    found: dict[Key, Row] = {}
    for row in litellm_rows(litellm, source):
        found.setdefault((row["name"], row["type"]), row)
    alone = hand.keys() - {name for name, _ in found}
    for row in dify_rows(dify, source):
        key = (row["name"], row["type"])
        if key in found:
            found[key] |= {k: v for k, v in row.items() if found[key].get(k) is None}
        elif row["name"] in alone or "litellm" not in source:
            found[key] = row
    for name, facts in hand.items():
        for kind in (facts[key] for key in ("type", "also") if key in facts):
            found.setdefault((name, kind), {"name": name, "type": kind, "features": set()})
    end_aliases(found)
    omit = re.compile(source.get("omit", r"(?!)"))
    rows = [row | touched(row, hand.get(row["name"], {})) for row in found.values()]
    kept = [row for row in rows if row["name"] in hand or is_current(row, omit, as_of)]
    done = [finished(row, found, head, as_of) for row in kept if row["type"] in types]
    return sorted(done, key=lambda row: (TYPES.index(row["type"]), -row.get("rank", 0), row["name"]))


def finished(row: Row, found: Mapping[Key, Row], head: Mapping[str, Any], as_of: date) -> Row:
    """With what follows from the vendor's own part, and without what need not be said."""
    kind = row["type"]
    if kind in STREAMED and "streaming" not in head.get("hand", {}).get(row["name"], {}).get("without", ()):
        row = {**row, "features": row["features"] | {"streaming"}}
    if "free" in head["source"]:
        row = {**row, "price": priced("0", "0", Decimal(PER), head["source"]["free"], kind)}
    if kind == "llm" and "parameters" not in row:
        row = {**row, "parameters": parameters(row, found, head.get("parameters", {}))}
    own_voices = next((v for pattern, v in head.get("voices", {}).items() if re.search(pattern, row["name"])), None)
    ended = row.get("retires") is not None and row["retires"] <= as_of
    return {
        **row,
        "label": None if row["name"].casefold().endswith((row.get("label") or "").casefold()) else row["label"],
        "limits": None if kind in head.get("limits", {}) else row.get("limits"),
        "voices": own_voices or row.get("voices") if kind == "text_to_speech" else None,
        "deprecated": row.get("deprecated", bool(row.get("legacy")) or ended),
    }


def parameters(row: Row, found: Mapping[Key, Row], own: Mapping[str, Row]) -> list[Any]:
    """The names of the rules that a chat model has, each with what Dify tells of this model where that is wanted."""
    alias = SNAPSHOT.fullmatch(row["name"])
    origin = found.get((alias[1], row["type"]), {}) if alias else {}
    told = row.get("told") or origin.get("told") or {}
    rules: list[Any] = []
    for name, rule in own.items():
        suits = re.search(rule.get("of", ""), row["name"]) and rule.get("needs") in (None, *row["features"])
        if suits and (name in told or not rule.get("listed")):
            options = told.get(name, {}).get("options") if rule.get("told") else None
            rules.append({"name": name, "options": options} if options and options != rule.get("options") else name)
    return rules


def end_aliases(found: Mapping[Key, Row]) -> None:
    """An alias without a date ends with the last of its snapshots, if all of them end."""
    for (name, kind), row in found.items():
        snapshots = [s for (n, k), s in found.items() if k == kind and (m := SNAPSHOT.fullmatch(n)) and m[1] == name]
        ends = [s["retires"] for s in snapshots if s.get("retires")]
        if row.get("retires") is None and ends and len(ends) == len(snapshots):
            row["retires"] = max(ends)


def touched(row: Row, hand: Row) -> Row:
    """What the hand-kept part says of a row."""
    changes = {key: value for key, value in hand.items() if key not in ("with", "without", "also")}
    return {**changes, "features": (row["features"] | set(hand.get("with", ()))) - set(hand.get("without", ()))}


def is_current(row: Row, omit: re.Pattern[str], as_of: date) -> bool:
    """Chat models and embeddings that are not left out by name, are served, and not yet gone."""
    gone = row.get("retires") is not None and row["retires"] <= as_of
    return not (gone or row.get("legacy") or omit.search(row["name"]))


def written(row: Row) -> str:
    """One `[[models]]` table. What is empty or unknown is left out."""
    row = {**row, "features": [feature for feature in FEATURES if feature in row["features"]]}
    lines = [f"{key} = {toml(row[key])}" for key in KEYS if row.get(key)]
    return "\n".join(["[[models]]", *lines]) + "\n"


def toml(value: Any) -> str:
    """A value on one line."""
    match value:
        case bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case dict():
            return f"{{ {', '.join(f'{key} = {toml(inner)}' for key, inner in value.items())} }}"
        case list():
            return f"[{', '.join(map(toml, value))}]"
    return str(value)


def rewrite(path: Path, folder: Path, as_of: date) -> int:
    """Replace the rows of one catalogue file; how many there are now."""
    hand_kept = path.read_text(encoding="utf-8").partition(MARK)[0].rstrip() + "\n\n"
    head = tomllib.loads(hand_kept)
    rows = gathered(folder, head, as_of)
    missing = head.get("hand", {}).keys() - {row["name"] for row in rows}
    if missing:
        raise SystemExit(f"{path.name}: neither collection knows {', '.join(sorted(missing))}")
    path.write_text(hand_kept + MARK + "\n" + "\n".join(map(written, rows)), encoding="utf-8")
    return len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="holds litellm_models.json and dify_models.json")
    parser.add_argument("providers", nargs="*", help="ids of catalogue files; all that name a source when left out")
    parser.add_argument("--as-of", type=date.fromisoformat, default=date.today(), help="models that ended are left out")  # noqa: DTZ011 - vendors announce ends as plain days
    options = parser.parse_args()
    for path in sorted(CATALOGUE.glob("*.toml")):
        wanted = path.stem in options.providers or not options.providers
        if wanted and "source" in tomllib.loads(path.read_text(encoding="utf-8")):
            print(f"{path.name}: {rewrite(path, options.folder, options.as_of)} rows")


if __name__ == "__main__":
    main()

"""Writes the model rows of infrastructure/providers/catalogue from collected facts; can be run again at any time.

    python scripts/model_rows.py FOLDER [--as-of 2026-11-23] [provider …]

FOLDER holds litellm_models.json (BerriAI/litellm's table of prices and contexts) and dify_models.json (the model files
of langgenius/dify-official-plugins). Each catalogue file begins with a hand-kept part that this script reads and keeps:
`[source]` names the vendor in both collections, and the `prefix` that LiteLLM puts before names; `[hand]` adds what
neither knows, and whole rows where it names a type. Of the two, LiteLLM's facts win; where it has none, Dify's current
rows are all taken. `free` names the currency of a vendor that charges nothing.

Oddities that are handled: prices with a unit that cannot be right are left out; digits that a binary float has added
to a price are cut off; RMB is CNY in ISO 4217; a model listed twice is taken once; sizes that are missing stay unknown;
an alias without a date ends with the last of its snapshots; models that have ended are left out unless the hand-kept
part names them.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str]

CATALOGUE = Path(__file__).parents[1] / "infrastructure/providers/catalogue"
MARK = "# ---- rows below are written by scripts/model_rows.py ----\n"
PER = 1_000_000
LITELLM_TYPES = {"chat": "llm", "completion": "llm", "embedding": "embedding"}
DIFY_TYPES = {"llm": "llm", "text-embedding": "embedding"}
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
DIFY_REASONING = {"enable_thinking", "thinking_budget", "reasoning_effort"}
FEATURES = ("tools", "vision", "structured_output", "reasoning")
CURRENCIES = {"USD": "USD", "RMB": "CNY"}
SNAPSHOT = re.compile(r"(.+)-(?:\d{4}-\d{2}-\d{2}|\d{8})")


def litellm_rows(facts: Mapping[str, Any], source: Mapping[str, Any]) -> Iterator[Row]:
    """Rows of the models that are served at one of the source's endpoints."""
    vendors = facts["meta"]["provider_map"][source["litellm"]] if "litellm" in source else ()
    wanted = set(source.get("endpoints", ()))
    for model in (m for models in facts["models"].values() for m in models):
        endpoints = model.get("endpoints")
        if model["litellm_provider"] not in vendors or model["mode"] not in LITELLM_TYPES:
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
            }


def dify_features(model: Mapping[str, Any]) -> set[str]:
    """Those it declares, and reasoning where a parameter steers it."""
    declared = {DIFY_FEATURES[f] for f in model.get("features") or () if f in DIFY_FEATURES}
    steered = DIFY_REASONING & {rule["name"] for rule in model.get("parameter_rules") or ()}
    return declared | ({"reasoning"} if steered else set())


def litellm_price(costs: Mapping[str, str], kind: str) -> Row | None:
    """USD per token in, per million out."""
    if "input_cost_per_token" not in costs:
        return None
    return priced(costs["input_cost_per_token"], costs.get("output_cost_per_token"), Decimal(PER), "USD", kind)


def dify_price(name: str, pricing: Mapping[str, Any] | None, kind: str) -> Row | None:
    """Amount × unit is the price of one token; a unit outside ]0, 1] is a known defect of the source."""
    if not pricing or pricing.get("input") is None:
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


def priced(given: str, answered: str | None, factor: Decimal, currency: str, kind: str) -> Row:
    price: Row = {"input": amount(given, factor)}
    if answered is not None and kind == "llm":
        price["output"] = amount(answered, factor)
    return {**price, "per": PER, "currency": currency}


def amount(value: str, factor: Decimal) -> str:
    """A plain decimal of at most 12 digits, without exponent or trailing zeros."""
    product = format(Context(prec=12).multiply(Decimal(value), factor), "f")
    return product.rstrip("0").rstrip(".") if "." in product else product


def gathered(folder: Path, source: Mapping[str, Any], hand: Mapping[str, Row], as_of: date) -> list[Row]:
    """The rows to write: LiteLLM's, completed from Dify's, and of Dify's alone only those that the hand names."""
    litellm = json.loads((folder / "litellm_models.json").read_text())
    dify = json.loads((folder / "dify_models.json").read_text())
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
        if "type" in facts:
            found.setdefault((name, facts["type"]), {"name": name, "features": set()})
    end_aliases(found)
    omit = re.compile(source.get("omit", r"(?!)"))
    rows = [row | touched(row, hand.get(row["name"], {})) for row in found.values()]
    if "free" in source:
        rows = [row | {"price": priced("0", "0", Decimal(PER), source["free"], row["type"])} for row in rows]
    kept = [row for row in rows if row["name"] in hand or is_current(row, omit, as_of)]
    return sorted(kept, key=lambda row: (row["type"] != "llm", -row.get("rank", 0), row["name"]))


def end_aliases(found: Mapping[Key, Row]) -> None:
    """An alias without a date ends with the last of its snapshots, if all of them end."""
    for (name, kind), row in found.items():
        snapshots = [s for (n, k), s in found.items() if k == kind and (m := SNAPSHOT.fullmatch(n)) and m[1] == name]
        ends = [s["retires"] for s in snapshots if s.get("retires")]
        if row.get("retires") is None and ends and len(ends) == len(snapshots):
            row["retires"] = max(ends)


def touched(row: Row, hand: Row) -> Row:
    """What the hand-kept part says of a row."""
    changes = {key: value for key, value in hand.items() if key not in ("with", "without")}
    return {**changes, "features": (row["features"] | set(hand.get("with", ()))) - set(hand.get("without", ()))}


def is_current(row: Row, omit: re.Pattern[str], as_of: date) -> bool:
    """Chat models and embeddings that are not left out by name, are served, and not yet gone."""
    gone = row.get("retires") is not None and row["retires"] <= as_of
    return not (gone or row.get("legacy") or omit.search(row["name"]))


def written(row: Row) -> str:
    """One `[[models]]` table."""
    lines = ["[[models]]", f"name = {json.dumps(row['name'])}", f"type = {json.dumps(row['type'])}"]
    features = [feature for feature in FEATURES if feature in row["features"]]
    if features:
        lines.append(f"features = {json.dumps(features)}")
    lines += [f"{key} = {row[key]}" for key in ("context", "max_output", "dimensions") if row.get(key)]
    if row.get("price"):
        inner = ", ".join(f"{key} = {json.dumps(value)}" for key, value in row["price"].items())
        lines.append(f"price = {{ {inner} }}")
    if row.get("retires"):
        lines.append(f"retires = {row['retires'].isoformat()}")
    if row.get("successor"):
        lines.append(f"successor = {json.dumps(row['successor'])}")
    if row.get("rank"):
        lines.append(f"rank = {row['rank']}")
    return "\n".join(lines) + "\n"


def rewrite(path: Path, folder: Path, as_of: date) -> int:
    """Replace the rows of one catalogue file; how many there are now."""
    hand_kept = path.read_text(encoding="utf-8").partition(MARK)[0].rstrip() + "\n\n"
    head = tomllib.loads(hand_kept)
    rows = gathered(folder, head["source"], head.get("hand", {}), as_of)
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

"""The vendors as an operator sees them in a shell: what each is, and what evidence holds it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from domain.model.catalogue import Feature, ModelType, ProviderKind
from infrastructure.providers.catalogue.vendors import shown
from infrastructure.providers.evidence import MEANINGS, Evidence, Kind, evidence
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.spec import Adapter

_NAMED = {
    ModelType.LLM: "chat",
    ModelType.EMBEDDING: "embeddings",
    ModelType.RERANK: "reranking",
    ModelType.SPEECH_TO_TEXT: "speech to text",
    ModelType.TEXT_TO_SPEECH: "text to speech",
}
_ABLE = {
    Feature.TOOLS: "tools",
    Feature.VISION: "vision",
    Feature.STRUCTURED_OUTPUT: "schemas",
    Feature.REASONING: "thoughts",
}
_WIDE = 26
_INDENT = 16


def vendors() -> Mapping[str, Mapping[str, Any]]:
    """By id: the name, whether its models are its own or a tenant's, its model types, and how many models it lists."""
    return {
        name: {
            "name": shown()[name].label.en,
            "kind": adapter.kind.value,
            "types": _types(adapter),
            "models": len(catalogue().provider(name).models),
        }
        for name, adapter in ADAPTERS.items()
    }


def held() -> Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]]:
    """By vendor, model type and mark: the kind of the evidence, and its source."""
    return {name: {kind: _plain(marks) for kind, marks in evidence(name).items()} for name in ADAPTERS}


def vendor_lines() -> Iterator[str]:
    for name, told in vendors().items():
        yield f"{name:<{_WIDE}}{told['kind']:<13}{told['models']:>4} models  {', '.join(told['types'])}"


def table_lines() -> Iterator[str]:
    """A table in Markdown of who speaks what. What hosted models can do is said by whoever runs them."""
    yield "| vendor | " + " | ".join(_NAMED.values()) + " |"
    yield "|---" * (len(_NAMED) + 1) + "|"
    for name, adapter in ADAPTERS.items():
        cells = (_cell(adapter, kind) for kind in _NAMED)
        yield f"| {shown()[name].label.en} (`{name}`) | " + " | ".join(cells) + " |"


def _cell(adapter: Adapter, kind: ModelType) -> str:
    """How many models of a type are listed, and what one of them at least can do."""
    if kind not in adapter.types:
        return ""
    if adapter.kind is ProviderKind.HOSTED:
        return "your own"
    rows = [row for row in catalogue().provider(adapter.id).models if row.ref.type is kind and not row.deprecated]
    able = [word for feature, word in _ABLE.items() if any(feature in row.features for row in rows)]
    return f"{len(rows)}{': ' if able else ''}{', '.join(able)}"


def held_lines() -> Iterator[str]:
    """What the kinds mean and how often each holds, then each vendor with its marks, by the kind that holds them."""
    found = {name: evidence(name) for name in ADAPTERS}
    every = Counter(e.kind for held_by in found.values() for marks in held_by.values() for e in marks.values())
    for kind in Kind:
        yield f"{kind:<12}{every[kind]:>4}  {MEANINGS[kind]}"
    for name, held_by in found.items():
        yield f"\n{name}"
        for model_type, marks in held_by.items():
            yield f"  {model_type:<{_INDENT}}{'; '.join(_by_kind(marks))}"


def _by_kind(marks: Mapping[str, Evidence]) -> Iterator[str]:
    for kind in Kind:
        if names := [mark for mark, held_by in marks.items() if held_by.kind is kind]:
            yield f"{kind}: {', '.join(names)}"


def _plain(marks: Mapping[str, Evidence]) -> Mapping[str, Mapping[str, str]]:
    return {mark: asdict(held_by) for mark, held_by in marks.items()}


def _types(adapter: Adapter) -> Iterable[str]:
    return [kind.value for kind in ModelType if kind in adapter.types]

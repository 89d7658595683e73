"""Parameters of one model under its vendor's own names, in every chat dialect."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from domain.model.calls import Knobs
from domain.model.parameters import Value
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS

TOOL = rec.weather("Weather")


def written(
    provider: str, model: str, extra: Mapping[str, Value], *, stream: bool = False, tools: bool = False
) -> Request:
    dialect = ADAPTERS[provider].chat
    assert dialect
    knobs = Knobs(temperature=0.5, max_tokens=64, extra=extra)
    call = replace(rec.asking("Hi"), knobs=knobs, tools=(TOOL,) if tools else ())
    return dialect.render(rec.target(provider, model, FORMS[provider]), call, stream=stream)


def body(request: Request) -> Mapping[str, Any]:
    assert request.json
    return request.json


def test_they_go_into_the_body_of_openais_dialect() -> None:
    request = written("siliconflow", "m", {"top_k": 40, "enable_thinking": False})
    assert (body(request)["top_k"], body(request)["enable_thinking"]) == (40, False)
    assert request.warnings == ()


def test_they_go_into_the_body_of_anthropics() -> None:
    request = written("anthropic", "claude-sonnet-4-6", {"top_k": 40})
    assert body(request)["top_k"] == 40
    assert request.warnings == ()


def test_they_go_into_geminis_configuration_under_its_own_names() -> None:
    request = written("gemini", "gemini-2.5-flash", {"top_k": 40, "thinking_budget": 512, "temperature": 9})
    config = body(request)["generationConfig"]
    thinking = {"thinkingBudget": 512}
    assert config == {"topK": 40, "temperature": 0.5, "maxOutputTokens": 64, "thinkingConfig": thinking}
    assert request.warnings == ()


def test_they_go_into_ollamas_options() -> None:
    request = written("ollama", "m", {"top_k": 40, "mirostat": 1, "num_ctx": 7})
    options = body(request)["options"]
    assert (options["top_k"], options["mirostat"], options["num_ctx"], options["num_predict"]) == (40, 1, 4096, 64)
    assert request.warnings == ("num_ctx was left out: m does not take it",)
    assert "top_k" not in body(request)


@pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral_ai", "openai_api_compatible"])
@pytest.mark.parametrize("stream", [True, False])
def test_none_overrides_what_the_dialect_writes(provider: str, stream: bool) -> None:
    extra: dict[str, Value] = {
        "model": "other",
        "messages": "x",
        "max_tokens": 1,
        "temperature": 2,
        "stream": not stream,
        "tools": "x",
        "tool_choice": "x",
    }
    plain, odd = (written(provider, "gpt-4o", e, stream=stream) for e in ({}, extra))
    assert body(odd) == body(plain)
    assert {warning.split()[0] for warning in odd.warnings} == extra.keys()


def test_one_that_the_dialect_knows_better_is_left_out_and_told() -> None:
    """GPT-5.6 and later call tools in this dialect only without reasoning."""
    request = written("azure_openai", "gpt-6-luna", {"reasoning_effort": "high"}, tools=True)
    assert body(request)["reasoning_effort"] == "none"
    assert request.warnings == ("reasoning_effort was left out: gpt-6-luna does not take it",)

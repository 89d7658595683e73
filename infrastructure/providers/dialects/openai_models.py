"""What OpenAI's model names tell about what its chat endpoint refuses (as of November 2026)."""

import re

_PREFIX = r"^(?:ft:|[\w.-]+/)?"
_REASONING = re.compile(_PREFIX + r"(?:o\d|gpt-(?:[5-9]|[12]\d))")
_TOOLS_WITHOUT_THOUGHT = re.compile(_PREFIX + r"gpt-(?:5\.[6-9]|[6-9]|[12]\d)")
_UNSTOPPABLE = re.compile(_PREFIX + r"o[34]")


def reasons(name: str) -> bool:
    """The o series, GPT-5 and later, and their fine-tunes: `max_tokens` and, while reasoning, sampling are refused."""
    return bool(_REASONING.match(name))


def reasons_or_calls_tools(name: str) -> bool:
    """GPT-5.6 and later: /chat/completions refuses function tools unless `reasoning_effort` is "none"."""
    return bool(_TOOLS_WITHOUT_THOUGHT.match(name))


def takes_no_stop(name: str) -> bool:
    """o3 and o4-mini, by the specification of `stop`."""
    return bool(_UNSTOPPABLE.match(name))

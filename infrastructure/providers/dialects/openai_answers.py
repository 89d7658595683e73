"""Reads what OpenAI's chat and its many imitations answer, whole or in pieces."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.errors import UpstreamUnavailable
from domain.model.calls import ToolCall
from domain.model.events import ChatAnswer, Finish, FinishReason, Usage
from infrastructure.providers.dialects.turns import arguments_text, call_id, check_calls, not_understood
from infrastructure.providers.wire.digging import dig, rows, table, tally, text

_FINISHES: Mapping[str, Finish] = {
    "length": Finish.LENGTH,
    "model_length": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
}


_CACHED = (("prompt_tokens_details", "cached_tokens"), ("cached_tokens",), ("prompt_cache_hit_tokens",))
_BROKEN_OFF = frozenset({"insufficient_system_resource", "network_error"})
_FILTERED = ("content_filter", "sensitive")


def finish(raw: str, *, calls: bool, refused: bool) -> FinishReason:
    """Unknown words read as stop; a stop with tool calls or a refusal is named after those. A filter may be named too.

    UpstreamUnavailable when something of the vendor's failed on the way.
    """
    if raw in _BROKEN_OFF:
        raise UpstreamUnavailable("", 200, f"the vendor broke the answer off: {raw}")
    unified = _FINISHES.get(raw, Finish.STOP)
    if raw.startswith(_FILTERED) or (unified is Finish.STOP and refused):
        unified = Finish.CONTENT_FILTER
    if unified is Finish.STOP and calls:
        unified = Finish.TOOL_CALLS
    return FinishReason(unified, raw)


def usage(counts: object) -> Usage:
    """Of a `usage` object: prompt_tokens includes cached ones, completion_tokens includes reasoning."""
    cached = (tally(dig(counts, *place)) for place in _CACHED)
    return Usage(
        input=tally(dig(counts, "prompt_tokens")),
        output=tally(dig(counts, "completion_tokens")),
        cached_input=next((tokens for tokens in cached if tokens is not None), None),
        reasoning=tally(dig(counts, "completion_tokens_details", "reasoning_tokens")),
        raw=table(counts),
    )


def reasoning(message: object) -> str:
    """`reasoning_content` as DeepSeek named it, `reasoning` as newer vLLM does, or parts.

    The parts are MiniMax's `reasoning_details`, or Mistral's `thinking` inside the content.
    """
    named = text(dig(message, "reasoning_content")) or text(dig(message, "reasoning"))
    parts = [rows(dig(message, "reasoning_details"))]
    parts += [rows(dig(part, "thinking")) for part in rows(dig(message, "content"))]
    return named or "".join(text(dig(thought, "text")) for thoughts in parts for thought in thoughts)


def said(message: object) -> str:
    """`content`, which is a string or a list of parts."""
    content = dig(message, "content")
    return text(content) or "".join(text(dig(part, "text")) for part in rows(content))


def answer(body: object) -> ChatAnswer:
    """A chat.completion; BadRequestUpstream when it has no choice with a message."""
    choice = dig(body, "choices", 0)
    message = dig(choice, "message")
    if not isinstance(message, dict):
        raise not_understood("the answer has no message")
    refusal = text(message.get("refusal"))
    calls = tuple(tool_calls(rows(message.get("tool_calls"))))
    reason = finish(text(dig(choice, "finish_reason")), calls=bool(calls), refused=bool(refusal))
    return ChatAnswer(said(message) + refusal, reasoning(message), calls, reason, usage(dig(body, "usage")))


def tool_calls(items: Sequence[Any]) -> Iterable[ToolCall]:
    """Calls that come whole; one without an id is given one. BadRequestUpstream for too many."""
    check_calls(len(items))
    for item in items:
        function = dig(item, "function")
        arguments = arguments_text(dig(function, "arguments"))
        yield ToolCall(text(dig(item, "id")) or call_id(), text(dig(function, "name")), arguments)

"""Finding what a model was asked for in what it wrote: thoughts set apart, JSON wherever it stands."""

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from domain.model.events import ChatAnswer, Finish
from domain.model.excerpts import folded

_LONGEST = 16_384
_TRIES = 256
_OPENING = re.compile(r"[\[{]")
_ASIDES = "think|thinking|thoughts?|reasoning|reflection|analysis|scratchpad|seed:think|tool_calls?|function_calls?"
_MARK = re.compile(
    rf"</?(?:{_ASIDES})\s*>|\[/?THINK\]|◁/?think▷|<\|channel\|>(?P<channel>\w{{1,20}})[^<]{{0,80}}<\|message\|>",
    re.IGNORECASE,
)
"""Where thoughts or tool calls begin or end, as open models mark them; the last form is OpenAI's open weights'."""

_CONTROL = re.compile(r"<\|[a-z_]{1,20}\|>|</s>\s*$")
_FENCE = re.compile(r"^\s*(?:```|~~~)[\w-]*\s*$")
_QUOTED = re.compile(
    r"""(?:"((?:\\.|[^"\\\n]){1,240})"|“([^”\n]{1,240})”|'((?:\\.|[^'\\\n]|'(?!\s*[,\]}:])){1,240})')(?=\s*(?:[,\]}]|$))"""
)
"""A string with a comma, a closing bracket or nothing behind it; between single quotes there may be apostrophes."""
_AROUND = ("****", '""', "''", "``", "**", "__", "“”", "„“", "””", "‘’", "«»", "「」", "『』", "《》")
"""Pairs that stand around a text; each is cut in the middle."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`said` is the answer proper, `hidden` where models put it by mistake: their thoughts and tool calls."""

    said: str
    hidden: tuple[str, ...]


def reply(answer: ChatAnswer) -> Reply:
    """An answer without marks and thoughts; nothing at all of one that a filter cut, for that holds the vendor's words.

    Of one beyond 16,384 characters the end: that is where the answer stands.
    """
    if answer.finish.unified is Finish.CONTENT_FILTER:
        return Reply("", ())
    text = answer.text[-_LONGEST:].strip()
    said, thought = (text, "") if _is_json(text) else _parted(text)
    arguments = (call.arguments[-_LONGEST:] for call in answer.tool_calls)
    return Reply(_CONTROL.sub("", said).strip(), (thought, answer.reasoning[-_LONGEST:], *arguments))


def values(text: str) -> Iterator[Any]:
    """Every JSON object and array in the text, and all that is in them, in the order in which they begin."""
    decoder, at = json.JSONDecoder(strict=False), 0
    for _ in range(_TRIES):
        opening = _OPENING.search(text, at)
        if opening is None:
            return
        try:
            value, at = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            at = opening.end()
        else:
            yield from _all_in(value)


def quoted(text: str) -> list[str]:
    """The complete strings of JSON that is cut off or otherwise broken, without the names of its fields."""
    return [unescaped(found[1] or found[2] or found[3]) for found in _QUOTED.finditer(text)]


def unescaped(inner: str) -> str:
    """What stands between the quotes of a JSON string; as it is when that is no JSON."""
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        return inner


def lines(text: str) -> list[str]:
    """The lines that say something; the fences of code blocks do not."""
    return [line.strip() for line in text.splitlines() if line.strip() and not _FENCE.match(line)]


def bare(text: str) -> str:
    """On one line, without the quotes, emphasis or heading marks around the whole of it."""
    line = re.sub(r"^#+\s+", "", folded(text))
    for pair in _AROUND:
        opening, closing = pair[: len(pair) // 2], pair[len(pair) // 2 :]
        inner = line[len(opening) : -len(closing)]
        if line.startswith(opening) and line.endswith(closing) and inner and opening not in inner:
            return bare(inner)
    return line


def _parted(text: str) -> tuple[str, str]:
    """What is said, and what is not. A thought may lack its end (it was cut) or its beginning (it was prompted)."""
    said: list[str] = []
    thought: list[str] = []
    thinking, at = False, 0
    for mark in _MARK.finditer(text):
        (thought if thinking else said).append(text[at : mark.start()])
        at = mark.end()
        channel = mark["channel"]
        ends = channel.lower() == "final" if channel else "/" in mark[0]
        if ends and not thinking:
            thought, said = [*thought, *said], []
        thinking = not ends
    (thought if thinking else said).append(text[at:])
    return "".join(said), "".join(thought)


def _is_json(text: str) -> bool:
    """A mark of thought inside a JSON string is what the text speaks of."""
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _all_in(value: Any) -> Iterator[Any]:
    waiting = deque([value])
    while waiting:
        each = waiting.popleft()
        yield each
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)

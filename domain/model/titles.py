"""A conversation's title, from whatever a model answered when it was asked for one."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from domain.model.events import ChatAnswer
from domain.model.excerpts import headed
from domain.model.replies import bare, lines, reply, unescaped, values

LONGEST_TITLE = 75
"""Characters, before the "…" of a title that was cut."""

_WORDS = (
    "title",
    "titel",
    "titre",
    "título",
    "titulo",
    "titolo",
    "заголовок",
    "название",
    "标题",
    "標題",
    "タイトル",
    "제목",
)
_OTHER_WORDS = ("name", "output", "subject", "topic", "headline")
_LABEL = "|".join(_WORDS)
_QUOTED = re.compile(
    rf"""\b(?:{_LABEL})\b["'”’*]*+[^"“«「\n,{{}}\[\]]{{0,60}}?["“«「]((?:\\.|[^"”»」\n\\]){{1,400}})["”»」](?!\s*:)""",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"^[\W_]{{0,4}}(?:[\w-]+\s+)?(?:{_LABEL})[\s*_]*[:：][\s*_]*([^\n\"{{\[]+)$", re.IGNORECASE | re.MULTILINE
)
_DEBRIS = re.compile(r"""["'}\]]?\s*[{\[:,]""")


def title_in(answer: ChatAnswer) -> str | None:
    """The title that the answer holds, on one line of at most 75 characters and "…"; None when it holds none.

    It is looked for where models put it, most trusted first: in a JSON object, in broken JSON or behind a label, in
    JSON under another name, as the one short line of the answer; and at last in thoughts and tool calls, but there
    only as the JSON that was asked for.
    """
    return next((title for title in map(_title, _candidates(answer)) if title), None)


def _candidates(answer: ChatAnswer) -> Iterator[str]:
    found = reply(answer)
    objects = [value for value in values(found.said) if isinstance(value, dict)]
    yield from _named(objects)
    yield from (unescaped(inner) for inner in _QUOTED.findall(found.said))
    yield from _LABELLED.findall(found.said)
    yield from _under_other_names(objects)
    yield from _one_line(found.said)
    for text in found.hidden:
        yield from _named([value for value in values(text) if isinstance(value, dict)])


def _named(objects: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Titles by name, the last first: what comes before it may be a draft."""
    fields = [(k.strip().casefold(), v) for each in reversed(objects) for k, v in each.items()]
    yield from (_text(value) for key, value in fields if key in _WORDS)
    yield from (_text(value) for key, value in fields if any(word in key for word in _WORDS))


def _under_other_names(objects: Sequence[dict[str, Any]]) -> Iterator[str]:
    fields = [(k.casefold(), v, len(each)) for each in reversed(objects) for k, v in each.items()]
    yield from (_text(value) for key, value, _ in fields if any(word in key for word in _OTHER_WORDS))
    yield from (_text(value) for _, value, siblings in fields if siblings == 1)


def _one_line(said: str) -> Iterator[str]:
    """An answer of one line, lead-ins aside, that is short enough to be nothing but a title."""
    spoken = [line for line in lines(said) if not line.endswith((":", "："))]
    if len(spoken) == 1 and len(spoken[0]) <= LONGEST_TITLE and not _DEBRIS.match(spoken[0]):
        yield spoken[0]


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def _title(raw: str) -> str | None:
    title = headed(bare(raw), LONGEST_TITLE)
    return title if any(character.isalnum() for character in title) else None

"""Follow-up questions, from whatever a model answered when it was asked for them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from domain.model.events import ChatAnswer
from domain.model.replies import bare, lines, quoted, reply, values

LONGEST_QUESTION = 200
"""Characters; a longer one is left out, since a cut question is of no use to send."""

_WORDS = (
    "question",
    "suggest",
    "follow",
    "frage",
    "pregunta",
    "pergunta",
    "domand",
    "вопрос",
    "问题",
    "問題",
    "質問",
    "질문",
)
_MARKS = ("?", "？", "؟")
_ITEM = re.compile(
    r"^(?:[-*•–—](?=\s)|[(（]?\d{1,2}[.:)）、．](?!\d)|q(?:uestion)?\s?\d{0,2}\s?[.:)])\s*(?=\S)", re.IGNORECASE
)
"""What stands before an item of a list; "3.5" and "-5" do not."""

_BETWEEN = re.compile(r"(?<=[?？؟])\s+")


def questions_in(answer: ChatAnswer, count: int, asked: Iterable[str] = ()) -> tuple[str, ...]:
    """Up to `count` questions that the answer holds, each once, on one line of at most 200 characters.

    What was `asked` already is left out. They are looked for where models put them, most trusted first: in the JSON
    that was asked for, in other lists, in broken JSON, as items of a list in prose; and at last in thoughts and tool
    calls, but there only as the JSON that was asked for.
    """
    known = frozenset(map(_key, asked))
    found = (_fit(texts, count, known) for texts in _lists(answer))
    return next((questions for questions in found if questions), ())


def _lists(answer: ChatAnswer) -> Iterator[list[str]]:
    found = reply(answer)
    here = list(values(found.said))
    yield from _named(here)
    yield from sorted(_others(here), key=len, reverse=True)
    if "[" in found.said:
        yield quoted(found.said[found.said.index("[") :])
    yield list(_items(found.said))
    for text in found.hidden:
        yield from _named(list(values(text)))


def _named(found: list[Any]) -> Iterator[list[str]]:
    """Lists under a name that tells what they are, the last first: what comes before it may be a draft."""
    for each in reversed(found):
        if isinstance(each, dict):
            yield from (_texts(v) for key, v in each.items() if _tells(key) and isinstance(v, list))


def _others(found: list[Any]) -> Iterator[list[str]]:
    for each in reversed(found):
        if isinstance(each, dict):
            yield [value for key, value in each.items() if isinstance(value, str) and (_tells(key) or key.isdigit())]
        elif isinstance(each, list):
            yield _texts(each)


def _items(said: str) -> Iterator[str]:
    """The items of lists, and the sentences that ask."""
    for line in lines(said):
        item = _ITEM.match(bare(line))
        if item:
            yield bare(line)[item.end() :]
        else:
            yield from (s for s in _BETWEEN.split(bare(line)) if s.endswith(_MARKS))


def _texts(items: list[Any]) -> list[str]:
    """The strings of a list, and those that stand for its objects."""
    return [text for item in items if (text := _one(item))]


def _one(item: Any) -> str:
    if isinstance(item, dict):
        told = [value for key, value in item.items() if isinstance(value, str) and _tells(key)]
        item = next(iter(told + [value for value in item.values() if isinstance(value, str)]), "")
    return item if isinstance(item, str) else ""


def _tells(name: str) -> bool:
    return any(word in name.casefold() for word in _WORDS)


def _fit(texts: list[str], count: int, known: frozenset[str]) -> tuple[str, ...]:
    """The first `count` that are fit to be asked."""
    fit: dict[str, str] = {}
    for text in texts:
        question = bare(_ITEM.sub("", bare(text)))
        key = _key(question)
        if key and key not in known and len(question) <= LONGEST_QUESTION and not question.endswith((":", "：")):
            fit.setdefault(key, question)
    return tuple(fit.values())[:count]


def _key(question: str) -> str:
    """Equal for questions that differ in case, space and punctuation alone."""
    folded = unicodedata.normalize("NFKC", question).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LMN")

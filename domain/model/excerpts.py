"""Text made short, for people and for prompts: on one line, and cut between characters as readers see them."""

import re
import unicodedata

ELLIPSIS = "…"

_GAP = " […] "
_JOINER = "\u200d"
_LONGEST_CLUSTER = 32
_ONE_LETTER_FLAGS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_VOWELS_AND_FINALS = range(0x1160, 0x1200)
_VIRAMA = 9
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u202a-\u202e\u2060\u2066-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
"""Control characters that are no white space, orders to turn the direction of what follows, halves of characters."""


def folded(text: str) -> str:
    """The text on one line: runs of white space become one space, control characters go."""
    return " ".join(_UNSEEN.sub("", text).split())


def headed(text: str, limit: int) -> str:
    """The beginning on one line: at most `limit` characters, and "…" behind them if that is not all.

    The cut is between two words when there is a space in the second half, as there is in languages that write them.
    """
    line = folded(text)
    if len(line) <= limit:
        return line
    head = line[: _border(line, limit, -1)]
    if not line[len(head)].isspace() and " " in head[limit // 2 :]:
        head = head.rpartition(" ")[0]
    return (head.rstrip(" ,.;:–—-…") or head) + ELLIPSIS


def excerpt(text: str, limit: int) -> str:
    """The beginning and the end on one line of at most `limit` characters, with a mark where the middle was left out.

    What is asked often stands before or behind a long text that was pasted. Only the ends are looked at, so a text of
    many megabytes costs no more than a short one.
    """
    text = text.strip()
    if len(text) > 8 * limit:
        text = text[: 4 * limit] + _GAP + text[-4 * limit :]
    line = folded(text)
    if len(line) <= limit:
        return line
    room = limit - len(_GAP)
    head, tail = room * 2 // 3, room - room * 2 // 3
    return line[: _border(line, head, -1)].rstrip() + _GAP + line[_border(line, len(line) - tail, 1) :].lstrip()


def _border(line: str, at: int, step: int) -> int:
    """`at`, or the next place in that direction that is between two characters as readers see them."""
    for place in range(at, at + step * _LONGEST_CLUSTER, step):
        if not 0 < place < len(line):
            break
        if not _glued(line, place):
            return place
    return at


def _glued(line: str, at: int) -> bool:
    """Whether the code points on both sides of `at` show as one character (the main rules of Unicode's annex 29)."""
    before, after = line[at - 1], line[at]
    if before == _JOINER or after in (_JOINER, "\u200c") or unicodedata.category(after).startswith("M"):
        return True
    if any(ord(after) in extends for extends in (_SKIN_TONES, _TAGS, _VOWELS_AND_FINALS)):
        return True
    if ord(before) in _ONE_LETTER_FLAGS and ord(after) in _ONE_LETTER_FLAGS:
        return _letters_before(line, at) % 2 == 1
    return unicodedata.combining(before) == _VIRAMA and after.isalpha()


def _letters_before(line: str, at: int) -> int:
    """How many of the letters that pair up to flags end at `at`."""
    start = at
    while start and ord(line[start - 1]) in _ONE_LETTER_FLAGS:
        start -= 1
    return at - start

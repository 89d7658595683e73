"""Words for people, in the languages that Portunus speaks."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    EN = "en"
    JA = "ja"
    ZH = "zh"


@dataclass(frozen=True, slots=True)
class Text:
    """English and, where known, Japanese and Chinese."""

    en: str
    ja: str | None = None
    zh: str | None = None

    def within(self, language: Language) -> str:
        """The text in that language, else in English."""
        if language is Language.JA:
            return self.ja or self.en
        if language is Language.ZH:
            return self.zh or self.en
        return self.en

    @property
    def every(self) -> tuple[str, ...]:
        """The text in each language that it has."""
        return tuple(text for text in (self.en, self.ja, self.zh) if text)


def mentions(texts: Iterable[str], words: Iterable[str]) -> bool:
    """Whether each of the words, which are `folded`, is part of one of the texts."""
    whole = "\n".join(map(folded, texts))
    return all(word in whole for word in words)


def folded(text: str) -> str:
    """Without regard to case and to the width of letters."""
    return unicodedata.normalize("NFKC", text).casefold()

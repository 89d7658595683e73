"""Words for people, in the languages that Portunus speaks."""

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
        return {Language.EN: self.en, Language.JA: self.ja, Language.ZH: self.zh}[language] or self.en

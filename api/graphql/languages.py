"""In which language words are shown: the one that an argument names, else the one that the request prefers."""

from contextvars import ContextVar
from functools import lru_cache
from typing import Annotated

import strawberry

from api.graphql.http import by_preference
from domain.model.labels import Language, Text

InLanguage = Annotated[
    Language | None,
    strawberry.argument(description="The language; without one, that of Accept-Language, else English."),
]

_preferred: ContextVar[Language] = ContextVar("preferred language", default=Language.EN)
_KNOWN = {language.value: language for language in Language}


def prefer(language: Language) -> None:
    """For whatever the current task, and the tasks that it starts, will show."""
    _preferred.set(language)


def shown(text: Text, language: Language | None) -> str:
    return text.within(language or _preferred.get())


@lru_cache(128)
def accepted_language(header: str | None) -> Language:
    """The best of our languages for an Accept-Language header (RFC 9110 §12.5.4), by primary subtag; else English."""
    ranges = by_preference(header or "*")
    return next((_KNOWN[found] for tag in ranges if (found := tag.partition("-")[0]) in _KNOWN), Language.EN)

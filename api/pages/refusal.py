"""Why a page cannot do what was asked, in words for the person before it."""

from collections.abc import Mapping


class Refused(Exception):
    """Answered with a page of this status: a title, and what to do next. Neither may repeat what was sent."""

    def __init__(self, status: int, title: str, advice: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.advice = advice
        self.headers = dict(headers or {})

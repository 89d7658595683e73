"""What a vendor's refusal means: its own words first, then well-known phrases, then the HTTP status."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from infrastructure.providers.dialects.waits import wait
from infrastructure.providers.spec import ErrorReply, names_error
from infrastructure.providers.wire.digging import count, dig, rows, table, text

Meaning = tuple[type[UpstreamError], int]
"""What a word means, and the status that goes with it when a stream reports it inside a 200."""

_DETAIL = 300


_WORDS: Mapping[str, Meaning] = {
    "authentication_error": (CredentialRejected, 401),
    "invalid_api_key": (CredentialRejected, 401),
    "permission_error": (CredentialRejected, 403),
    "billing_error": (UpstreamPaymentRequired, 402),
    "billing_hard_limit_reached": (UpstreamPaymentRequired, 429),
    "credit_balance_exhausted": (UpstreamPaymentRequired, 429),
    "enforced_spend_limit_reached": (UpstreamPaymentRequired, 429),
    "insufficient_quota": (UpstreamPaymentRequired, 429),
    "rate_limit_error": (UpstreamRateLimited, 429),
    "rate_limit_exceeded": (UpstreamRateLimited, 429),
    "context_length_exceeded": (ContextTooLong, 400),
    "exceed_context_size_error": (ContextTooLong, 400),
    "request_too_large": (ContextTooLong, 413),
    "content_filter": (ContentRefused, 400),
    "content_policy_violation": (ContentRefused, 400),
    "model_not_found": (ModelNotFoundUpstream, 404),
    "not_supported_error": (BadRequestUpstream, 501),
    "overloaded_error": (UpstreamUnavailable, 529),
    "server_is_overloaded": (UpstreamUnavailable, 503),
    "slow_down": (UpstreamUnavailable, 503),
}
_GENERAL: Mapping[str, int] = {
    "api_error": 500,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "server_error": 500,
    "timeout_error": 504,
}
_PHRASES: tuple[tuple[re.Pattern[str], type[UpstreamError]], ...] = (
    (
        re.compile(
            r"prompt is too long|maximum context length|context (length|size|window)|is too large to process"
            r"|input length (\d+ )?exceeds|input is too long|too many input tokens|exceed max message tokens"
            r"|exceeded model token limit|exceeded max_prompt_tokens|max_seq_len"
            r"|range of input length should be"
            r"|must have less than \d+ (tokens|characters)|\binputs\W{1,3}tokens \+|token count \+ max_tokens",
            re.I,
        ),
        ContextTooLong,
    ),
    (re.compile(r"content exists risk|blocked by our content filters", re.I), ContentRefused),
    (re.compile(r"credit balance|spend(ing)? limit|usage limits|payment.instrument", re.I), UpstreamPaymentRequired),
    (re.compile(r"(input|tools?|images?) (is|are) not supported", re.I), BadRequestUpstream),
)
_SPOKEN = frozenset({200, 400, 403, 413, 422, 500})
_STATUSES: Mapping[int, type[UpstreamError]] = {
    401: CredentialRejected,
    402: UpstreamPaymentRequired,
    403: CredentialRejected,
    408: UpstreamUnavailable,
    413: ContextTooLong,
    429: UpstreamRateLimited,
    451: ContentRefused,
    501: BadRequestUpstream,
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a refusal means whose text has this pattern somewhere, in any case, and which comes with this status."""

    kind: type[UpstreamError]
    pattern: str = ""
    status: int | None = None

    def fits(self, status: int, said: str) -> bool:
        return self.status in (None, status) and bool(re.search(self.pattern, said, re.I))


@dataclass(frozen=True, slots=True)
class Refusals:
    """Reads any shape of error body; `words` are codes and types that one vendor uses beside the usual ones.

    `families` are patterns of such words, for vendors that make up ever new ones; they match the whole of one.
    `phrases` count more than either. `code` and `message` are places where a vendor tells of success and failure alike,
    with a zero for success.
    """

    words: Mapping[str, Meaning] = field(default_factory=dict)
    families: Mapping[str, Meaning] = field(default_factory=dict)
    phrases: tuple[Phrase, ...] = ()
    code: tuple[str, ...] = ()
    message: tuple[str, ...] = ()

    def __call__(self, provider: str, reply: ErrorReply) -> UpstreamError:
        """The error by its meaning. One found inside a 200 has the status that it names, if it names one."""
        body = _first(reply.body)
        said = _line(text(dig(body, *self.message))) if self._code(body) else _said(body)
        # A 413 stays one, though some vendors call it a rate limit: no wait makes the request smaller.
        words = () if reply.status == 413 else (self._code(body), *_codes(body))
        known = [found for word in words if (found := self._meaning(word))]
        status = reply.status if reply.status >= 400 else _named_status(body, known) or reply.status
        kind = self._kind(status, said, known)
        return kind(provider, status, said[:_DETAIL], wait(reply.headers) if kind.retryable else None)

    def failed(self, body: Any) -> bool:
        """Whether an answer tells of a failure, whatever its status."""
        return names_error(table(body)) or bool(self._code(body))

    def _code(self, body: Any) -> str:
        """The vendor's number for what went wrong; empty for none."""
        number = str(dig(body, *self.code) or "") if self.code else ""
        return "" if number == "0" else number

    def _kind(self, status: int, said: str, known: list[Meaning]) -> type[UpstreamError]:
        """By a phrase of the vendor's own, or by its words; where those tell little, by what it says or the status."""
        for phrase in self.phrases:
            if phrase.fits(status, said):
                return phrase.kind
        kind = known[0][0] if known else None
        if kind and kind is not BadRequestUpstream:
            return kind
        return _by_phrase(status, said[:_DETAIL]) or kind or _by_status(status, said)

    def _meaning(self, word: str) -> Meaning | None:
        family = (meaning for pattern, meaning in self.families.items() if re.fullmatch(pattern, word))
        return self.words.get(word) or _WORDS.get(word) or next(family, None)


USUAL = Refusals()


def _by_phrase(status: int, said: str) -> type[UpstreamError] | None:
    if status not in _SPOKEN:
        return None
    return next((kind for pattern, kind in _PHRASES if pattern.search(said)), None)


def _by_status(status: int, said: str) -> type[UpstreamError]:
    if status == 404 and "model" in said.lower():
        return ModelNotFoundUpstream
    usual = BadRequestUpstream if 400 <= status < 500 else UpstreamUnavailable
    return _STATUSES.get(status, usual)


def _codes(body: object) -> list[str]:
    """The machine-readable words of an error, the most precise first."""
    error = table(table(body).get("error"))
    deep = (("details", "error_code"), ("availability", "code"), ("metadata", "error_type"))
    places = [*(dig(error, *path) for path in deep), error.get("code"), error.get("type")]
    places += [table(body).get("reason"), table(body).get("code"), table(body).get("type")]
    places.append(table(body).get("error_type"))
    return [str(place) if count(place) else text(place) for place in places]


def _named_status(body: object, known: list[Meaning]) -> int | None:
    error = table(table(body).get("error"))
    told = [error.get(place) for place in ("code", "status", "http_status", "http_status_code")]
    for number in (*told, table(body).get("code")):
        named = count(int(number) if isinstance(number, str) and number.isdecimal() and len(number) == 3 else number)
        if named is not None and 400 <= named < 600:
            return named
    if known:
        return known[0][1]
    return next((_GENERAL[word] for word in _codes(body) if word in _GENERAL), None)


def _first(body: Any) -> Any:
    """Some gateways wrap an error in an array."""
    return dig(body, 0) if isinstance(body, list) else body


def _said(body: Any) -> str:
    """The vendor's own text on one line: error.message, error, detail, message, or whatever came."""
    error = table(body).get("error")
    found = text(dig(error, "message")) or text(error) or "; ".join(map(text, rows(error)))
    found = found or _detail(table(body).get("detail"))
    found = found or text(table(body).get("message")) or text(body)
    if found.lstrip().startswith("<"):
        return "a web page instead of an answer"
    if isinstance(body, str) and found.lstrip().startswith(("{", "[")):
        return "a refusal too long to read"  # JSON that was cut off: it may repeat the whole of what was sent
    return _line(found)


def _line(said: str) -> str:
    return " ".join(said.split())


def _detail(value: object) -> str:
    """FastAPI's validation list, or a plain string."""
    lines = (f"{'.'.join(map(str, rows(dig(row, 'loc'))))}: {text(dig(row, 'msg'))}" for row in rows(value))
    return text(value) or "; ".join(lines)

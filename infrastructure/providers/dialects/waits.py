"""How long a vendor asks to wait."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST = 10**9


def wait(headers: Mapping[str, str]) -> float | None:
    """Seconds from retry-after-ms or Retry-After (RFC 9110, section 10.2.3: seconds or a date); None if unsaid."""
    said = {name.lower(): value for name, value in headers.items()}
    milliseconds = seconds(said.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    told = seconds(said.get("retry-after"))
    return told if told is not None else _until(said.get("retry-after"), said.get("date"))


def seconds(value: str | None) -> float | None:
    """A number from zero to some thirty years; None for any other text."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < _LONGEST else None


def _until(moment: str | None, now: str | None) -> float | None:
    """Measured by the vendor's own clock where it shows one."""
    end, start = _date(moment), _date(now) or datetime.now(UTC)
    return max((end - start).total_seconds(), 0.0) if end else None


def _date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)

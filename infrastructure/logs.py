"""One log line per event, as JSON, with everything that looks like a secret blotted out on the way."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from infrastructure.request_id import request_id

_TOKENS = re.compile(r"(?:ptn_[a-z]{2}_|sk-|sk_|AIza|AKIA|eyJ)[\w\-.]{8,}|(?i:bearer|basic) +[\w\-.~+/=]{8,}")
_NAMES = re.compile(r"(?i)secret|password|authorization|api_?key|token$")
_QUIET = ("alembic", "authlib", "httpx2", "aiohttp", "asyncio", "uvicorn.access")


def configure_logs(level: str) -> None:
    """Everything that is logged, by whichever library, goes to standard error as one JSON object a line."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        with_request_id,
        redacted,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def with_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event with the id of the request that it happened in, if it did in one."""
    current = request_id.get()
    return {**event, "request_id": current} if current else event


def redacted(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event with secrets blotted: by the name of the field, and by the look of the text."""
    for name, value in event.items():
        if _NAMES.search(name):
            event[name] = "••••"
        elif isinstance(value, str):
            event[name] = _TOKENS.sub("••••", value)
    return event

"""The id of the request that is being served, by which a log line, an answer and an audit entry find one another."""

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

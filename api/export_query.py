"""What the query string of an export asks for."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TypeVar

from starlette.datastructures import QueryParams

from api.graphql.ids import known_client, known_uuid
from api.graphql.texts import is_kept
from domain.errors import InvalidRange
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import CredentialId
from domain.model.quota import Outcome
from domain.model.selection import KeySource
from domain.model.usage import Job
from domain.model.usage_totals import UsageFilter
from domain.usecases.usage import Usage

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

ONCE = ("from", "to", "client_id", "paid_by", "credential_id")
OFTEN = ("provider", "model", "job", "outcome")
MOST = 100


def asked(query: QueryParams, usage: Usage) -> UsageFilter:
    """The calls that it asks for. InvalidRange names the parameter that is wrong; a misspelt one is not overlooked."""
    for name in query:
        _check(query, name)
    return UsageFilter(
        usage.span(_one(query, "from", _moment), _one(query, "to", _moment)),
        models=frozenset(ref for text in query.getlist("model") for ref in _models(text)),
        providers=frozenset(query.getlist("provider")),
        client_id=_one(query, "client_id", known_client),
        paid_by=_one(query, "paid_by", partial(_named, KeySource)),
        credential_id=_one(query, "credential_id", _credential),
        jobs=frozenset(_named(Job, text, "job") for text in query.getlist("job")),
        outcomes=frozenset(_named(Outcome, text, "outcome") for text in query.getlist("outcome")),
    )


def _check(query: QueryParams, name: str) -> None:
    if name not in (*ONCE, *OFTEN):
        raise InvalidRange("query", f"has a parameter that is none of: {', '.join((*ONCE, *OFTEN))}")
    most = 1 if name in ONCE else MOST
    if len(query.getlist(name)) > most:
        raise InvalidRange(name, f"must be given at most {most} times" if most > 1 else "must be given once")
    if not all(map(is_kept, query.getlist(name))):
        raise InvalidRange(name, "must have no U+0000")


def _one(query: QueryParams, name: str, read: Callable[[str, str], T]) -> T | None:
    return read(query[name], name) if name in query else None


def _moment(text: str, field: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRange(field, "must be a moment such as 2026-11-23T00:00:00Z") from None


def _credential(text: str, _field: str) -> CredentialId:
    return CredentialId(known_uuid(text, "Credential"))


def _models(text: str) -> list[ModelRef]:
    """Those of every type that are written so: as provider/name."""
    provider, slash, name = text.partition("/")
    if not (provider and slash and name):
        raise InvalidRange("model", "must be provider/name")
    return [ModelRef(provider, name, kind) for kind in ModelType]


def _named(kind: type[E], text: str, field: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise InvalidRange(field, f"must be one of: {', '.join(kind)}") from None

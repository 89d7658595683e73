"""Decorators for the schema's fields: each has a description, and says which scope it needs."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

import strawberry

from domain.model.access import Scope

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

Input = Annotated[T, strawberry.argument(name="input", description="All that it needs.")]


def field(description: str, *, needs: Scope | None = None) -> Callable[[F], F]:
    return cast(Callable[[F], F], strawberry.field(description=_with_scope(description, needs)))


def mutation(description: str, *, needs: Scope) -> Callable[[F], F]:
    return cast(Callable[[F], F], strawberry.mutation(description=_with_scope(description, needs)))


def subscription(description: str, *, needs: Scope) -> Callable[[F], F]:
    return cast(Callable[[F], F], strawberry.subscription(description=_with_scope(description, needs)))


def _with_scope(description: str, scope: Scope | None) -> str:
    return f"{description} Needs `{scope}`." if scope else description

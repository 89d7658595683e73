"""Decorators for the schema's fields: each has a description, and declares which scope it needs."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

import strawberry

from api.graphql.scopes import Authenticated, Needs
from domain.model.access import Scope

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

Input = Annotated[T, strawberry.argument(name="input", description="All that it needs.")]


def field(description: str, *, needs: Scope | None = None, authenticated: bool = False) -> Callable[[F], F]:
    """`authenticated` is for what any token may ask for. A field without either holds only what its object does."""
    if needs:
        return cast(Callable[[F], F], strawberry.field(**_needing(description, needs)))
    directives = [Authenticated()] if authenticated else []
    return cast(Callable[[F], F], strawberry.field(description=description, directives=directives))


def mutation(description: str, *, needs: Scope) -> Callable[[F], F]:
    return cast(Callable[[F], F], strawberry.mutation(**_needing(description, needs)))


def subscription(description: str, *, needs: Scope) -> Callable[[F], F]:
    return cast(Callable[[F], F], strawberry.subscription(**_needing(description, needs)))


def _needing(description: str, scope: Scope) -> dict[str, Any]:
    """The scope is in the description as well: introspection, and so every schema browser, knows no directives."""
    return {"description": f"{description} Needs `{scope}`.", "directives": [Needs(scope=scope.value)]}

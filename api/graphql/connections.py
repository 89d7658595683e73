"""Relay connections: pages of at most 100 items behind sealed cursors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from api.graphql.context import Context
from api.graphql.cursors import foreign_cursor
from api.graphql.fields import field
from domain.errors import InvalidRange

T = TypeVar("T")

LARGEST = 100
First = Annotated[int, strawberry.argument(description=f"How many items to give, from 1 to {LARGEST}.")]
After = Annotated[str | None, strawberry.argument(description="Give what comes behind this cursor.")]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its nodes, the cursor of the node at an index, and what surrounds them."""

    nodes: list[Any]
    cursor: Callable[[int], str]
    has_next: bool
    has_previous: bool


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether items follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether items precede this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item; null on an empty page.")


@strawberry.type(description="An item and its place in the list.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="Its place, for `after`. It is good for this list and tenant only.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    page: strawberry.Private[Page]

    @field("The items, for those who need no cursors.")
    def nodes(self) -> list[T]:
        return self.page.nodes

    @field("The items with their cursors.")
    def edges(self) -> list[Edge[T]]:
        return [Edge(node=node, cursor=self.page.cursor(at)) for at, node in enumerate(self.page.nodes)]

    @field("Where this page lies in the list.")
    def page_info(self) -> PageInfo:
        page = self.page
        return PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursor(0) if page.nodes else None,
            end_cursor=page.cursor(-1) if page.nodes else None,
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a list that `first` and `after` ask for. `name` tells the list from others; its filters are in it."""

    context: Context
    name: str
    first: int
    after: str | None

    def __post_init__(self) -> None:
        if not 1 <= self.first <= LARGEST:
            raise InvalidRange("first", f"must be from 1 to {LARGEST}")

    @property
    def position(self) -> str | None:
        """Behind which position the page starts; InvalidRange for a foreign cursor."""
        if self.after is None:
            return None
        return self.context.seal.read(self.context.actor.tenant_id, self.name, self.after)

    def cursor(self, position: str) -> str:
        return self.context.seal.write(self.context.actor.tenant_id, self.name, position)

    def of(self, items: Sequence[Any], key: Callable[[Any], str], shown: Callable[[Any], Any]) -> Page:
        """A page of a list that is wholly in memory; `key` names an item, `shown` makes what the client sees of it."""
        start = self._start(items, key)
        stop = start + self.first
        return self._page(items[start:stop], key, shown, has_next=stop < len(items), has_previous=start > 0)

    def of_rows(self, rows: Sequence[Any], key: Callable[[Any], str], shown: Callable[[Any], Any]) -> Page:
        """A page from `first` + 1 rows that were read from behind `position`."""
        more = len(rows) > self.first
        return self._page(rows[: self.first], key, shown, has_next=more, has_previous=self.after is not None)

    def _start(self, items: Sequence[Any], key: Callable[[Any], str]) -> int:
        behind = self.position
        if behind is None:
            return 0
        start = next((at + 1 for at, item in enumerate(items) if key(item) == behind), None)
        if start is None:
            raise foreign_cursor()
        return start

    def _page(
        self,
        items: Sequence[Any],
        key: Callable[[Any], str],
        shown: Callable[[Any], Any],
        *,
        has_next: bool,
        has_previous: bool,
    ) -> Page:
        nodes = [shown(item) for item in items]
        return Page(nodes, lambda at: self.cursor(key(items[at])), has_next, has_previous)

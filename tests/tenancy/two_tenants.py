"""Two tenants in one house over a real database, and ways to see whether anything of one reaches the other."""

import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from typing_extensions import override
from uuid_utils.compat import uuid7

from api.graphql.ids import parsed
from domain.model.access import AccessToken
from domain.model.ids import TenantId
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.ports import Directory, Ledger, Work
from infrastructure.db.directory import directory
from infrastructure.db.engine import open_engine
from infrastructure.db.fence import Fence, bind, naming
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.tables import metadata
from infrastructure.db.work import begin
from tests.belongings import MASTER_KEYS
from tests.databases import Urls
from tests.fakes import FakeStore
from tests.graphql_documents import strings
from tests.graphql_goods import CATALOGUE, Goods, Words, settled
from tests.graphql_house import NOW, House
from tests.willing import WillingGateway

MARK = "nightingale"
"""It is in all that the one tenant can name."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TOKEN = re.compile(r"ptn_([a-z]{2})_[\w-]+")
_RANDOM = {"cursor", "startCursor", "endCursor", "hint", "secretHint"}


class StoredHouse(House):
    """A house over a real database, which other houses share: its ids are new."""

    def __init__(self, engine: AsyncEngine, fence: Fence) -> None:
        super().__init__(WillingGateway(), CATALOGUE, store=_Stored(engine, fence))

    @override
    def fresh(self) -> UUID:
        return uuid7()


class _Stored(FakeStore):
    def __init__(self, engine: AsyncEngine, fence: Fence) -> None:
        super().__init__()
        self._begin, self._ledger = begin(engine, fence, MASTER_KEYS), ledger_on(engine, MASTER_KEYS)
        self._directory = directory(engine)

    @override
    def begin(self, tenant_id: TenantId) -> Work:
        return self._begin(tenant_id)

    @override
    def directory(self) -> Directory:
        return self._directory()

    @property
    @override
    def ledger(self) -> Ledger:
        return self._ledger


@dataclass(frozen=True, slots=True)
class World:
    """`hers` has MARK in it; `his` owns the same things, and looks for hers."""

    engine: AsyncEngine
    house: House
    hers: Goods
    his: Goods

    async def token(self, of: Goods) -> str:
        """A stored token that may do everything."""
        actor = of.actor()
        text = mint(Kind.ACCESS_TOKEN, actor.tenant_id, self.house.fresh().bytes.rjust(SECRET_BYTES, b"x"))
        row = AccessToken(actor.tenant_id, digest(text), actor.client_id, actor.scopes, NOW, actor.expires_at)
        async with self.house.store.begin(actor.tenant_id) as work:
            await work.tokens.add(row)
        return text

    async def rows_of(self, goods: Goods) -> Mapping[str, list[str]]:
        """Every row of every table."""
        async with self.engine.connect() as connection:
            await bind(connection, goods.tenant_id)
            mine = {
                t.name: select(t).where(t.c.tenant_id == goods.tenant_id)
                for t in metadata.sorted_tables
                if "tenant_id" in t.c
            }
            return {name: sorted(map(repr, await connection.execute(query))) for name, query in mine.items()}


@asynccontextmanager
async def world(urls: Urls, fence: Fence) -> AsyncIterator[World]:
    engine = open_engine(urls.app)
    fenced = StoredHouse(engine, naming)  # who moves in stays apart; what is tried later is tried with `fence`
    goods = [await settled(fenced, mark) for mark in (MARK, "sparrow")]
    yield World(engine, StoredHouse(engine, fence), *goods)
    await engine.dispose()


def traces(answer: Any, of: Goods, sent: Iterable[str] = ()) -> list[str]:
    """What an answer shows of a tenant, beside the words that were sent."""
    wanted = [of.mark, *(str(key) for key in of.keys), *(key.hex for key in of.keys)]
    said = set(sent)
    found = []
    for text in _legible(answer):
        rest = text
        for word in sorted(said, key=len, reverse=True):
            rest = rest.replace(word, "")
        found += [text for each in wanted if each in rest]
    return found


def without_names(value: Any, words: Words) -> Any:
    """An answer with the words that it is about, and ids that are new each time, replaced by what they stand for."""
    if isinstance(value, Mapping):
        return {k: bool(v) if k in _RANDOM else without_names(v, words) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_names(inner, words) for inner in value]
    return _anonymous(value, words) if isinstance(value, str) else value


def _anonymous(text: str, words: Words) -> str:
    for name, word in words.named():
        text = text.replace(word, f"<{name}>")
    kind, key = parsed(text)
    if kind.isascii() and kind.isalpha():
        text = f"{kind}:{key}"
        for name, word in words.named():
            text = text.replace(word, f"<{name}>")
    return _TOKEN.sub(r"<token \1>", _UUID.sub("<uuid>", text))


def _legible(value: Any) -> Iterator[str]:
    """Every string of an answer, and what it says when it is an id or a cursor."""
    for text in strings(value):
        yield text
        try:
            yield urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("latin-1")
        except ValueError:
            continue

"""API keys: bearer tokens without OAuth, each with scopes, a reach and an end of its own."""

from datetime import datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

import strawberry

from api.graphql.application_changes import OVERLAP, OVERLAP_DESCRIPTION
from api.graphql.applications import ApplicationShelf, OneId
from api.graphql.caps import Cap
from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Context, Info
from api.graphql.fields import Input, field, mutation
from api.graphql.ids import known_uuid, node_id
from api.graphql.members import Member
from api.graphql.nodes import Node, or_none
from api.graphql.problems import InvalidRange, NotFound
from api.graphql.reach import Reach, ReachInput, scopes_of
from api.graphql.scalars import BigInt
from domain import errors
from domain.model.access import EVERYWHERE, Client, ClientKind, Scope
from domain.model.cap import Period
from domain.model.ids import ClientId
from domain.model.quota import Unit
from domain.model.tokens import Kind, mint
from domain.usecases.api_keys import KeyCap, KeyChange, NewKey

_SCOPES = "What it allows; each must be among the scopes of who makes it."


@strawberry.type(description="A key with which the API is called as with an access token: `Authorization: Bearer …`.")
class ApiKey(Node):
    row: strawberry.Private[Client]
    shelf: strawberry.Private[ApplicationShelf]
    client_id: str = strawberry.field(description="The client id under which its calls are counted and capped.")
    name: str = strawberry.field(description="What it is called.")
    hint: str = strawberry.field(description="How it ends, to be told from others: its last four characters.")
    scopes: list[str] = strawberry.field(description="What it allows.")
    reach: Reach = strawberry.field(description="Which models it may use.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it ends; null is never.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used; null when it never was.")
    old_key_until: datetime | None = strawberry.field(
        description="Until when the key that it took the place of is good as well; null where there is none."
    )

    @field("Who made it; null where it was no person, or one who has left.", needs=Scope.APPLICATIONS_READ)
    async def created_by(self) -> Member | None:
        return await self.shelf.creator_of(self.row)

    @field("Its caps.", needs=Scope.QUOTAS_READ)
    async def caps(self) -> list[Cap]:
        return await self.shelf.caps_of(self.row.id)

    @classmethod
    def of(cls, row: Client, shelf: ApplicationShelf) -> Self:
        return cls(
            id=node_id("ApiKey", row.id),
            row=row,
            shelf=shelf,
            client_id=mint(Kind.CLIENT_ID, row.tenant_id, row.id.bytes),
            name=row.name,
            hint=row.secret_hint or "",
            scopes=sorted(row.scopes),
            reach=Reach.of(row.reach),
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            old_key_until=row.old_secret_until,
        )

    @classmethod
    def alone(cls, row: Client, context: Context) -> Self:
        """One that is on no page with others."""
        return cls.of(row, ApplicationShelf.of(context, [row]))


@strawberry.input(description="The most that a key may use in one period; `setCap` sets more of them.")
class KeyCapInput:
    unit: Unit = strawberry.field(description="What is counted.")
    amount: BigInt = strawberry.field(description="How much of it; 0 blocks.")
    period: Period = strawberry.field(description="How often it starts anew.")


@strawberry.input(description="A key to make.")
class CreateApiKeyInput:
    name: str = strawberry.field(description="What to call it.")
    scopes: list[str] = strawberry.field(description=_SCOPES)
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it is to end, at most 366 days from now; left out, then."
    )
    reach: ReachInput | None = strawberry.field(default=None, description="Which models; left out, all.")
    cap: KeyCapInput | None = strawberry.field(default=None, description="What caps it from the start.")

    def new(self) -> NewKey:
        cap = KeyCap(self.cap.unit, self.cap.amount, self.cap.period) if self.cap else None
        reach = self.reach.reach() if self.reach else EVERYWHERE
        return NewKey(self.name, scopes_of(self.scopes), self.expires_at, reach, cap)


@strawberry.input(
    description="What to change; what is left out stays. To give it more, or longer, needs all of its scopes."
)
class UpdateApiKeyInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")
    name: str | None = strawberry.field(default=None, description="What to call it.")
    scopes: list[str] | None = strawberry.field(default=None, description="What it still allows of what it did.")
    expires_at: datetime | None = strawberry.field(default=None, description="When it is to end.")
    reach: ReachInput | None = strawberry.field(default=None, description="Which models.")

    def change(self) -> KeyChange:
        return KeyChange(
            name=self.name,
            scopes=None if self.scopes is None else scopes_of(self.scopes),
            expires_at=self.expires_at,
            reach=self.reach.reach() if self.reach else None,
        )


@strawberry.input(description="Which key to replace by another text.")
class RotateApiKeyInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")
    overlap_seconds: int = strawberry.field(default=OVERLAP, description=OVERLAP_DESCRIPTION)
    expires_at: datetime | None = strawberry.field(default=None, description="When it is to end; left out, as before.")


@strawberry.input(description="Which key to revoke.")
class RevokeApiKeyInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="The key is made.")
class CreateApiKeyPayload:
    api_key: ApiKey = strawberry.field(description="What is known of it from now on.")
    key: str = strawberry.field(description="The key itself. It is shown this once.")


@strawberry.type(description="The key is changed.")
class UpdateApiKeyPayload:
    api_key: ApiKey = strawberry.field(description="As it is from now on.")


@strawberry.type(description="The key has another text.")
class RotateApiKeyPayload:
    api_key: ApiKey = strawberry.field(description="As it is from now on.")
    key: str = strawberry.field(description="The new key itself. It is shown this once.")


@strawberry.type(description="The key is gone, with its caps.")
class RevokeApiKeyPayload:
    api_key: ApiKey = strawberry.field(description="As it was.")


CreateApiKeyResult = Annotated[
    CreateApiKeyPayload | NotFound | InvalidRange,
    strawberry.union("CreateApiKeyResult", description="The key, or why it cannot be made."),
]
UpdateApiKeyResult = Annotated[
    UpdateApiKeyPayload | NotFound | InvalidRange,
    strawberry.union("UpdateApiKeyResult", description="The key, or why it cannot be changed so."),
]
RotateApiKeyResult = Annotated[
    RotateApiKeyPayload | NotFound | InvalidRange,
    strawberry.union("RotateApiKeyResult", description="The new key, or why there is none."),
]
RevokeApiKeyResult = Annotated[
    RevokeApiKeyPayload | NotFound,
    strawberry.union("RevokeApiKeyResult", description="What was revoked, or that there is no such key."),
]


@strawberry.type
class ApiKeyQueries:
    @field("An API key; null when it is unknown.", needs=Scope.APPLICATIONS_READ)
    async def api_key(self, info: Info, key_id: OneId) -> ApiKey | None:
        return await or_none(_api_key(info.context, key_id))

    @field("The tenant's API keys, oldest first, those that have ended included.", needs=Scope.APPLICATIONS_READ)
    async def api_keys(self, info: Info, first: First = 50, after: After = None) -> Connection[ApiKey]:
        cut = Cut(info.context, "apiKeys", first, after)
        behind = ClientId(UUID(cut.position)) if cut.position else None
        rows = await info.context.usecases.api_keys.page(info.context.actor, first=first + 1, after=behind)
        shelf = ApplicationShelf.of(info.context, rows)
        return Connection(page=cut.of_rows(rows, lambda row: str(row.id), lambda row: ApiKey.of(row, shelf)))


@strawberry.type
class ApiKeyMutations:
    @mutation("Make an API key. Whoever makes it must have each of its scopes.", needs=Scope.APPLICATIONS_WRITE)
    async def create_api_key(self, info: Info, given: Input[CreateApiKeyInput]) -> CreateApiKeyResult:
        minted = await info.context.usecases.api_keys.create(info.context.actor, given.new())
        return CreateApiKeyPayload(api_key=ApiKey.alone(minted.client, info.context), key=minted.text.reveal())

    @mutation("Rename a key, narrow it, or change its reach or its end.", needs=Scope.APPLICATIONS_WRITE)
    async def update_api_key(self, info: Info, given: Input[UpdateApiKeyInput]) -> UpdateApiKeyResult:
        client = await info.context.usecases.api_keys.update(info.context.actor, _known(given.id), given.change())
        return UpdateApiKeyPayload(api_key=ApiKey.alone(client, info.context))

    @mutation("Replace a key by another text. It needs all of the key's scopes.", needs=Scope.APPLICATIONS_WRITE)
    async def rotate_api_key(self, info: Info, given: Input[RotateApiKeyInput]) -> RotateApiKeyResult:
        rotate, overlap = info.context.usecases.api_keys.rotate, timedelta(seconds=given.overlap_seconds)
        minted = await rotate(info.context.actor, _known(given.id), overlap, given.expires_at)
        return RotateApiKeyPayload(api_key=ApiKey.alone(minted.client, info.context), key=minted.text.reveal())

    @mutation("Revoke a key: within 2 seconds nothing takes it any more.", needs=Scope.APPLICATIONS_WRITE)
    async def revoke_api_key(self, info: Info, given: Input[RevokeApiKeyInput]) -> RevokeApiKeyResult:
        client = await info.context.usecases.api_keys.revoke(info.context.actor, _known(given.id))
        return RevokeApiKeyPayload(api_key=ApiKey.alone(client, info.context))


def _known(global_id: str) -> ClientId:
    return ClientId(known_uuid(global_id, "ApiKey"))


async def _api_key(context: Context, global_id: str) -> ApiKey:
    """NotFound when it is unknown to this tenant, or no key."""
    client_id = _known(global_id)
    row = (await context.usecases.applications.some(context.actor, [client_id])).get(client_id)
    if row is None or row.kind is not ClientKind.API_KEY:
        raise errors.NotFound("api key")
    return ApiKey.alone(row, context)

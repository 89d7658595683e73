"""The schema: every area joined, with its refusals, scalars and limits."""

from functools import cache
from typing import Annotated

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.graphql.api_keys import ApiKey, ApiKeyMutations, ApiKeyQueries
from api.graphql.application_changes import ApplicationMutations
from api.graphql.applications import Application, ApplicationQueries
from api.graphql.audit import AuditQueries
from api.graphql.caps import Cap, CapMutations, CapQueries
from api.graphql.catalogue import CatalogueQueries, Provider
from api.graphql.connections import LARGEST
from api.graphql.context import Info
from api.graphql.conversations import ConversationMutations
from api.graphql.credential_changes import CredentialMutations
from api.graphql.credentials import Credential, CredentialQueries
from api.graphql.custom_models import CustomModelMutations
from api.graphql.defaults import DefaultMutations, DefaultQueries
from api.graphql.fields import field
from api.graphql.grants import GrantMutations, GrantQueries
from api.graphql.inference import InferenceMutations, InferenceSubscriptions
from api.graphql.keys import KeyMutations, TenantKey
from api.graphql.lookups import found
from api.graphql.members import Member, MemberMutations, MemberQueries
from api.graphql.models import Model
from api.graphql.nodes import Node
from api.graphql.operations import Schema
from api.graphql.plans import PlanQueries
from api.graphql.problems import HANDLERS
from api.graphql.quotas import Quota, QuotaMutations, QuotaQueries, QuotaSubscriptions
from api.graphql.rerank import RerankMutations
from api.graphql.scalars import SCALARS
from api.graphql.scopes import check_declared
from api.graphql.speech import SpeechMutations, SpeechSubscriptions
from api.graphql.tenants import Tenant, TenantMutations, TenantQueries, Viewer
from api.graphql.usage import Call, UsageQueries
from domain.errors import InvalidRange

GlobalId = Annotated[strawberry.ID, strawberry.argument(name="id", description="A global id.")]
GlobalIds = Annotated[list[strawberry.ID], strawberry.argument(description=f"Global ids, at most {LARGEST}.")]


@strawberry.type(description="What can be read.")
class Query(
    TenantQueries,
    CatalogueQueries,
    DefaultQueries,
    QuotaQueries,
    CapQueries,
    GrantQueries,
    MemberQueries,
    PlanQueries,
    CredentialQueries,
    UsageQueries,
    ApplicationQueries,
    ApiKeyQueries,
    AuditQueries,
):
    @field("What has this global id; null for one that is unknown, or another tenant's.", authenticated=True)
    async def node(self, info: Info, global_id: GlobalId) -> Node | None:
        return (await found(info.context, [global_id]))[0]

    @field("What has these global ids, in their order, null where `node` would give null.", authenticated=True)
    async def nodes(self, info: Info, ids: GlobalIds) -> list[Node | None]:
        if len(ids) > LARGEST:
            raise InvalidRange("ids", f"must have at most {LARGEST} entries")
        return await found(info.context, ids)


@strawberry.type(description="What can be changed, and what can be asked of models.")
class Mutation(
    TenantMutations,
    CredentialMutations,
    DefaultMutations,
    QuotaMutations,
    CapMutations,
    GrantMutations,
    MemberMutations,
    InferenceMutations,
    RerankMutations,
    SpeechMutations,
    CustomModelMutations,
    ConversationMutations,
    KeyMutations,
    ApplicationMutations,
    ApiKeyMutations,
):
    pass


@strawberry.type(description="What arrives piece by piece.")
class Subscription(InferenceSubscriptions, SpeechSubscriptions, QuotaSubscriptions):
    pass


@cache
def build_schema(*, introspection: bool = True) -> Schema:
    """UndeclaredScope when a field does not say what it needs."""
    schema = Schema(
        introspection=introspection,
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=(
            *(Tenant, TenantKey, Viewer, Member, Application, ApiKey),
            *(Provider, Model, Credential, Quota, Cap, Call),
        ),
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
        exception_handlers=HANDLERS,
    )
    check_declared(schema._schema)
    return schema

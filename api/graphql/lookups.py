"""Whatever has a global id, found by it: all that is asked for of one type in one look-up."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from uuid import UUID

from api.graphql.api_keys import ApiKey
from api.graphql.applications import Application, ApplicationShelf
from api.graphql.caps import Cap
from api.graphql.catalogue import Provider
from api.graphql.catalogue import Shelf as ProviderShelf
from api.graphql.context import Context
from api.graphql.credentials import Credential, Shelf
from api.graphql.ids import known_model, parsed
from api.graphql.keys import TenantKey
from api.graphql.members import Member
from api.graphql.models import Model
from api.graphql.nodes import Node, or_none
from api.graphql.quotas import Quota
from api.graphql.tenants import Viewer, current_tenant
from api.graphql.usage import Call, Callers
from domain.model.access import Client, ClientKind
from domain.model.ids import CallId, ClientId, CredentialId, PersonId
from domain.model.quota import Pot
from domain.model.tenant import KeyInUse
from domain.usecases.browsing import Offered
from domain.usecases.caps import Capped

Found = Mapping[str, Node]
"""By the keys that were asked for; those that are malformed, unknown or another tenant's are not in it."""


async def found(context: Context, global_ids: Sequence[str]) -> list[Node | None]:
    """What has these ids, in their order; None where nothing that the tenant may see has it."""
    keys: dict[str, list[str]] = {}
    for kind, key in map(parsed, global_ids):
        keys.setdefault(kind, []).append(key)
    known = {kind: await look_up(context, keys[kind]) for kind, look_up in _LOOK_UPS.items() if kind in keys}
    return [known.get(kind, {}).get(key) for kind, key in map(parsed, global_ids)]


async def _providers(context: Context, keys: Iterable[str]) -> Found:
    shelf, shown = ProviderShelf(context), await context.usecases.browsing.providers(context.actor)
    known = {each.provider.id: each for each in shown}
    return {key: Provider.of(known[key], shelf) for key in keys if key in known}


async def _models(context: Context, keys: Iterable[str]) -> Found:
    read = {key: await or_none(_model(context, key)) for key in keys}
    return {key: Model.of(offered) for key, offered in read.items() if offered}


async def _model(context: Context, key: str) -> Offered:
    """What is offered is in memory: one by one is no query each."""
    return await context.usecases.browsing.model(context.actor, known_model(key))


async def _credentials(context: Context, keys: Iterable[str]) -> Found:
    ids = {key: CredentialId(each) for key, each in _uuids(keys)}
    rows = {row.id: row for row in await context.usecases.credentials.some(context.actor, set(ids.values()))}
    shelf = Shelf(context, rows.keys())
    return {key: Credential.of(rows[each], shelf) for key, each in ids.items() if each in rows}


async def _calls(context: Context, keys: Iterable[str]) -> Found:
    usage, actor, ids = context.usecases.usage, context.actor, {key: CallId(each) for key, each in _uuids(keys)}
    records = {record.id: record for record in await usage.some(actor, set(ids.values()))}
    callers = await Callers.of(context, {record.client_id for record in records.values()})
    return {key: Call.of(records[each], callers) for key, each in ids.items() if each in records}


async def _quotas(context: Context, keys: Iterable[str]) -> Found:
    pots: dict[UUID, Pot] = {pot.id: pot for pot in await context.usecases.quotas.all(context.actor)}
    return {key: Quota.of(pots[each]) for key, each in _uuids(keys) if each in pots}


async def _caps(context: Context, keys: Iterable[str]) -> Found:
    caps: dict[UUID, Capped] = {each.cap.id: each for each in await context.usecases.caps.all(context.actor)}
    return {key: Cap.of(caps[each]) for key, each in _uuids(keys) if each in caps}


async def _clients(context: Context, keys: Iterable[str]) -> Mapping[str, Client]:
    ids = {key: ClientId(each) for key, each in _uuids(keys)}
    rows = await context.usecases.applications.some(context.actor, set(ids.values()))
    return {key: rows[each] for key, each in ids.items() if each in rows}


async def _applications(context: Context, keys: Iterable[str]) -> Found:
    rows = await _clients(context, keys)
    shelf = ApplicationShelf.of(context, rows.values())
    return {key: Application.of(row, shelf) for key, row in rows.items()}


async def _api_keys(context: Context, keys: Iterable[str]) -> Found:
    rows = await _clients(context, keys)
    shelf = ApplicationShelf.of(context, rows.values())
    return {key: ApiKey.of(row, shelf) for key, row in rows.items() if row.kind is ClientKind.API_KEY}


async def _tenant_keys(context: Context, keys: Iterable[str]) -> Found:
    actor = context.actor
    pairs: dict[UUID, KeyInUse] = {
        pair.id: pair for pair in await context.usecases.rotation.keys(actor, actor.tenant_id)
    }
    return {key: TenantKey.of(pairs[each]) for key, each in _uuids(keys) if each in pairs}


async def _members(context: Context, keys: Iterable[str]) -> Found:
    ids = {key: PersonId(each) for key, each in _uuids(keys)}
    rows = {row.person.id: row for row in await context.usecases.members.some(context.actor, set(ids.values()))}
    return {key: Member.of(rows[each]) for key, each in ids.items() if each in rows}


async def _tenants(context: Context, keys: Iterable[str]) -> Found:
    mine = str(context.actor.tenant_id)
    tenant = await or_none(current_tenant(context)) if mine in keys else None
    return {mine: tenant} if tenant else {}


async def _viewers(context: Context, keys: Iterable[str]) -> Found:
    mine = str(context.actor.client_id)
    return {mine: Viewer.of(context.actor)} if mine in keys else {}


_LOOK_UPS: Mapping[str, Callable[[Context, Iterable[str]], Awaitable[Found]]] = {
    "Provider": _providers,
    "Model": _models,
    "Credential": _credentials,
    "Call": _calls,
    "Quota": _quotas,
    "Cap": _caps,
    "Application": _applications,
    "ApiKey": _api_keys,
    "TenantKey": _tenant_keys,
    "Member": _members,
    "Tenant": _tenants,
    "Viewer": _viewers,
}


def _uuids(keys: Iterable[str]) -> Iterable[tuple[str, UUID]]:
    for key in keys:
        try:
            yield key, UUID(key)
        except ValueError:
            continue

"""What OpenID Connect tells an application about a person."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid5

from domain.model.access import Scope
from domain.model.ids import PersonId, TenantId
from domain.model.people import Member


def subject(tenant_id: TenantId, person_id: PersonId) -> str:
    """The same for ever in one tenant, and another in each, so that applications of two tenants cannot compare it."""
    return str(uuid5(tenant_id, str(person_id)))


def claims(member: Member, scopes: frozenset[Scope]) -> Mapping[str, Any]:
    """Who it is, as far as the scopes go. Nobody proved the address, and it is said so."""
    person = member.person
    told: dict[str, Any] = {"sub": subject(member.tenant_id, person.id)}
    if Scope.PROFILE in scopes:
        told["name"] = person.name
    if Scope.EMAIL in scopes:
        told |= {"email": person.email, "email_verified": False}
    return told

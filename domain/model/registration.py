"""What an application or an API key may be, and what it may be given."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import InvalidRange
from domain.model.access import IDENTITY_SCOPES, OPERATOR_SCOPES, Actor, Client, ClientKind, Reach, Scope
from domain.model.redirect_uris import check_redirect_uris, check_resource


class ProvenBy(StrEnum):
    """By what an application proves that it is itself."""

    SECRET = "secret"  # noqa: S105 - a word, not a secret
    PRIVATE_KEY = "private_key"
    NONE = "none"

    @classmethod
    def of(cls, client: Client) -> "ProvenBy":
        if client.public:
            return cls.NONE
        return cls.PRIVATE_KEY if client.secret_digest is None else cls.SECRET


APPLICATIONS = frozenset({ClientKind.SERVICE, ClientKind.PARTNER})
LONGEST_OVERLAP = timedelta(days=7)
USUAL_OVERLAP = timedelta(hours=24)
LONGEST_KEY = timedelta(days=366)
REACH_LIMIT = 500


def check_application(client: Client) -> None:
    """InvalidRange for what no application may be."""
    if client.kind not in APPLICATIONS:
        raise InvalidRange("kind", "must be SERVICE or PARTNER; keys are made with createApiKey")
    if client.kind is ClientKind.SERVICE:
        _check_service(client)
    check_redirect_uris(client.redirect_uris, public=client.public)
    if client.resource is not None:
        check_resource(client.resource)


def check_given(actor: Actor, client: Client, *, capped: bool) -> None:
    """Nobody gives what he does not have: Forbidden for a scope, InvalidRange for models beyond his own reach.

    One that is `capped`, and cannot free itself, lets no other call models: it would spend beyond its cap.
    """
    actor.require_all(client.scopes)
    if capped and Scope.MODELS_INVOKE in client.scopes and client.id != actor.client_id:
        actor.require(Scope.QUOTAS_WRITE)
    if not client.reach.within(actor.reach):
        raise InvalidRange("reach", "must be within what you may use yourself")


def check_scopes(added: Collection[Scope]) -> None:
    """InvalidRange for what is only an operator's, whoever gives it."""
    if OPERATOR_SCOPES & set(added):
        raise InvalidRange("scopes", "must hold no scope of the operator")


def check_reach(reach: Reach) -> None:
    """InvalidRange for more names than a row should hold."""
    if len(reach.providers or ()) + len(reach.models or ()) > REACH_LIMIT:
        raise InvalidRange("reach", f"must have at most {REACH_LIMIT} entries")


def check_alone(scopes: Collection[Scope]) -> None:
    """InvalidRange for scopes about a person, where there is none."""
    if IDENTITY_SCOPES & set(scopes):
        raise InvalidRange("scopes", "must hold none about a person: only partners act for one")


def checked_overlap(overlap: timedelta) -> timedelta:
    """For how long the secret before stays good."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InvalidRange("overlapSeconds", f"must be from 0 to {LONGEST_OVERLAP // timedelta(seconds=1)}")
    return overlap


def checked_end(asked: datetime | None, now: datetime) -> datetime:
    """When a key ends: as asked, else as late as it may."""
    if asked is None:
        return now + LONGEST_KEY
    if asked.utcoffset() is None:
        raise InvalidRange("expiresAt", "must have a time zone")
    if not now < asked <= now + LONGEST_KEY:
        raise InvalidRange("expiresAt", f"must lie ahead, by at most {LONGEST_KEY.days} days")
    return asked


def _check_service(client: Client) -> None:
    if client.public:
        raise InvalidRange("public", "must be false: a service proves itself by a secret or a key")
    if client.redirect_uris:
        raise InvalidRange("redirectUris", "must be empty: only partners send people")
    check_alone(client.scopes)

"""Global ids (Relay): base64url of a type's name and its key, opaque to clients."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import strawberry

from domain.errors import InvalidRange, NotFound
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import ClientId
from domain.model.tokens import Kind, parse

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def node_id(kind: str, key: object) -> strawberry.ID:
    return strawberry.ID(urlsafe_b64encode(f"{kind}:{key}".encode()).decode())


def model_id(ref: ModelRef) -> strawberry.ID:
    return node_id("Model", f"{ref.type}:{ref.provider}:{ref.name}")


def parsed(node: str) -> tuple[str, str]:
    """The type's name and the key; two empty strings for anything that is not a global id."""
    try:
        kind, _, key = urlsafe_b64decode(node).decode().partition(":")
    except ValueError:
        return "", ""
    return kind, key


def known_uuid(node: str, kind: str) -> UUID:
    """The key of a global id of this type; NotFound for anything else, as for an id that is unknown."""
    found, key = parsed(node)
    try:
        return UUID(key if found == kind else "")
    except ValueError:
        raise NotFound(_CAPITAL.sub(" ", kind).lower()) from None


def known_model(key: str) -> ModelRef:
    """The model whose global id has this key; NotFound when no model's has."""
    model_type, _, rest = key.partition(":")
    provider, _, name = rest.partition(":")
    try:
        return ModelRef(provider, name, ModelType(model_type))
    except ValueError:
        raise NotFound("model") from None


def known_client(text: str, field: str) -> ClientId:
    """The client of an OAuth client id, whether there is one or not; InvalidRange(field) when it can be none."""
    found = parse(Kind.CLIENT_ID, text)
    if found is None:
        raise InvalidRange(field, "is not a client id")
    return ClientId(UUID(bytes=found.rest))

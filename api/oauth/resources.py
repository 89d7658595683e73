"""Whom a token is for (RFC 8707): Portunus itself, or the client's own resource server."""

from authlib.oauth2.rfc6749.errors import OAuth2Error

from domain.model.access import Client


def audience(asked: str | None, bound: str | None, client: Client, issuer: str) -> str | None:
    """None for Portunus itself, which it is where none is named; invalid_target for what is neither.

    `bound` is what was named when the person was asked: nothing else can be had of that later.
    """
    if bound is None:
        return _known(asked, client, issuer) if asked is not None else None
    target = _known(bound, client, issuer)
    if asked is not None and _known(asked, client, issuer) != target:
        raise _refusal()
    return target


def _known(resource: str, client: Client, issuer: str) -> str | None:
    if resource.removesuffix("/") in (issuer, f"{issuer}/graphql"):
        return None
    if resource != client.resource:
        raise _refusal()
    return resource


def _refusal() -> OAuth2Error:
    return OAuth2Error("The resource must be this server, or the client's own one.", error="invalid_target")

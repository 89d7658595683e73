"""The documents by which clients and resource servers find what is here."""

from api.oauth.client import ALGORITHMS, CONFIDENTIAL
from api.oauth.form import NONE
from api.oauth.grants import CLIENT, SHOWN
from domain.model.access import Scope

JWKS = "/oauth/jwks"


def server_metadata(issuer: str) -> dict[str, object]:
    """RFC 8414, and OpenID Connect Discovery 1.0 of the same server."""
    endpoint = f"{issuer}/oauth"
    anyone = [*CONFIDENTIAL, NONE]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{endpoint}/authorize",
        "token_endpoint": f"{endpoint}/token",
        "device_authorization_endpoint": f"{endpoint}/device_authorization",
        "revocation_endpoint": f"{endpoint}/revoke",
        "introspection_endpoint": f"{endpoint}/introspect",
        "userinfo_endpoint": f"{endpoint}/userinfo",
        "jwks_uri": f"{issuer}{JWKS}",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": sorted([CLIENT, *SHOWN]),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": anyone,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": anyone,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": CONFIDENTIAL,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": sorted(Scope),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": sorted(_CLAIMS),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


_CLAIMS = ("iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "at_hash", "name", "email", "email_verified")


def resource_metadata(issuer: str, path: str) -> dict[str, object]:
    """RFC 9728: `resource` is the address that the document's own is made from."""
    return {
        "resource": issuer + path,
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": sorted(Scope),
    }

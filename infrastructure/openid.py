"""An external OpenID provider, with Portunus as its client: code, PKCE, state, nonce, a checked id token."""

import asyncio
import hmac
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from domain.errors import ProviderFailed
from domain.model.people import Departure, Recognised
from infrastructure.http import ForbiddenAddress, Network, outward

# Authlib prints the tokens it gets at DEBUG.
logging.getLogger("authlib").setLevel(logging.INFO)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY = 60
"""Seconds by which two clocks may differ."""
SECONDS = 15
"""The longest that the provider may keep a person waiting."""
KEPT = timedelta(minutes=10)
"""How long what a provider says of itself is good."""

_LOOPBACK: tuple[Network, ...] = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_FAILURES = (AuthlibBaseError, JoseError, httpx2.HTTPError, aiohttp.ClientError, ForbiddenAddress)
_BROKEN = (*_FAILURES, OSError, TimeoutError, ValueError, KeyError)


@dataclass(frozen=True, slots=True)
class OpenIdTerms:
    """What the operator agreed on with the provider."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    name: str
    redirect_uri: str
    networks: Sequence[Network] = ()


@dataclass(slots=True)
class OpenIdProvider:
    """Found by discovery. It is reached over https, or over http on loopback when its issuer is there."""

    terms: OpenIdTerms
    clock: Callable[[], datetime]
    _known: tuple[datetime, dict[str, Any], KeySet] | None = field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        return self.terms.name

    async def departure(self) -> Departure:
        async with self._talking() as client:
            metadata, _ = await self._met(client)
            verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
            where = metadata["authorization_endpoint"]
            address, state = client.create_authorization_url(where, code_verifier=verifier, nonce=nonce)
            return Departure(address, state, nonce, verifier)
        raise ProviderFailed

    async def arrival(self, departure: Departure, said: Mapping[str, str]) -> Recognised:
        async with self._talking() as client:
            metadata, keys = await self._met(client)
            code = self._code(departure, said, metadata)
            client.token_endpoint_auth_method = self._method(metadata)
            token = await client.fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=departure.verifier,
                redirect_uri=self.terms.redirect_uri,
            )
            claims = await self._claims(client, str(token["id_token"]), keys, departure.nonce)
            return Recognised(self.terms.issuer, claims["sub"], _text(claims.get("name")))
        raise ProviderFailed

    @asynccontextmanager
    async def _talking(self) -> AsyncIterator[AsyncOAuth2Client]:
        """A client for one exchange; whatever goes wrong in it is ProviderFailed, without a word of what was sent."""
        loopback = _LOOPBACK if self.terms.issuer.startswith("http:") else ()
        try:
            async with (
                asyncio.timeout(SECONDS),
                AsyncOAuth2Client(
                    self.terms.client_id,
                    self.terms.client_secret,
                    scope="openid profile",
                    redirect_uri=self.terms.redirect_uri,
                    code_challenge_method="S256",
                    transport=outward([*self.terms.networks, *loopback]),
                    trust_env=False,
                    follow_redirects=False,
                    timeout=SECONDS,
                ) as client,
            ):
                yield client
        except _BROKEN as problem:
            logging.getLogger("portunus.openid").warning("sign-in at the provider failed: %s", type(problem).__name__)
            raise ProviderFailed from None

    async def _met(self, client: AsyncOAuth2Client, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        """What the provider says of itself, and its keys."""
        now = self.clock()
        if self._known is None or anew or now - self._known[0] >= KEPT:
            found: dict[str, Any] = await _json(
                client, f"{self.terms.issuer.rstrip('/')}/.well-known/openid-configuration"
            )
            if found["issuer"] != self.terms.issuer or not all(self._allowed(found[name]) for name in _ENDPOINTS):
                raise ValueError("the metadata is not the issuer's")
            self._known = now, found, KeySet.import_key_set(await _json(client, found["jwks_uri"]))
        return self._known[1], self._known[2]

    def _allowed(self, address: object) -> bool:
        """An https address, or one of the issuer's own scheme on its host."""
        if not isinstance(address, str):
            return False
        url, home = urlsplit(address), urlsplit(self.terms.issuer)
        return url.scheme == "https" or (url.scheme, url.hostname) == (home.scheme, home.hostname)

    def _code(self, departure: Departure, said: Mapping[str, str], metadata: Mapping[str, Any]) -> str:
        """From an answer to this very departure, by this very provider (RFC 9207)."""
        if not hmac.compare_digest(said.get("state", "").encode(), departure.state.encode()):
            raise ValueError("another state")
        by = said.get("iss")
        if by != self.terms.issuer and (by or metadata.get("authorization_response_iss_parameter_supported")):
            raise ValueError("another issuer")
        return said["code"]

    def _method(self, metadata: Mapping[str, Any]) -> str:
        if not self.terms.client_secret:
            return "none"
        offered = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"

    async def _claims(self, client: AsyncOAuth2Client, token: str, keys: KeySet, nonce: str) -> dict[str, Any]:
        """OpenID Connect Core, section 3.1.3.7. Keys that are not known yet are asked for once."""
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            decoded = jwt.decode(token, (await self._met(client, anew=True))[1], algorithms=ALGORITHMS)
        claims = decoded.claims
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self.clock().timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self.terms.issuer},
            aud={"essential": True, "value": self.terms.client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        registry.validate(claims)
        if claims.get("azp", self.terms.client_id) != self.terms.client_id:
            raise ValueError("for another client")
        if not (claims["sub"].isascii() and claims["sub"].isprintable() and len(claims["sub"]) <= 255):
            raise ValueError("of nobody who can be told apart")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
            raise ValueError("for several clients, and none of them named")
        return dict(claims)


async def _json(client: AsyncOAuth2Client, address: str) -> Any:
    answer = await client.request("GET", address, withhold_token=True)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

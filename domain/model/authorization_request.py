"""What an application asks of a person through the browser (RFC 6749, section 4.1.1, in the profile of OAuth 2.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.model.access import IDENTITY_SCOPES, Client, Scope

NONCE_LIMIT = 500
SIGNED_IN_AFTER = "signed_in_after"
"""Portunus' own parameter: when this request sent the person to sign in anew, in Unix seconds."""
GOOD_FOR = timedelta(minutes=10)
"""How long a sign-in that the request asked for counts as one."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,10}")
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_NOT_SUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}

Sent = Mapping[str, str]
"""The parameters as they were sent, each once, without empty ones (RFC 6749, section 3.1)."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """An error as RFC 6749, section 4.1.2.1 names it; `description` is ASCII and repeats nothing that was sent."""

    error: str
    description: str


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One that nothing is wrong with. `challenge` is that of S256; `resource` is named only where it was."""

    redirect_uri: str
    state: str | None
    scopes: frozenset[Scope]
    challenge: str
    nonce: str | None
    resource: str | None
    prompt: frozenset[str]
    max_age: timedelta | None
    signed_in_after: datetime | None

    @property
    def silent(self) -> bool:
        """Nothing may be shown."""
        return "none" in self.prompt

    def accepts(self, signed_in_at: datetime, now: datetime) -> bool:
        """Whether a sign-in at that time is fresh enough."""
        after = self.signed_in_after
        if after is not None and after <= signed_in_at and after <= now <= after + GOOD_FOR:
            return True
        anew = bool(self.prompt & {"login", "select_account"})
        return not anew and (self.max_age is None or now - signed_in_at < self.max_age)


def wrong_with(sent: Sent, client: Client, issuer: str) -> Wrong | None:
    """The first thing that is wrong with a request of a known client and redirect URI."""
    return (
        _not_supported(sent)
        or _response(sent)
        or _challenge(sent)
        or _scope(sent, client)
        or _resource(sent, client, issuer)
        or _prompt(sent)
        or _details(sent)
    )


def read(sent: Sent, now: datetime) -> AuthorizationRequest:
    """Of parameters that nothing is wrong with; a time to come is no time that the person was sent away at."""
    max_age, after = sent.get("max_age"), sent.get(SIGNED_IN_AFTER, "")
    sent_away_at = int(after) if _SECONDS.fullmatch(after) else None
    return AuthorizationRequest(
        redirect_uri=sent["redirect_uri"],
        state=sent.get("state"),
        scopes=frozenset(map(Scope, sent["scope"].split())),
        challenge=sent["code_challenge"],
        nonce=sent.get("nonce"),
        resource=sent.get("resource"),
        prompt=frozenset(sent.get("prompt", "").split()),
        max_age=timedelta(seconds=int(max_age)) if max_age else None,
        signed_in_after=datetime.fromtimestamp(sent_away_at, now.tzinfo) if sent_away_at is not None else None,
    )


def _not_supported(sent: Sent) -> Wrong | None:
    for name, error in _NOT_SUPPORTED.items():
        if name in sent:
            return Wrong(error, f"The parameter {name} is not supported; send each parameter by itself.")
    return None


def _response(sent: Sent) -> Wrong | None:
    if "response_type" not in sent:
        return Wrong("invalid_request", "response_type is missing; it must be code.")
    if sent["response_type"] != "code":
        return Wrong("unsupported_response_type", "response_type must be code.")
    if sent.get("response_mode", "query") != "query":
        return Wrong("invalid_request", "response_mode must be query.")
    return None


def _challenge(sent: Sent) -> Wrong | None:
    if "code_challenge" not in sent:
        return Wrong("invalid_request", "code_challenge is missing; every client must use PKCE.")
    if sent.get("code_challenge_method") != "S256":
        return Wrong("invalid_request", "code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(sent["code_challenge"]):
        return Wrong("invalid_request", "code_challenge must be a SHA-256 in base64url without padding.")
    return None


def _scope(sent: Sent, client: Client) -> Wrong | None:
    asked = set(sent.get("scope", "").split())
    if not asked:
        return Wrong("invalid_scope", "scope is missing; name what the application needs.")
    if not asked <= set(Scope):
        return Wrong("invalid_scope", "One of the scopes is unknown.")
    if not asked <= client.scopes | IDENTITY_SCOPES:
        return Wrong("invalid_scope", "One of the scopes is not among those that the application is registered for.")
    return None


def _resource(sent: Sent, client: Client, issuer: str) -> Wrong | None:
    """RFC 8707."""
    resource = sent.get("resource", issuer)
    if resource == client.resource or resource.removesuffix("/") in (issuer, f"{issuer}/graphql"):
        return None
    return Wrong("invalid_target", "resource must be this API, or the resource server of the application.")


def _prompt(sent: Sent) -> Wrong | None:
    """OpenID Connect Core 1.0, section 3.1.2.1."""
    asked = set(sent.get("prompt", "").split())
    if not asked <= _PROMPTS:
        return Wrong("invalid_request", "prompt must be of none, login, consent and select_account.")
    if "none" in asked and len(asked) > 1:
        return Wrong("invalid_request", "prompt cannot be none and something else.")
    return None


def _details(sent: Sent) -> Wrong | None:
    if not _SECONDS.fullmatch(sent.get("max_age", "0")):
        return Wrong("invalid_request", "max_age must be a number of seconds.")
    nonce = sent.get("nonce", "")
    if len(nonce) > NONCE_LIMIT or not nonce.isprintable():
        return Wrong("invalid_request", f"nonce must have at most {NONCE_LIMIT} printable characters.")
    return None

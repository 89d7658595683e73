"""Who sends a request: a client as Authlib asks about it, and the ways in which it can prove itself."""

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.authenticate_client import ClientAuthentication
from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from api.oauth.form import BASIC, NONE, POST, SIGNED, Sent
from domain.model.access import Client
from domain.model.issuing import Proof
from domain.model.tokens import digest
from domain.ports import Clock
from domain.usecases.proving import Prove

CONFIDENTIAL = [BASIC, POST, SIGNED]
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
"""Of what clients sign: nothing that a client and the server would share a secret for."""
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = timedelta(minutes=5)
"""How far ahead a signed proof may expire."""
LEEWAY = timedelta(seconds=30)
"""How far clocks may differ."""

_NOBODY = digest("nobody")
_MALFORMED = (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError)
"""What keys and claims raise that are not what they should be."""


class _Algorithms(JWSRegistry):
    """Those above and no other. The registry's own look-up warns of EdDSA, the older name of Ed25519 (RFC 9864)."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


class SentRequest(OAuth2Request):
    """What was sent, as Authlib reads it; `uri` is the public address of where it was sent."""

    def __init__(self, uri: str, sent: Sent) -> None:
        super().__init__("POST", uri, headers={"Authorization": sent.authorization})
        self.payload = BasicOAuth2Payload(sent.form)

    @property
    def form(self) -> dict[str, str]:
        form: dict[str, str] = self.payload.data
        return form


class Applicant(ClientMixin):
    """Stands for an unknown client too: its secret is then compared with one that nobody has."""

    def __init__(self, client_id: str, client: Client | None, now: datetime) -> None:
        self.client_id = client_id
        self.client = client
        self.now = now
        self.proof = Proof()

    def get_client_id(self) -> str:
        return self.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        """Of several good ones while one replaces another, none is told from the others by the time it takes."""
        shown = digest(client_secret)
        good = self.client.secrets(self.now) if self.client else ()
        fits = [hmac.compare_digest(shown, each) for each in good or (_NOBODY,)]
        return any(fits) and self.client is not None

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """A client with keys proves itself by them alone, a public one by nothing at all."""
        if self.client is None:
            return False
        if self.client.jwks is not None:
            return method == SIGNED
        return method == NONE if self.client.public else method in (BASIC, POST)


def proof_in(sent: Sent, endpoint: str, audiences: Sequence[str], clock: Clock, *, public: bool = True) -> Prove:
    """Looks at what was sent to an endpoint for one client; `public` says whether those without a secret may use it."""

    def prove(client: Client | None) -> Proof | None:
        applicant = Applicant(sent.client_id, client, clock())
        authentication = ClientAuthentication(lambda _: applicant)
        authentication.register(SIGNED, _signed(audiences))
        if sent.method == NONE and not public:
            return None
        try:
            authentication(SentRequest(endpoint, sent), [sent.method])
        except InvalidClientError:
            return None
        return applicant.proof

    return prove


def _signed(audiences: Sequence[str]) -> Callable[[Callable[[str], Applicant], SentRequest], Applicant | None]:
    """RFC 7523, section 3, with one audience alone, so that a proof for another server is none for this one."""

    def authenticate(named: Callable[[str], Applicant], request: SentRequest) -> Applicant | None:
        applicant = named("")
        client = applicant.client
        if client is None or client.jwks is None or request.form.get("client_assertion_type") != ASSERTION_TYPE:
            return None
        try:
            keys = KeySet.import_key_set(dict(client.jwks))  # type: ignore[arg-type]
            claims = jwt.decode(request.form["client_assertion"], keys, registry=_Algorithms()).claims
            applicant.proof = _proof(claims, applicant, audiences)
        except _MALFORMED:
            return None
        return applicant

    return authenticate


def _proof(claims: dict[str, Any], applicant: Applicant, audiences: Sequence[str]) -> Proof:
    """ValueError, TypeError, KeyError or OverflowError when a claim is missing or wrong."""
    aud, now = claims["aud"], applicant.now.timestamp()
    aud = aud[0] if isinstance(aud, list) and len(aud) == 1 else aud
    if aud not in audiences or {claims["iss"], claims["sub"]} != {applicant.client_id}:
        raise ValueError("for somebody else, or about somebody else")
    leeway, expires = LEEWAY.total_seconds(), float(claims["exp"])
    starts = max(float(claims.get("nbf", now)), float(claims.get("iat", now)))
    if not now - leeway < expires <= now + LONGEST.total_seconds() + leeway or starts > now + leeway:
        raise ValueError("not good now, or for too long")
    if not isinstance(claims["jti"], str) or not 0 < len(claims["jti"]) <= 255:
        raise ValueError("without an id")
    return Proof(claims["jti"], datetime.fromtimestamp(expires, applicant.now.tzinfo) + LEEWAY)

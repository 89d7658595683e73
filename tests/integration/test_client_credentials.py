"""Tokens for a client's credentials, over real sockets: asked for as RFC 6749 (section 4.4) and Microsoft's guide of
the client credentials flow have it, kept until they are about to end, and told to no one else.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from domain.errors import CredentialRejected, UpstreamError, UpstreamUnavailable
from domain.model.secret import Secret
from domain.ports import Target
from infrastructure.providers.forms import secret_in
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.client_credentials import MARGIN, Grant, client_credentials
from infrastructure.providers.signing.tokens import Tokens
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving

ID = "azure_openai"
ANSWER = {"choices": [{"message": {"content": "There."}, "finish_reason": "stop"}]}
CANARY = "canary-0123456789"
FORM = {
    "openai_api_base": "https://r.openai.azure.com",
    "auth_method": "entra_id_service_principal",
    "azure_client_id": "client",
    "azure_tenant_id": "tenant",
    "azure_client_secret": CANARY,
}
ASKED = {"grant_type": "client_credentials", "client_id": "client", "client_secret": CANARY, "scope": "all"}


@dataclass
class Vendor:
    """Signs in at /token, with `refusal` if there is one, and chats elsewhere, with the status `chat`."""

    refusal: tuple[int, Any] | None = None
    lasts: Any = 3600
    chat: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> JSONResponse:
        if request.url.path != "/token":
            self.bearers.append(request.headers["authorization"])
            return JSONResponse(ANSWER if self.chat == 200 else {"error": {"message": "no"}}, self.chat)
        self.asked.append({name: str(value) for name, value in (await request.form()).items()})
        if self.refusal:
            return JSONResponse(self.refusal[1], self.refusal[0])
        token = f"token-{len(self.asked)}"
        return JSONResponse({"token_type": "Bearer", "access_token": token, "expires_in": self.lasts})


@dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def asking(vendor: Vendor, clock: Seconds | None = None) -> AsyncIterator[HttpGateway]:
    async with serving(vendor) as url:
        sign = client_credentials(
            ID,
            lambda form: Grant(f"{url}/token", "client", secret_in(form, "azure_client_secret"), "all"),
            Tokens(MARGIN, clock or Seconds()),
        )
        adapter = replace(ADAPTERS[ID], base_url=lambda _: f"{url}/openai", sign=sign)
        async with gateway(adapters={ID: adapter}) as subject:
            yield subject


def target(secret: str = CANARY) -> Target:
    return rec.target(ID, "d", {**FORM, "azure_client_secret": secret})


async def test_a_token_is_asked_for_once_and_signs_every_call() -> None:
    vendor = Vendor()
    async with asking(vendor) as subject:
        for _ in range(3):
            assert (await subject.chat(target(), rec.asking("Hi"))).text == "There."
    assert vendor.asked == [ASKED]
    assert vendor.bearers == ["Bearer token-1"] * 3


@pytest.mark.parametrize(("lasts", "held"), [(3600, 3600 - MARGIN), ("soon", 3600 - MARGIN), (0, 0)])
async def test_a_token_is_used_until_it_is_about_to_end(lasts: Any, held: float) -> None:
    vendor, clock = Vendor(lasts=lasts), Seconds()
    async with asking(vendor, clock) as subject:
        await subject.chat(target(), rec.asking("Hi"))
        clock.now = held
        await subject.chat(target(), rec.asking("Hi"))
    assert vendor.bearers == ["Bearer token-1", "Bearer token-2"]


async def test_a_token_is_not_told_to_another_secret() -> None:
    vendor = Vendor()
    async with asking(vendor) as subject:
        await subject.chat(target(), rec.asking("Hi"))
        await subject.chat(target("another-secret"), rec.asking("Hi"))
    assert [asked["client_secret"] for asked in vendor.asked] == [CANARY, "another-secret"]


async def test_a_token_that_is_refused_is_forgotten() -> None:
    vendor = Vendor(chat=401)
    async with asking(vendor) as subject:
        for _ in range(2):
            with pytest.raises(CredentialRejected):
                await subject.chat(target(), rec.asking("Hi"))
    assert vendor.bearers == ["Bearer token-1", "Bearer token-2"]


WRONG = f"AADSTS7000215: Invalid client secret provided: {CANARY}. Trace ID: 1"


@pytest.mark.parametrize(
    ("refusal", "meaning", "told"),
    [
        ((401, {"error": "invalid_client", "error_description": WRONG}), CredentialRejected, "invalid_client, AADST"),
        ((400, {"error": "unauthorized_client"}), CredentialRejected, "unauthorized_client"),
        ((503, {"error": "temporarily_unavailable"}), UpstreamUnavailable, "temporarily_unavailable"),
        ((200, {"token_type": "Bearer"}), UpstreamUnavailable, "status 200"),
        ((200, [CANARY]), UpstreamUnavailable, "status 200"),
    ],
)
async def test_a_refused_sign_in_tells_its_code_and_no_secret(
    refusal: tuple[int, Any], meaning: type[UpstreamError], told: str
) -> None:
    vendor = Vendor(refusal)
    async with asking(vendor) as subject:
        with pytest.raises(meaning) as caught:
            await subject.chat(target(), rec.asking("Hi"))
    assert caught.value.detail.startswith(f"no token was given: {told}")
    assert (caught.value.provider, caught.value.sent, vendor.bearers) == (ID, False, [])
    assert CANARY not in repr(caught.value) + caught.value.message


def test_no_secret_is_shown() -> None:
    grant = Grant("https://login.example", "client", Secret(CANARY), "all")
    auth = client_credentials(ID, lambda _: grant)({})
    assert auth
    assert not auth.requires_response_body
    assert CANARY not in repr(auth) + repr(vars(auth)) + repr(grant)


def test_only_so_many_tokens_are_held() -> None:
    tokens = Tokens(MARGIN, Seconds())
    grants = [Grant("https://login.example", str(number), Secret("s"), "all") for number in range(1025)]
    for grant in grants:
        tokens.keep(grant.name, Secret("t"), 3600)
    assert tokens.find(grants[0].name) is None
    assert tokens.find(grants[-1].name) == Secret("t")

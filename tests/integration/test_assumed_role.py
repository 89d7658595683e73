"""Keys of a role that a tenant's own keys assume, over real sockets: asked for as boto3 does, kept until they are about
to end, and lent to no one else.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from domain.errors import CredentialRejected, UpstreamError, UpstreamUnavailable
from domain.model.catalogue import FormValues
from domain.ports import Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.signing.assumed_role import MARGIN, AssumedRole, Role
from infrastructure.providers.signing.sigv4 import SigV4, keys_in
from infrastructure.providers.signing.tokens import Tokens
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving

ID = "aws_bedrock"
FILE = json.loads((Path(__file__).parents[1] / f"contract/{ID}/sdk_requests.sts.json").read_text())
(RECORDED,) = FILE["calls"]
(REFUSED,) = FILE["refusals"]
LENT = RECORDED["reply_replayed"]["body"]
END = datetime(2026, 11, 26, 23, 28, 33, 359_000, UTC).timestamp()
NOW = END - 3_600
ARN, EXTERNAL_ID, CANARY = "arn:aws:iam::123456789012:role/demo", "123ABC", "canary-0123456789"
PAIR = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": CANARY, "aws_region": "eu-west-1"}
ANSWER = {"output": {"message": {"role": "assistant", "content": [{"text": "There."}]}}, "stopReason": "end_turn"}


@dataclass
class Amazon:
    """Lends keys at /, with another answer if there is one, and converses elsewhere, where a fault may be named."""

    told: tuple[int, str] = (200, LENT)
    fault: str = ""
    asked: list[Request] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    calls: list[Request] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path == "/":
            self.asked.append(request)
            self.forms.append((await request.body()).decode())
            return Response(self.told[1], self.told[0], media_type="text/xml")
        self.calls.append(request)
        if self.fault:
            return JSONResponse({"message": "no"}, 403, {"x-amzn-errortype": self.fault})
        return JSONResponse(ANSWER)


@dataclass
class Seconds:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def asking(amazon: Amazon, clock: Seconds | None = None) -> AsyncIterator[HttpGateway]:
    tokens = Tokens(MARGIN, clock or Seconds())
    async with serving(amazon) as url:

        def sign(form: FormValues) -> AssumedRole:
            role = Role(str(form["assume_role_arn"]), EXTERNAL_ID, "eu-west-1", f"{url}/")
            return AssumedRole(ID, keys_in(form), role, lambda lent: SigV4(lent, "eu-west-1", "bedrock"), tokens)

        async with gateway(adapters={ID: replace(ADAPTERS[ID], base_url=lambda _: url, sign=sign)}) as subject:
            yield subject


def target(secret: str = CANARY, arn: str = ARN) -> Target:
    form = {**PAIR, "aws_secret_access_key": secret, "assume_role_arn": arn}
    return rec.target(ID, "amazon.nova-lite-v1:0", form)


def claim(request: Request) -> str:
    """Whose keys signed it, and for what."""
    return request.headers["authorization"].split("Credential=")[1].split(",")[0]


async def test_the_keys_are_asked_for_as_boto3_does() -> None:
    amazon = Amazon()
    async with asking(amazon) as subject:
        assert (await subject.chat(target(), rec.asking("Hi"))).text == "There."
    (asked,), (form,) = amazon.asked, amazon.forms
    theirs = RECORDED["request"]
    assert (asked.method, parse_qsl(form)) == (theirs["method"], parse_qsl(theirs["body"]))
    assert asked.headers["content-type"] == theirs["headers"]["content-type"]
    assert claim(asked) == "AKIDEXAMPLE/20261126/eu-west-1/sts/aws4_request"
    assert "x-amz-security-token" not in asked.headers


async def test_the_role_signs_what_is_sent_and_its_keys_are_asked_for_once() -> None:
    amazon = Amazon()
    async with asking(amazon) as subject:
        for _ in range(3):
            await subject.chat(target(), rec.asking("Hi"))
    assert len(amazon.asked) == 1
    assert all(claim(call).startswith("ASIAIOSFODNN7EXAMPLE/") for call in amazon.calls)
    assert all(call.headers["x-amz-security-token"].startswith("AQoDYXdzEPT//") for call in amazon.calls)
    assert CANARY not in str([[call.headers for call in calls] for calls in (amazon.asked, amazon.calls)])


@pytest.mark.parametrize(("at", "asked"), [(END - MARGIN - 1, 1), (END - MARGIN, 2)])
async def test_lent_keys_are_used_until_they_are_about_to_end(at: float, asked: int) -> None:
    amazon, clock = Amazon(), Seconds()
    async with asking(amazon, clock) as subject:
        await subject.chat(target(), rec.asking("Hi"))
        clock.now = at
        await subject.chat(target(), rec.asking("Hi"))
    assert len(amazon.asked) == asked


async def test_keys_are_lent_to_no_other_pair_and_for_no_other_role() -> None:
    amazon = Amazon()
    async with asking(amazon) as subject:
        for whose in (target(), target("another"), target(arn="arn:aws:iam::123456789012:role/other")):
            await subject.chat(whose, rec.asking("Hi"))
    assert len(amazon.asked) == 3


@pytest.mark.parametrize(("fault", "asked"), [("ExpiredTokenException", 2), ("AccessDeniedException", 1)])
async def test_keys_that_have_ended_are_forgotten(fault: str, asked: int) -> None:
    amazon = Amazon(fault=fault)
    async with asking(amazon) as subject:
        for _ in range(2):
            with pytest.raises(CredentialRejected):
                await subject.chat(target(), rec.asking("Hi"))
    assert len(amazon.asked) == asked


@pytest.mark.parametrize(
    ("told", "meaning", "code"),
    [
        ((REFUSED["status"], REFUSED["body"]), CredentialRejected, "AccessDenied"),
        ((400, REFUSED["body"].replace("AccessDenied", "Throttling")), UpstreamUnavailable, "Throttling"),
        ((503, "<html>"), UpstreamUnavailable, "status 503"),
        ((200, LENT.replace("SessionToken", "Other")), UpstreamUnavailable, "status 200"),
        ((200, '{"Code": "x"}'), UpstreamUnavailable, "status 200"),
    ],
)
async def test_a_role_that_is_not_given_tells_its_code_and_no_secret(
    told: tuple[int, str], meaning: type[UpstreamError], code: str
) -> None:
    amazon = Amazon(told)
    async with asking(amazon) as subject:
        with pytest.raises(meaning) as caught:
            await subject.chat(target(), rec.asking("Hi"))
    assert caught.value.detail == f"no token was given: {code}"
    assert (caught.value.sent, amazon.calls) == (False, [])
    assert CANARY not in repr(caught.value) + caught.value.message


@pytest.mark.parametrize("provider", ["aws_bedrock", "amazon_sagemaker"])
def test_sts_is_asked_in_the_region_of_the_form_and_nowhere_else(provider: str) -> None:
    form = rec.target(provider, "m", {**PAIR, "assume_role_arn": ARN}).form
    auth = ADAPTERS[provider].sign(form)
    assert isinstance(auth, AssumedRole)
    question = auth.question(httpx2.Request("GET", "https://h.example/"))
    assert str(question.url) == "https://sts.eu-west-1.amazonaws.com/"
    assert "ExternalId" not in question.content.decode()
    assert CANARY not in repr(auth) + repr(vars(auth))

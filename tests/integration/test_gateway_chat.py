"""A whole chat through the gateway: what is sent, what comes back, and each way of a vendor to fail."""

import traceback
from dataclasses import replace
from urllib.parse import quote

import httpx2
import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    EndpointForbidden,
    FieldProblem,
    InvalidForm,
    InvalidRange,
    ModelNotFoundUpstream,
    NotFound,
    StreamBroken,
    UnsupportedFeature,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from domain.model.calls import EmbedCall, Tool
from domain.model.catalogue import FormValues, ModelRef, ModelType
from domain.ports import Target
from infrastructure.http import egress
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.spec import ErrorReply
from tests.gateways import LIMITS, bench, gateway
from tests.stubs import plain
from tests.stubs.serve import serving
from tests.stubs.vendor import Vendor

CLOSED = "http://127.0.0.1:1"


async def test_the_answer_comes_back() -> None:
    async with bench() as at:
        answer = await at.gateway.chat(plain.target(at.url), plain.asking("Hello?"))
        assert at.vendor.bill == {"sk-good": 1}
    assert answer.text == "".join(f"word{n} " for n in range(8))
    assert answer.usage.output == 8
    assert at.vendor.seen[0]["messages"] == [{"role": "user", "content": "Hello?"}]


async def test_what_was_left_out_is_told() -> None:
    asked = replace(plain.asking(), tools=(Tool("t", None, {}),))
    async with bench() as at:
        assert (await at.gateway.chat(plain.target(at.url), asked)).warnings == ("tools were left out",)


@pytest.mark.parametrize(
    ("model", "kind", "status", "detail"),
    [
        ("fail-400", BadRequestUpstream, 400, "the request cannot be taken"),
        ("fail-401", CredentialRejected, 401, "Incorrect API key provided"),
        ("fail-402", UpstreamPaymentRequired, 402, "no balance left"),
        ("fail-404", ModelNotFoundUpstream, 404, "no such model"),
        ("fail-429", UpstreamRateLimited, 429, "slow down"),
        ("fail-500", UpstreamUnavailable, 500, "something broke"),
        ("fail-503", UpstreamUnavailable, 503, "come back later"),
        ("fail-context", ContextTooLong, 400, "8 tokens"),
        ("html-502", UpstreamUnavailable, 502, "Bad gateway"),
        ("html", BadRequestUpstream, 200, "web page"),
        ("garbage", BadRequestUpstream, 200, "not JSON"),
        ("empty", BadRequestUpstream, 200, "not JSON"),
        ("bad-utf8", BadRequestUpstream, 200, "not JSON"),
        ("list", BadRequestUpstream, 200, "unexpected form"),
        ("error-in-200", BadRequestUpstream, 200, "quota is used up"),
        ("redirect", BadRequestUpstream, 302, "redirects"),
        ("bomb", BadRequestUpstream, 200, "compressed"),
        ("huge", BadRequestUpstream, 200, "longer than 1048576 bytes"),
        ("truncated-stream", StreamBroken, 200, "ended before"),
    ],
)
async def test_a_failure_has_its_own_kind(model: str, kind: type[UpstreamError], status: int, detail: str) -> None:
    async with bench() as at:
        with pytest.raises(kind) as caught:
            await at.gateway.chat(plain.target(at.url, model), plain.asking())
    failure = caught.value
    assert type(failure) is kind
    assert (failure.provider, failure.status, failure.sent) == ("plain", status, True)
    assert detail in failure.detail


async def test_the_wait_a_vendor_asks_for_is_passed_on() -> None:
    async with bench() as at:
        with pytest.raises(UpstreamRateLimited) as caught:
            await at.gateway.chat(plain.target(at.url, "fail-429"), plain.asking())
    assert caught.value.retry_after == 30


async def test_a_vendor_that_never_answers_times_out() -> None:
    async with bench(read=0.05) as at:
        with pytest.raises(UpstreamTimeout) as caught:
            await at.gateway.chat(plain.target(at.url, "slow"), plain.asking())
    assert (caught.value.sent, caught.value.status) == (True, None)


async def test_an_answer_that_drips_on_ends_at_the_total_time() -> None:
    limits = replace(LIMITS, total=0.1, whole=2**30)
    async with bench(limits) as at:
        with pytest.raises(UpstreamTimeout, match=r"within 0\.1 seconds"):
            await at.gateway.chat(plain.target(at.url, "endless"), plain.asking())


async def test_a_closed_port_is_unavailable_and_nothing_was_sent() -> None:
    async with gateway() as subject:
        with pytest.raises(UpstreamUnavailable) as caught:
            await subject.chat(plain.target(CLOSED), plain.asking())
    assert caught.value.sent is False


async def test_a_name_that_does_not_resolve_is_unavailable_and_nothing_was_sent() -> None:
    async with gateway() as subject:
        with pytest.raises(UpstreamUnavailable, match="cannot be resolved") as caught:
            await subject.chat(plain.target("http://name with blanks.invalid"), plain.asking())
    assert caught.value.sent is False


async def test_plain_http_where_tls_is_spoken_is_told_apart() -> None:
    async with serving(Vendor()) as url, gateway() as subject:
        with pytest.raises(UpstreamUnavailable, match="TLS") as caught:
            await subject.chat(plain.target(url.replace("http:", "https:")), plain.asking())
    assert caught.value.sent is False


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]"])
async def test_a_forbidden_address_is_named_as_such_and_nothing_was_sent(host: str) -> None:
    vendor = Vendor()
    async with serving(vendor) as url, egress() as client:
        subject = HttpGateway({"plain": plain.adapter()}, client, LIMITS)
        with pytest.raises(EndpointForbidden) as caught:
            await subject.probe("plain", plain.target(url.replace("127.0.0.1", host)).form, None)
    assert caught.value.sent is False
    assert vendor.seen == []


@pytest.mark.parametrize(
    "address",
    [
        "http://",
        "http:///v1",
        "ftp://127.0.0.1",
        "http://user:pass@127.0.0.1",
        "http://127.0.0.1?x=1",
        "http://127.0.0.1#x",
        "http://127.0.0.1:99999",
        "http://[::1",
        "127.0.0.1",
        "",
    ],
)
async def test_an_address_of_no_use_is_a_fault_of_the_form(address: str) -> None:
    async with gateway() as subject:
        form = {**plain.target("").form, "address": address}
        with pytest.raises(InvalidForm) as caught:
            subject.endpoint("plain", form)
        with pytest.raises(InvalidForm):
            await subject.probe("plain", form, None)
    assert [problem.field for problem in caught.value.problems] == ["address"]


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://api.vendor.test/v1", "https://api.vendor.test"),
        ("https://API.Vendor.test:443/v1/", "https://api.vendor.test"),
        ("http://vendor.test:8080", "http://vendor.test:8080"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
    ],
)
async def test_the_endpoint_is_the_origin(address: str, origin: str) -> None:
    async with gateway() as subject:
        assert subject.endpoint("plain", {**plain.target("").form, "address": address}) == origin


async def test_base_and_path_meet_in_one_slash() -> None:
    async with bench() as at:
        form = {**plain.target(at.url).form, "address": f"{at.url}/v1//"}
        await at.gateway.probe("plain", form, None)


async def test_a_probe_passes_with_a_good_key_and_fails_with_a_bad_one() -> None:
    async with bench() as at:
        await at.gateway.probe("plain", plain.target(at.url).form, None)
        with pytest.raises(CredentialRejected):
            await at.gateway.probe("plain", plain.target(at.url, key="sk-bad").form, None)


async def test_an_unknown_provider_is_not_found() -> None:
    target = Target(ModelRef("nobody", "m", ModelType.LLM), {})
    async with gateway() as subject:
        with pytest.raises(NotFound):
            await subject.chat(target, plain.asking())
        with pytest.raises(NotFound):
            subject.endpoint("nobody", {})


async def test_what_a_vendor_does_not_speak_is_unsupported() -> None:
    mute = replace(plain.adapter(), chat=None, embed=None)
    async with gateway(adapters={"plain": mute}) as subject:
        with pytest.raises(UnsupportedFeature, match="chat"):
            await subject.chat(plain.target(CLOSED), plain.asking())
        with pytest.raises(UnsupportedFeature, match="embeddings"):
            await subject.embed(plain.target(CLOSED), EmbedCall(("a",)))


async def test_text_that_json_cannot_carry_is_invalid_input() -> None:
    async with bench() as at:
        with pytest.raises(InvalidRange, match="Unicode"):
            await at.gateway.chat(plain.target(at.url), plain.asking("half a pair \ud83c"))
        assert at.vendor.seen == []


async def test_a_refusal_that_the_adapter_cannot_read_is_still_typed() -> None:
    def stumbling(provider: str, reply: ErrorReply) -> UpstreamError:
        raise KeyError(reply.body["error"]["message"])

    async with (
        serving(Vendor()) as url,
        gateway(adapters={"plain": replace(plain.adapter(), error=stumbling)}) as subject,
    ):
        with pytest.raises(BadRequestUpstream) as caught:
            await subject.chat(plain.target(url, "fail-401"), plain.asking())
    assert caught.value.status == 401


async def test_a_signer_may_find_fault_with_the_form() -> None:
    def refusing(form: FormValues) -> httpx2.Auth | None:
        raise InvalidForm((FieldProblem("key", "is not a service account"),))

    async with (
        serving(Vendor()) as url,
        gateway(adapters={"plain": replace(plain.adapter(), sign=refusing)}) as subject,
    ):
        with pytest.raises(InvalidForm):
            await subject.chat(plain.target(url), plain.asking())


@pytest.mark.parametrize("key", ["sk-good", 'sk-"quoted"\\back', "sk/with+signs=&%20 and blank"])
@pytest.mark.parametrize("model", ["echo-key", "fail-401", "slow", "garbage"])
async def test_no_failure_shows_the_key(key: str, model: str) -> None:
    async with bench(read=0.05) as at:
        with pytest.raises(UpstreamError) as caught:
            await at.gateway.chat(plain.target(at.url, model, key=key), plain.asking())
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert not [spelling for spelling in (key, repr(key)[1:-1], quote(key, safe="")) if spelling in shown]
    assert ("Bearer ••••" in shown) is (model == "echo-key")


async def test_a_key_in_the_address_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    def in_query(request: httpx2.Request) -> httpx2.Request:
        request.url = request.url.copy_merge_params({"key": "sk-canary"})
        return request

    signed = replace(plain.adapter(), sign=lambda _: httpx2.FunctionAuth(in_query))
    async with serving(Vendor(keys=[""])) as url, gateway(adapters={"plain": signed}) as subject:
        await subject.chat(plain.target(url), plain.asking())
    assert "sk-canary" not in caplog.text

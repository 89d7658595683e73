"""What goes wrong on the way to a vendor, seen from a tenant's application and from the operator's logs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from demo import documents as gql
from tests.databases import Urls
from tests.e2e.portunus import PLATFORM_KEY, Client, Served, environment, served, serving
from tests.stubs.serve import serving as serving_stub
from tests.stubs.vendor import Vendor

CANARY = "sk-canary-4f1d0a7be2c94c55"
HELLO = [{"role": "USER", "content": "hi"}]
TRIAL = {"model": {"provider": "openai", "name": "gpt-3.5-turbo"}, "messages": HELLO}
QUOTA = "{ quotas { nodes { used held free } } }"
SECRETS = (CANARY, PLATFORM_KEY)


@asynccontextmanager
async def vendor(**habits: Any) -> AsyncIterator[tuple[Vendor, str]]:
    stub = Vendor(keys=SECRETS, words=20, **habits)
    async with serving_stub(stub) as url:
        yield stub, url


@asynccontextmanager
async def tenant(portunus: Served) -> AsyncIterator[Client]:
    async with portunus.client_of(portunus.open_tenant("Acme")) as client:
        yield client


async def bring_key(client: Client, url: str) -> None:
    fields = [{"name": "openai_api_key", "value": CANARY}, {"name": "openai_api_base", "value": url}]
    added = await client.ask(gql.ADD_CREDENTIAL, input={"provider": "openai", "name": "main", "fields": fields})
    assert "credential" in added["addCredential"], added


async def until(client: Client, settled: Callable[[dict[str, int]], bool]) -> dict[str, int]:
    """The quota once it is as wanted."""
    async with asyncio.timeout(20):
        while True:
            quota: dict[str, int] = {
                name: int(value) for name, value in (await client.ask(QUOTA))["quotas"]["nodes"][0].items()
            }
            if settled(quota):
                return quota
            await asyncio.sleep(0.02)


WHOLE = {
    "fail-401": "CREDENTIAL_REJECTED",
    "fail-402": "UPSTREAM_PAYMENT_REQUIRED",
    "fail-404": "MODEL_NOT_FOUND_UPSTREAM",
    "fail-429": "UPSTREAM_RATE_LIMITED",
    "fail-500": "UPSTREAM_UNAVAILABLE",
    "fail-503": "UPSTREAM_UNAVAILABLE",
    "fail-context": "CONTEXT_TOO_LONG",
    "slow": "UPSTREAM_TIMEOUT",
    "garbage": "BAD_REQUEST_UPSTREAM",
    "html": "BAD_REQUEST_UPSTREAM",
    "html-502": "UPSTREAM_UNAVAILABLE",
    "redirect": "BAD_REQUEST_UPSTREAM",
    "bomb": "BAD_REQUEST_UPSTREAM",
    "huge": "BAD_REQUEST_UPSTREAM",
    "bad-utf8": "BAD_REQUEST_UPSTREAM",
    "echo-key": "BAD_REQUEST_UPSTREAM",
}
STREAMED = {
    "fail-401": "CREDENTIAL_REJECTED",
    "truncated-stream": "STREAM_BROKEN",
    "unfinished-stream": "STREAM_BROKEN",
    "half-event": "STREAM_BROKEN",
    "error-in-stream": "UPSTREAM_UNAVAILABLE",
    "bad-utf8-stream": "BAD_REQUEST_UPSTREAM",
    "garbage-stream": "BAD_REQUEST_UPSTREAM",
    "endless": "UPSTREAM_TIMEOUT",
    "echo-key": "BAD_REQUEST_UPSTREAM",
}


async def test_every_failure_of_a_vendor_is_a_typed_problem_and_shows_no_secret(
    postgres_urls: Urls, tmp_path: Path
) -> None:
    document = gql.CHAT.replace("code message", "code message ... on UpstreamRateLimited { retryAfter }")
    async with vendor() as (_, url):
        settings = environment(
            postgres_urls, url, PORTUNUS_CALL_SECONDS="4", PORTUNUS_HOLD_SECONDS="60", PORTUNUS_LOG_LEVEL="DEBUG"
        )
        with served(settings, tmp_path) as portunus:
            async with tenant(portunus) as client:
                await bring_key(client, url)

                async def whole(name: str) -> Any:
                    call = {"model": {"provider": "openai", "name": name}, "messages": HELLO}
                    return (await client.ask(document, input=call))["chat"]

                async def streamed(name: str) -> list[Any]:
                    call = {"model": {"provider": "openai", "name": name}, "messages": HELLO}
                    async with client.subscribed(gql.STREAM, input=call) as events:
                        return [event["chatStream"] async for event in events]

                answers = await asyncio.gather(*map(whole, WHOLE))
                assert {n: a.get("code") for n, a in zip(WHOLE, answers, strict=True)} == WHOLE
                assert answers[list(WHOLE).index("fail-429")]["retryAfter"] == 30
                streams = await asyncio.gather(*map(streamed, STREAMED))
                assert {n: s[-1].get("code") for n, s in zip(STREAMED, streams, strict=True)} == STREAMED
                broken = streams[list(STREAMED).index("truncated-stream")]
                assert "".join(item["text"] for item in broken if item["__typename"] == "TextDelta") == "half an answ"
                told = f"{answers}{streams}"
            logged = portunus.log.read_text()
    for secret in (*SECRETS, str(client.http.headers["Authorization"]).removeprefix("Bearer ")):
        assert secret not in told
        assert secret not in logged


async def test_a_client_that_hangs_up_leaves_nothing_held_and_closes_the_upstream(urls: Urls, tmp_path: Path) -> None:
    async with vendor(delay=0.1) as (stub, url):
        with served(environment(urls, url), tmp_path) as portunus:
            async with tenant(portunus) as client:
                async with client.subscribed(gql.STREAM, input=TRIAL) as events:
                    async for event in events:
                        if event["chatStream"]["__typename"] == "TextDelta":
                            break
                quota = await until(client, lambda q: q["held"] == 0)
                assert quota == {"used": 1, "held": 0, "free": 2}
                async with asyncio.timeout(5):
                    while stub.open:
                        await asyncio.sleep(0.02)


async def test_a_client_that_hangs_up_on_a_whole_chat_is_charged_for_what_ran(urls: Urls, tmp_path: Path) -> None:
    async with vendor(delay=0.5) as (stub, url):
        with served(environment(urls, url), tmp_path) as portunus:
            async with tenant(portunus) as client:
                with pytest.raises(httpx2.ReadTimeout):
                    body = {"query": gql.CHAT, "variables": {"input": TRIAL}}
                    await client.http.post("/graphql", json=body, timeout=0.2)
                quota = await until(client, lambda q: q["used"] == 1)
                assert quota == {"used": 1, "held": 0, "free": 2}
                assert stub.bill[PLATFORM_KEY] == 1


async def test_a_killed_worker_is_charged_and_its_hold_does_not_stay(urls: Urls, tmp_path: Path) -> None:
    async with vendor(delay=30) as (_, url):
        settings = environment(
            urls, url, PORTUNUS_CALL_SECONDS="1", PORTUNUS_HOLD_SECONDS="2", PORTUNUS_SWEEP_SECONDS="0.2"
        )
        with served(settings, tmp_path) as portunus:
            opened = portunus.open_tenant("Acme")
            async with portunus.client_of(opened) as client:
                call = asyncio.create_task(client.refused(gql.CHAT, input=TRIAL))
                await until(client, lambda q: q["held"] == 1)
                portunus.kill()
                with pytest.raises(httpx2.TransportError):
                    await call
        with serving(settings, tmp_path) as again:
            async with again.client_of(opened) as client:
                quota = await until(client, lambda q: q["held"] == 0)
                assert quota == {"used": 1, "held": 0, "free": 2}


async def test_a_stop_waits_for_running_calls(postgres_urls: Urls, tmp_path: Path) -> None:
    async with vendor(delay=0.5) as (_, url):
        settings = environment(postgres_urls, url)
        with served(settings, tmp_path) as portunus:
            opened = portunus.open_tenant("Acme")
            async with portunus.client_of(opened) as client:
                call = asyncio.create_task(client.ask(gql.CHAT, input=TRIAL))
                await until(client, lambda q: q["held"] == 1)
                portunus.process.terminate()
                answer = (await call)["chat"]
                assert answer["paidBy"] == "PLATFORM"
                assert await asyncio.to_thread(portunus.process.wait, 10) in (0, -15)
        with serving(settings, tmp_path) as again:
            async with again.client_of(opened) as client:
                assert await until(client, lambda q: q["held"] == 0) == {"used": 1, "held": 0, "free": 2}

"""`python -m bench.revocation`: how long one process takes a token that another has revoked; none may for 2.5 s."""

import argparse
import asyncio
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client

from api.auth import LEASE
from demo.servers import free_port
from tests.clients.town import Land, Person, Registered, Town
from tests.databases import postgres
from tests.e2e.portunus import environment, served, serving

PROMISE = 2.5
"""Seconds: the 2 s that are promised, and what a busy machine adds."""
PAUSE = 0.005

BACK = "http://127.0.0.1:9/signed-in"
NOWHERE = "http://127.0.0.1:9"
SCOPE = "tenant:read"
WHO = {"query": "{ viewer { __typename } }"}
CREATE = """
mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { ... on CreateApiKeyPayload { key apiKey { id } } }
}"""
REVOKE = "mutation ($input: RevokeApiKeyInput!) { done: revokeApiKey(input: $input) { __typename } }"
MEMBERS = "{ members { nodes { id email } } }"
REMOVE = "mutation ($input: RemoveMemberInput!) { done: removeMember(input: $input) { __typename } }"


@dataclass(frozen=True, slots=True)
class Held:
    """A token that is good, and what ends it by way of the first process."""

    token: str
    end: Callable[[], Awaitable[object]]


@asynccontextmanager
async def access_token(acme: Town) -> AsyncIterator[Held]:
    nightly = await acme.register(name="Nightly", kind="SERVICE", scopes=[SCOPE])
    async with oauth(acme, nightly) as http:
        token = await http.fetch_token(grant_type="client_credentials")
        text = token["access_token"]
        yield Held(text, lambda: http.revoke_token(f"{acme.issuer}/oauth/revoke", token=text))


@asynccontextmanager
async def api_key(acme: Town) -> AsyncIterator[Held]:
    made = (await acme.api.ask(CREATE, input={"name": "Script", "scopes": [SCOPE]}))["createApiKey"]
    yield Held(made["key"], lambda: ended(acme, REVOKE, made["apiKey"]["id"]))


@asynccontextmanager
async def persons_token(acme: Town) -> AsyncIterator[Held]:
    """What an application holds of a member; the member is removed."""
    reports = await acme.register(BACK, name="Reports", kind="PARTNER", scopes=[SCOPE])
    async with acme.person(role="MEMBER") as ada, oauth(acme, reports) as http:
        token = await signed_in(acme, ada, http)
        members = (await acme.api.ask(MEMBERS))["members"]["nodes"]
        [member] = [each["id"] for each in members if each["email"] == ada.email]
        yield Held(token, lambda: ended(acme, REMOVE, member))


KINDS = {
    "access token, at the revocation endpoint": access_token,
    "API key, by GraphQL": api_key,
    "person's token, member removed by GraphQL": persons_token,
}


async def ended(acme: Town, mutation: str, node: str) -> None:
    done = (await acme.api.ask(mutation, input={"id": node}))["done"]
    assert done["__typename"].endswith("Payload"), done


def oauth(acme: Town, application: Registered) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        application.client_id,
        application.secret,
        redirect_uri=application.redirect_uri or None,
        scope=SCOPE,
        token_endpoint=f"{acme.issuer}/oauth/token",
        code_challenge_method="S256",
        trust_env=False,
        timeout=30,
    )


async def signed_in(acme: Town, person: Person, http: AsyncOAuth2Client) -> str:
    verifier = secrets.token_urlsafe(48)
    asked, _ = http.create_authorization_url(f"{acme.issuer}/oauth/authorize", code_verifier=verifier)
    redirected = await person.answer(asked, "allow")
    token = await http.fetch_token(authorization_response=redirected, code_verifier=verifier)
    text: str = token["access_token"]
    return text


async def latency(second: httpx2.AsyncClient, held: Held, wait: float) -> float:
    """Seconds from the answer to the revocation until the second process refuses; TimeoutError beyond the promise.

    The second process first takes the token, so that it remembers it, and again after `wait` seconds.
    """
    for pause in (wait, 0.0):
        assert await taken(second, held.token)
        await asyncio.sleep(pause)
    await held.end()
    start = time.perf_counter()
    async with asyncio.timeout(PROMISE):
        while await taken(second, held.token):
            await asyncio.sleep(PAUSE)
    return time.perf_counter() - start


async def taken(server: httpx2.AsyncClient, token: str) -> bool:
    answer = await server.post("/graphql", json=WHO, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


async def measure(land: Land, second_url: str, rounds: int) -> None:
    print(f"Until the second process refuses, in ms, {rounds} times each, at different ages of what it remembers:")
    print(f"  {'revoked':<44}{'least':>7}{'median':>8}{'most':>7}   each")
    async with land.town() as acme, httpx2.AsyncClient(base_url=second_url, trust_env=False, timeout=30) as second:
        for name, kind in KINDS.items():
            found = []
            for turn in range(rounds):
                async with kind(acme) as held:
                    found.append(1_000 * await latency(second, held, LEASE.total_seconds() * turn / rounds))
            print_row(name, found)


def print_row(name: str, found: list[float]) -> None:
    summary = f"{min(found):7.0f}{statistics.median(found):8.0f}{max(found):7.0f}"
    print(f"  {name:<44}{summary}   {' '.join(f'{each:.0f}' for each in found)}", flush=True)


@contextmanager
def two_processes(home: Path) -> Iterator[tuple[Land, str]]:
    """Both over one PostgreSQL, and the address of the second."""
    port = free_port()
    with postgres(home) as urls:
        own: Mapping[str, str] = environment(urls, NOWHERE, PORTUNUS_ISSUER=f"http://127.0.0.1:{port}")
        with served(own, home, port) as first, serving(own, home) as second:
            yield Land(first, first.open_tenant("Operator", "--operator")), second.url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="portunus-") as home, two_processes(Path(home)) as (land, second_url):
        asyncio.run(measure(land, second_url, rounds))


if __name__ == "__main__":
    main()

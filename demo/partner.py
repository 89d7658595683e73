"""A partner's application is let in by a person of the tenant, does what it may, and is shut out again."""

import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from demo import documents as gql
from demo.browser import Browser
from demo.client import Application
from demo.story import ASK, tell

BACK = "https://doorbell.example/back"
SCOPES = "models:invoke usage:read"
PERSON = {"name": "Ada", "password": "a lamp above every door"}


def let_a_partner_in(admin: Application, url: str) -> None:
    browser, address = Browser(url), "ada@acme.example"
    link = admin.ask(gql.INVITE, input={"email": address, "role": "OWNER"})["inviteMember"]["link"]
    browser.send(browser.open(link.removeprefix(url)), "create-account", **PERSON)
    terms = {"name": "Doorbell", "kind": "PARTNER", "scopes": SCOPES.split(), "redirectUris": [BACK]}
    made = admin.ask(gql.REGISTER, input=terms)["registerApplication"]
    token = _token(browser, url, made)
    tell(
        "Ada takes up an invitation, signs in, and lets a partner's application in (OAuth code with PKCE)",
        f"Doorbell has a token of hers for {token['expires_in']} s, scopes: {token['scope']}",
    )
    doorbell = _holding(url, token["access_token"])
    told = _asked(doorbell, gql.CHAT, input={"messages": [{"role": "USER", "content": ASK}], "maxTokens": 20})
    refused = _asked(doorbell, "{ credentials { nodes { name } } }")["errors"][0]
    tell(
        "The application does what she allowed, and no more",
        f"chat: {told['data']['chat']['text']!r}",
        f"credentials: {refused['extensions']['code']}, {refused['message']}",
    )
    _shut_out(admin, doorbell, made["application"]["id"])


def _token(browser: Browser, url: str, made: Any) -> dict[str, Any]:
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    client_id = made["application"]["clientId"]
    asked = {"response_type": "code", "client_id": client_id, "redirect_uri": BACK, "scope": SCOPES, "state": "demo"}
    proof = {"code_challenge": challenge, "code_challenge_method": "S256"}
    page = browser.open("/oauth/authorize?" + urlencode(asked | proof))
    back = browser.send(page, "consent", answer="allow").headers["location"]
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": verifier}
    answer = httpx2.post(f"{url}/oauth/token", data=form, auth=(client_id, made["clientSecret"]), trust_env=False)
    answer.raise_for_status()
    token: dict[str, Any] = answer.json()
    return token


def _shut_out(admin: Application, doorbell: httpx2.Client, application: str) -> None:
    (ada,) = admin.ask("{ members { nodes { id name } } }")["members"]["nodes"]
    admin.ask(gql.REVOKE, input={"applicationId": application, "memberId": ada["id"]})
    started = time.monotonic()
    while doorbell.post("/graphql", json={"query": "{ viewer { id } }"}).status_code == 200:
        time.sleep(0.05)
    waited = time.monotonic() - started
    tell("Its consent is revoked, and its token refused", f"after {waited:.1f} s, by every process within 2 s")
    entries = admin.ask("{ auditLog(first: 7) { nodes { seq action } } }")["auditLog"]["nodes"]
    tell("All of it is in the tenant's audit, in a chain", *(f"{each['seq']:>3}  {each['action']}" for each in entries))


def _holding(url: str, token: str) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.Client(base_url=url, trust_env=False, timeout=60, headers=headers)


def _asked(client: httpx2.Client, document: str, **variables: Any) -> Any:
    return client.post("/graphql", json={"query": document, "variables": variables}).json()

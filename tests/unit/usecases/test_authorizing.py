"""From an application's request to a code: every rule of the authorization endpoint, without a browser."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from domain.model.access import Client, ClientKind, Role, Scope
from domain.model.authorization import Code, Consent
from domain.model.cap import Cap, CapSubject, Period
from domain.model.ids import CapId, PersonId, TenantId
from domain.model.quota import Unit
from domain.model.tenant import Tenant
from domain.model.tokens import Kind, digest, mint
from domain.usecases.accounts import SignedIn
from domain.usecases.authorizing import Authorizing, Outcome, Redirect, Refusal, SignIn, Stranger
from domain.usecases.consenting import Question, Reply
from tests.fakes import CountedIds, FakeClock, FakeStore, TenantRows
from tests.partners import AT, BACK, CHALLENGE, request, settle, shop, signed_in, somebody

ISSUER = "https://portunus.example"
ACME, GLOBEX = Tenant(TenantId(UUID(int=1)), "Acme", AT), Tenant(TenantId(UUID(int=2)), "Globex", AT)
INVOKE, READ, WRITE = Scope.MODELS_INVOKE, Scope.TENANT_READ, Scope.MEMBERS_WRITE
ADA = somebody(UUID(int=7))


def some(*scopes: Scope) -> frozenset[Scope]:
    return frozenset(scopes)


class Door:
    """Acme with a partner's application and Ada, who just signed in."""

    def __init__(self, client: Client | None = None) -> None:
        self.store, self.clock = FakeStore(), FakeClock(AT)
        for tenant in (ACME, GLOBEX):
            self.store.rows[tenant.id].tenants.append(tenant)
        self.client = client or shop(ACME.id, UUID(int=9))
        self.rows.clients[self.client.id] = self.client
        self.me: SignedIn | None = signed_in(ADA)
        self.authorizing = Authorizing(self.store.begin, self.clock, CountedIds(), lambda size: bytes(size), ISSUER)

    @property
    def rows(self) -> TenantRows:
        return self.store.rows[ACME.id]

    async def settled(self, role: Role | None = Role.ADMIN) -> "Door":
        await settle(self.store.begin, self.store.directory, ACME, ADA, role)
        return self

    async def ask(self, **changes: str | None) -> Outcome:
        return await self.authorizing.authorize(request(self.client, **changes), self.me)

    async def reply(self, *scopes: Scope, **changes: str | None) -> Outcome:
        reply = Reply(ADA.id, frozenset(scopes))
        return await self.authorizing.authorize(request(self.client, **changes), self.me, reply)

    @property
    def code(self) -> Code:
        (code,) = self.rows.codes.values()
        return code

    def remember(self, *scopes: Scope) -> None:
        self.rows.consents[self.client.id, ADA.id] = Consent(ACME.id, self.client.id, ADA.id, frozenset(scopes), AT)


def answer(outcome: Outcome) -> dict[str, str]:
    assert isinstance(outcome, Redirect), outcome
    there, _, query = outcome.uri.partition("?")
    assert there == BACK
    found = parse_qsl(query, strict_parsing=True)
    assert len(found) == len(dict(found))
    return dict(found)


def error(outcome: Outcome) -> str:
    """Of a redirect that also has all else that it must have."""
    found = answer(outcome)
    assert set(found) == {"error", "error_description", "state", "iss"}
    assert (found["state"], found["iss"]) == ("a state = of & its own", ISSUER)
    assert found["error_description"].isascii()
    assert not set('"\\\n') & set(found["error_description"])
    return found["error"]


async def test_a_person_is_asked_before_an_application_is_let_in() -> None:
    door = await Door().settled()
    asked = await door.ask(scope="models:invoke members:write openid")
    assert isinstance(asked, Question)
    assert (asked.client, asked.tenant, asked.member.person) == (door.client, ACME, ADA)
    assert (asked.given, asked.withheld) == (some(INVOKE, WRITE, Scope.OPENID), some())
    assert asked.redirect_uri == BACK
    assert not door.rows.codes
    assert not door.rows.audit


async def test_the_question_names_the_caps_of_the_application_alone() -> None:
    door = await Door().settled()
    subjects = {1: door.client.id, 2: UUID(int=99)}
    for n, subject in subjects.items():
        cap = Cap(ACME.id, CapId(UUID(int=n)), CapSubject.APPLICATION, subject, Unit.CALLS, 10, Period.DAY, AT)
        door.rows.caps[cap.id] = cap
    asked = await door.ask()
    assert isinstance(asked, Question)
    assert [cap.id.int for cap in asked.caps] == [1]


async def test_a_yes_leaves_a_consent_a_code_and_an_entry_in_the_audit() -> None:
    door = await Door().settled()
    door.clock.advance(timedelta(minutes=5))
    found = answer(await door.reply(INVOKE, READ, nonce="n-1"))
    assert found == {"code": found["code"], "state": "a state = of & its own", "iss": ISSUER}
    assert found["code"].startswith("ptn_ac_")
    code = door.code
    assert (code.digest, code.client_id, code.person_id) == (digest(found["code"]), door.client.id, ADA.id)
    assert (code.scopes, code.challenge, code.redirect_uri) == (some(INVOKE, READ), CHALLENGE, BACK)
    assert (code.nonce, code.resource, code.signed_in_at) == ("n-1", None, AT)
    assert code.expires_at == door.clock() + timedelta(seconds=60)
    consent = door.rows.consents[door.client.id, ADA.id]
    assert (consent.scopes, consent.given_at) == (some(INVOKE, READ), door.clock())
    (entry,) = door.rows.audit
    assert (entry.deed.action, entry.deed.target) == ("consent.given", str(door.client.id))
    assert entry.deed.person_id == ADA.id


async def test_nothing_is_kept_when_the_code_cannot_be() -> None:
    door = await Door().settled()
    door.authorizing = replace(door.authorizing, randomness=lambda _: b"too short")
    with pytest.raises(ValueError, match="CODE"):
        await door.reply(INVOKE)
    assert not door.rows.consents
    assert not door.rows.audit


async def test_a_no_leaves_nothing() -> None:
    door = await Door().settled()
    assert error(await door.reply()) == "access_denied"
    assert not door.rows.consents
    assert not door.rows.codes


async def test_codes_are_never_printed() -> None:
    outcome = await (await Door().settled()).reply(INVOKE)
    assert "ptn_ac_" not in repr(outcome)


async def test_an_answer_has_no_state_where_none_was_sent() -> None:
    door = await Door().settled()
    assert set(answer(await door.reply(INVOKE, state=None))) == {"code", "iss"}
    assert set(answer(await door.reply(state=None))) == {"error", "error_description", "iss"}


@pytest.mark.parametrize(
    "client_id",
    [
        None,
        "shop",
        mint(Kind.CLIENT_ID, ACME.id, bytes(16)),
        mint(Kind.CLIENT_ID, GLOBEX.id, UUID(int=9).bytes),
        mint(Kind.CLIENT_ID, TenantId(UUID(int=3)), UUID(int=9).bytes),
        mint(Kind.CODE, ACME.id, bytes(32)),
    ],
    ids=["missing", "malformed", "unknown", "of another tenant", "of no tenant", "of another kind"],
)
async def test_an_unknown_client_is_sent_nowhere(client_id: str | None) -> None:
    door = await Door().settled()
    assert await door.ask(client_id=client_id, state="s") is Refusal.UNKNOWN_CLIENT


@pytest.mark.parametrize("kind", [ClientKind.SERVICE, ClientKind.API_KEY])
async def test_only_partners_send_people_over(kind: ClientKind) -> None:
    door = await Door(shop(ACME.id, UUID(int=9), kind=kind)).settled()
    assert await door.ask() is Refusal.UNKNOWN_CLIENT


async def test_a_suspended_application_is_sent_nowhere() -> None:
    door = await Door(shop(ACME.id, UUID(int=9), suspended_at=AT)).settled()
    assert await door.ask() is Refusal.SUSPENDED
    assert await door.reply(INVOKE) is Refusal.SUSPENDED


@pytest.mark.parametrize(
    ("uri", "refusal"),
    [
        (None, Refusal.NO_REDIRECT_URI),
        ("https://evil.example/", Refusal.UNREGISTERED_REDIRECT_URI),
        (BACK + "/", Refusal.UNREGISTERED_REDIRECT_URI),
    ],
)
async def test_a_redirect_that_is_not_registered_is_not_followed(uri: str | None, refusal: Refusal) -> None:
    door = await Door().settled()
    assert await door.ask(redirect_uri=uri, response_type="token") is refusal
    assert await door.reply(INVOKE, redirect_uri=uri) is refusal
    assert await door.reply(redirect_uri=uri) is refusal


async def test_a_native_app_gets_its_answer_at_the_port_that_it_took() -> None:
    door = await Door(shop(ACME.id, UUID(int=9), secret=None, redirect_uris=("http://127.0.0.1/cb",))).settled()
    outcome = await door.reply(INVOKE, redirect_uri="http://127.0.0.1:50123/cb")
    assert isinstance(outcome, Redirect)
    assert urlsplit(outcome.uri).port == 50_123
    assert door.code.redirect_uri == "http://127.0.0.1:50123/cb"


WRONG: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": None}, "invalid_request"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"response_mode": "form_post"}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": "s256"}, "invalid_request"),
    ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
    ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
    ({"code_challenge": CHALLENGE[:-1] + "é"}, "invalid_request"),
    ({"scope": None}, "invalid_scope"),
    ({"scope": "  "}, "invalid_scope"),
    ({"scope": "nonsense"}, "invalid_scope"),
    ({"scope": "models:invoke Models:Invoke"}, "invalid_scope"),
    ({"scope": "models:invoke audit:read"}, "invalid_scope"),
    ({"scope": "tenants:open"}, "invalid_scope"),
    ({"resource": "https://elsewhere.example"}, "invalid_target"),
    ({"resource": ISSUER + "/other"}, "invalid_target"),
    ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
    ({"registration": "{}"}, "registration_not_supported"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "create"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"max_age": "٣"}, "invalid_request"),
    ({"max_age": "9" * 11}, "invalid_request"),
    ({"nonce": "n" * 501}, "invalid_request"),
    ({"nonce": "a\x00b"}, "invalid_request"),
]


@pytest.mark.parametrize(("changes", "expected"), WRONG, ids=str)
async def test_all_else_that_is_wrong_is_told_to_the_application(changes: dict[str, str | None], expected: str) -> None:
    door = await Door().settled()
    assert error(await door.ask(**changes)) == expected
    assert error(await door.reply(INVOKE, **changes)) == expected
    door.me = None
    assert error(await door.ask(**changes)) == expected
    assert not door.rows.codes


@pytest.mark.parametrize("resource", [ISSUER, ISSUER + "/", ISSUER + "/graphql", "https://api.shop.example"])
async def test_a_token_may_be_asked_for_this_api_or_the_applications_own(resource: str) -> None:
    door = await Door(shop(ACME.id, UUID(int=9), resource="https://api.shop.example")).settled()
    answer(await door.reply(INVOKE, resource=resource))
    assert door.code.resource == resource


async def test_what_is_not_known_is_ignored() -> None:
    door = await Door().settled()
    asked = await door.ask(login_hint="ada", ui_locales="de", audience="x", response_mode="query", display="page")
    assert isinstance(asked, Question)


async def test_who_is_not_signed_in_signs_in_first() -> None:
    door = await Door().settled()
    door.me = None
    assert await door.ask() == SignIn(int(AT.timestamp()))
    assert await door.reply(INVOKE) == SignIn(int(AT.timestamp()))
    assert error(await door.ask(prompt="none")) == "login_required"


@pytest.mark.parametrize("demand", [{"prompt": "login"}, {"prompt": "select_account consent"}, {"max_age": "0"}])
async def test_a_sign_in_may_be_asked_for_anew(demand: dict[str, str]) -> None:
    door = await Door().settled()
    door.clock.advance(timedelta(seconds=10))
    sent_away = await door.ask(**demand)
    assert isinstance(sent_away, SignIn)
    back = {**demand, "signed_in_after": str(sent_away.at)}
    assert isinstance(await door.ask(**back), SignIn)
    door.me = signed_in(ADA, door.clock() + timedelta(seconds=1))
    door.clock.advance(timedelta(minutes=10))
    assert isinstance(await door.ask(**back), Question)
    assert "code" in answer(await door.reply(INVOKE, **back))
    door.clock.advance(timedelta(seconds=1))
    assert isinstance(await door.reply(INVOKE, **back), SignIn)


async def test_no_application_can_call_an_old_sign_in_new() -> None:
    door = await Door().settled()
    door.clock.advance(timedelta(hours=1))
    for after in ("0", str(int(AT.timestamp())), "9999999999", "soon", "-1"):
        assert isinstance(await door.ask(prompt="login", signed_in_after=after), SignIn)


async def test_a_sign_in_may_be_too_old_for_the_application() -> None:
    door = await Door().settled()
    door.clock.advance(timedelta(seconds=59))
    assert isinstance(await door.ask(max_age="60"), Question)
    door.clock.advance(timedelta(seconds=1))
    assert isinstance(await door.ask(max_age="60"), SignIn)
    assert error(await door.ask(max_age="60", prompt="none")) == "login_required"


async def test_who_is_no_member_lets_nothing_into_the_tenant() -> None:
    door = await Door().settled(None)
    for outcome in (await door.ask(), await door.reply(INVOKE)):
        assert isinstance(outcome, Stranger)
        assert (outcome.client, outcome.tenant, outcome.person) == (door.client, ACME, ADA)
        assert error(outcome.back) == "access_denied"
    assert error(await door.ask(prompt="none")) == "interaction_required"
    assert not door.rows.consents


async def test_a_member_of_another_tenant_is_a_stranger() -> None:
    door = await Door().settled(None)
    async with door.store.begin(GLOBEX.id) as work:
        await work.members.add(ADA.id, Role.OWNER, AT)
    assert isinstance(await door.reply(INVOKE), Stranger)
    assert not door.rows.codes
    assert not door.store.rows[GLOBEX.id].codes


async def test_a_person_gives_no_more_than_the_role_has() -> None:
    door = await Door().settled(Role.MEMBER)
    asked = await door.ask(scope="models:invoke members:write")
    assert isinstance(asked, Question)
    assert (asked.given, asked.withheld) == (some(INVOKE), some(WRITE))
    answer(await door.reply(INVOKE, WRITE, scope="models:invoke members:write"))
    assert door.code.scopes == {INVOKE}
    assert door.rows.consents[door.client.id, ADA.id].scopes == {INVOKE}


@pytest.mark.parametrize("scope", ["members:write", "members:write offline_access", "offline_access"])
async def test_where_the_role_leaves_nothing_nobody_is_asked(scope: str) -> None:
    door = await Door().settled(Role.MEMBER)
    assert error(await door.ask(scope=scope)) == "access_denied"


async def test_a_yes_gives_no_more_than_was_shown() -> None:
    door = await Door().settled()
    answer(await door.reply(INVOKE, Scope.AUDIT_READ, scope="models:invoke members:write"))
    assert door.code.scopes == {INVOKE}


async def test_a_yes_that_was_asked_of_somebody_else_is_none() -> None:
    door = await Door().settled()
    reply = Reply(PersonId(UUID(int=8)), frozenset({INVOKE}))
    assert isinstance(await door.authorizing.authorize(request(door.client), door.me, reply), Question)
    assert not door.rows.codes


async def test_what_was_allowed_before_is_not_asked_again() -> None:
    door = await Door().settled()
    door.remember(INVOKE, READ, WRITE)
    assert "code" in answer(await door.ask())
    assert door.code.scopes == {INVOKE, READ}
    assert not door.rows.audit
    assert door.rows.consents[door.client.id, ADA.id].given_at == AT


async def test_a_silent_request_is_answered_without_a_page() -> None:
    door = await Door().settled()
    assert error(await door.ask(prompt="none")) == "consent_required"
    door.remember(INVOKE, READ)
    assert "code" in answer(await door.ask(prompt="none"))


async def test_more_than_was_allowed_before_is_asked_and_added() -> None:
    door = await Door().settled()
    door.remember(INVOKE, Scope.AUDIT_READ)
    assert isinstance(await door.ask(), Question)
    answer(await door.reply(INVOKE, READ))
    consent = door.rows.consents[door.client.id, ADA.id]
    assert consent.scopes == {INVOKE, READ}  # but no more what the application lost meanwhile


async def test_an_application_may_have_a_person_asked_again() -> None:
    door = await Door().settled()
    door.remember(INVOKE, READ)
    assert isinstance(await door.ask(prompt="consent"), Question)


@pytest.mark.parametrize("uri", ["http://127.0.0.1/cb", "http://[::1]/cb", "com.shop.app:/cb", "http://localhost/cb"])
async def test_who_cannot_be_told_apart_is_always_asked_about(uri: str) -> None:
    door = await Door(shop(ACME.id, UUID(int=9), secret=None, redirect_uris=(uri,))).settled()
    door.remember(INVOKE, READ)
    assert isinstance(await door.ask(), Question)
    silent = await door.ask(prompt="none")
    assert isinstance(silent, Redirect)
    assert "error=consent_required" in silent.uri


async def test_a_public_application_on_the_web_is_remembered() -> None:
    door = await Door(shop(ACME.id, UUID(int=9), secret=None)).settled()
    door.remember(INVOKE, READ)
    assert "code" in answer(await door.ask())


async def test_every_code_begins_a_family_of_its_own() -> None:
    door = await Door().settled()
    answer(await door.reply(INVOKE))
    door.authorizing = replace(door.authorizing, randomness=lambda size: b"1" * size)
    answer(await door.reply(INVOKE))
    assert len({code.family_id for code in door.rows.codes.values()}) == 2

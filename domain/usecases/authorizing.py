"""The authorization endpoint (RFC 6749, section 4.1): from an application's request to a code, if a person says yes."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from domain.model.access import Client, Scope
from domain.model.authorization import Code
from domain.model.authorization_request import AuthorizationRequest, Sent, Wrong, read, wrong_with
from domain.model.ids import ClientId
from domain.model.people import Member, Person
from domain.model.redirects import own_to_this_machine, permitted, with_answer
from domain.model.tenant import Tenant
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint, parse
from domain.ports import Begin, Clock, Fresh, Randomness, Work
from domain.usecases.accounts import SignedIn
from domain.usecases.consenting import Question, Reply, givable, give, member, partner, question

CODE_SECONDS = 60


class Refusal(StrEnum):
    """Why nobody is sent anywhere: the request may not come from whom it names."""

    UNREADABLE = "unreadable"
    REPEATED = "repeated"
    UNKNOWN_CLIENT = "unknown_client"
    SUSPENDED = "suspended"
    NO_REDIRECT_URI = "no_redirect_uri"
    UNREGISTERED_REDIRECT_URI = "unregistered_redirect_uri"


@dataclass(frozen=True, slots=True)
class Redirect:
    """Back to the application; the address may carry a code, so it is never printed."""

    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignIn:
    """The person must sign in, then come back with the same request; `at` is when it was said, in Unix seconds."""

    at: int


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who is no member of the application's tenant; `back` tells the application so."""

    client: Client
    tenant: Tenant
    person: Person
    back: Redirect


Outcome = Refusal | Redirect | SignIn | Stranger | Question


@dataclass(frozen=True, slots=True)
class Authorizing:
    """`issuer` is the public address of this installation."""

    begin: Begin
    clock: Clock
    fresh: Fresh
    randomness: Randomness
    issuer: str

    async def authorize(self, sent: Sent, me: SignedIn | None, reply: Reply | None = None) -> Outcome:
        """What comes next for this request; with the person's `reply` to the Question that it led to.

        All of the request is judged anew each time. A code is kept in one unit of work with the consent it came of.
        """
        parsed = parse(Kind.CLIENT_ID, sent.get("client_id", ""))
        if parsed is None:
            return Refusal.UNKNOWN_CLIENT
        async with self.begin(parsed.tenant_id) as work:
            client = await partner(work, ClientId(UUID(bytes=parsed.rest)))
            if client is None:
                return Refusal.UNKNOWN_CLIENT
            refusal = self._refusal(client, sent)
            return refusal or await self._judged(work, client, sent, me, reply)

    def _refusal(self, client: Client, sent: Sent) -> Refusal | None:
        if not client.active(self.clock()):
            return Refusal.SUSPENDED
        if "redirect_uri" not in sent:
            return Refusal.NO_REDIRECT_URI
        if not permitted(sent["redirect_uri"], client.redirect_uris):
            return Refusal.UNREGISTERED_REDIRECT_URI
        return None

    async def _judged(
        self, work: Work, client: Client, sent: Sent, me: SignedIn | None, reply: Reply | None
    ) -> Outcome:
        wrong = wrong_with(sent, client, self.issuer)
        if wrong is not None:
            return self._error(sent, wrong)
        now = self.clock()
        request = read(sent, now)
        if me is None or not request.accepts(me.session.signed_in_at, now):
            if request.silent:
                return self._error(sent, Wrong("login_required", "The person must sign in."))
            return SignIn(int(now.timestamp()))
        who = await member(work, me.person.id)
        if who is None:
            return await self._stranger(work, client, sent, request, me.person)
        return await self._asked(_Case(work, client, who, me, request), sent, reply)

    async def _stranger(
        self, work: Work, client: Client, sent: Sent, request: AuthorizationRequest, person: Person
    ) -> Outcome:
        if request.silent:
            return self._error(sent, Wrong("interaction_required", "The person must choose another account."))
        back = self._error(sent, Wrong("access_denied", "The person is no member of the application's tenant."))
        return Stranger(client, await work.tenants.one(), person, back)

    async def _asked(self, case: "_Case", sent: Sent, reply: Reply | None) -> Outcome:
        given = givable(case.member, case.client, case.request.scopes)
        if not given:
            return self._error(sent, Wrong("access_denied", "The person may do nothing of what was asked for."))
        if reply is None and await case.covered(given):
            return await self._let_in(case, given)
        if reply is None and case.request.silent:
            return self._error(sent, Wrong("consent_required", "The person must be asked."))
        if reply is None or reply.person_id != case.member.person.id:
            return await case.question()
        agreed = givable(case.member, case.client, case.request.scopes & reply.scopes)
        if not agreed:
            return self._error(sent, Wrong("access_denied", "The person said no."))
        await give(case.work, case.client, case.member, agreed, self.clock())
        return await self._let_in(case, agreed)

    async def _let_in(self, case: "_Case", scopes: frozenset[Scope]) -> Redirect:
        request, tenant_id = case.request, case.client.tenant_id
        code = mint(Kind.CODE, tenant_id, self.randomness(SECRET_BYTES))
        kept = Code(
            tenant_id,
            digest(code),
            case.client.id,
            case.member.person.id,
            scopes,
            request.redirect_uri,
            request.challenge,
            self.fresh(),
            case.me.session.signed_in_at,
            self.clock() + timedelta(seconds=CODE_SECONDS),
            request.nonce,
            request.resource,
        )
        await case.work.codes.add(kept)
        return self._answer(request.redirect_uri, {"code": code, "state": request.state})

    def _error(self, sent: Sent, wrong: Wrong) -> Redirect:
        answer = {"error": wrong.error, "error_description": wrong.description, "state": sent.get("state")}
        return self._answer(sent["redirect_uri"], answer)

    def _answer(self, uri: str, answer: dict[str, str | None]) -> Redirect:
        """Every answer names its issuer (RFC 9207)."""
        return Redirect(with_answer(uri, {**answer, "iss": self.issuer}))


@dataclass(frozen=True, slots=True)
class _Case:
    """A sound request of a known application, before a member of its tenant."""

    work: Work
    client: Client
    member: Member
    me: SignedIn
    request: AuthorizationRequest

    async def covered(self, given: frozenset[Scope]) -> bool:
        """Whether the person allowed all this before, and it is certain who will get the code (RFC 8252, 8.6)."""
        if "consent" in self.request.prompt:
            return False
        if self.client.public and own_to_this_machine(self.request.redirect_uri):
            return False
        before = await self.work.consents.one(self.client.id, self.member.person.id)
        return before is not None and given <= before.scopes

    async def question(self) -> Question:
        request = self.request
        return await question(self.work, self.client, self.member, request.scopes, request.redirect_uri)

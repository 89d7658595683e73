"""The token endpoint's part inside: what a request is judged by, and keeping what was granted before it is told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from domain.errors import NotFound
from domain.model.access import IDENTITY_SCOPES, Client, Scope
from domain.model.audit import Deed
from domain.model.authorization import Code, Decision, Device, RefreshToken
from domain.model.ids import PersonId
from domain.model.issuing import Facts, Grant, Issued, Source, Verdict
from domain.model.tokens import Kind, digest, parse
from domain.ports import Begin, Clock, Sign, Signer, Work
from domain.usecases.minting import Mint
from domain.usecases.proving import Prove, proven

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Asking:
    """A request for a token: who asks, how that is proved, and the token that it shows for it, if any.

    `signature` says whether what it asks for may have to be signed.
    """

    client_id: str
    prove: Prove
    shown: tuple[Kind, str] | None = None
    signature: bool = False


@dataclass(frozen=True, slots=True)
class Granting:
    begin: Begin
    clock: Clock
    mint: Mint
    signer: Signer

    async def grant(self, asking: Asking, judge: Callable[[Facts], Verdict[A]]) -> tuple[A, Issued | None]:
        """Gather the facts, let `judge` decide, and keep what it grants, in one unit of work; Unauthenticated.

        What the request shows is locked meanwhile, so of those who show the same one alone finds it unused.
        """
        sign = await self.signer.ready() if asking.signature else None
        now = self.clock()
        async with proven(self.begin, now, asking.client_id, asking.prove) as (work, client):
            source = await _shown(work, client, asking.shown)
            facts = Facts(client, now, source, await allowed(work, client, source.person_id if source else None))
            verdict = judge(facts)
            await _polled(work, source, now)
            issued = await self._kept(work, facts, verdict.grant, sign) if verdict.grant else None
            if source is not None and verdict.ends is not None and await work.tokens.end_family(verdict.ends):
                await work.audit.add(Deed("tokens.reused", str(client.id), client.id, source.person_id))
        return verdict.answer, issued

    async def _kept(self, work: Work, facts: Facts, grant: Grant, sign: Sign | None) -> Issued:
        """Only digests are stored."""
        token, row = await self.mint.access_token(facts, grant, sign)
        await work.tokens.add(row)
        expires_in = int((row.expires_at - facts.now).total_seconds())
        issued = Issued(expires_in, grant.scopes, token)
        source = facts.source
        if source is None or source.person_id is None:
            return issued
        await _spend(work, source, facts.now)
        await work.consents.used(source.client_id, source.person_id, facts.now)
        if grant.refreshable:
            refresh_token, kept = self.mint.refresh_token(facts, source)
            await work.refresh_tokens.add(kept)
            issued = replace(issued, refresh_token=refresh_token)
        if sign is None or Scope.OPENID not in grant.scopes or isinstance(source, RefreshToken):
            return issued
        member = await work.members.one(source.person_id)
        return replace(issued, id_token=await self.mint.id_token(facts, member, grant.scopes, token, sign))


async def _shown(work: Work, client: Client, shown: tuple[Kind, str] | None) -> Source | None:
    """None for what was never this client's, as for what is not there."""
    parsed = parse(*shown) if shown else None
    if shown is None or parsed is None or parsed.tenant_id != client.tenant_id:
        return None
    source = await _locked(work, *shown)
    return source if source is not None and source.client_id == client.id else None


async def _locked(work: Work, kind: Kind, token: str) -> Source | None:
    if kind is Kind.CODE:
        return await work.codes.lock(digest(token))
    if kind is Kind.REFRESH_TOKEN:
        return await work.refresh_tokens.lock(digest(token))
    return await work.devices.lock(digest(token))


async def allowed(work: Work, client: Client, person_id: PersonId | None) -> frozenset[Scope]:
    """The most that a client may have of a person now; nothing without a consent, or once the person has left."""
    consent = await work.consents.one(client.id, person_id) if person_id else None
    if consent is None:
        return frozenset()
    try:
        member = await work.members.one(consent.person_id)
    except NotFound:
        return frozenset()
    return consent.scopes & (client.scopes | IDENTITY_SCOPES) & member.role.scopes


async def _polled(work: Work, source: Source | None, now: datetime) -> None:
    if isinstance(source, Device) and source.decision is Decision.PENDING:
        await work.devices.put(replace(source, polled_at=now))


async def _spend(work: Work, source: Source, now: datetime) -> None:
    """A code and a refresh token stay, to be recognised when they are shown again."""
    if isinstance(source, Code):
        await work.codes.use(source.digest, now)
    elif isinstance(source, RefreshToken):
        await work.refresh_tokens.use(source.digest, now)
    else:
        await work.devices.remove(source.digest)

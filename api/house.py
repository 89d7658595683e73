"""The adapters and use cases of one process, put together by constructor calls."""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import httpx2
import structlog
import uuid_utils.compat

from api.graphql.context import UseCases
from api.oauth.context import OAuth
from api.pages.people import People
from api.traffic.stays import prolong
from api.traffic.turns import step_aside
from domain.errors import DomainError
from domain.model.catalogue import FormValues
from domain.model.issuing import Lifetimes
from domain.model.quota import Trial, Unit
from domain.model.selection import Platform
from domain.ports import Ledger
from domain.usecases.access import Access
from domain.usecases.accounts import Accounts
from domain.usecases.api_keys import ApiKeys
from domain.usecases.applications import Applications
from domain.usecases.audit import Audit
from domain.usecases.authorizing import Authorizing
from domain.usecases.browsing import Browsing
from domain.usecases.caps import Caps
from domain.usecases.conversations import Conversations
from domain.usecases.credential_states import CredentialStates
from domain.usecases.credential_updates import CredentialUpdates
from domain.usecases.credentials import Credentials
from domain.usecases.defaults import Defaults
from domain.usecases.device_verification import DeviceVerification
from domain.usecases.devices import Devices
from domain.usecases.granting import Granting
from domain.usecases.grants import Grants
from domain.usecases.identity import Identity
from domain.usecases.imports import Imports
from domain.usecases.inference import Inference
from domain.usecases.joining import Joining
from domain.usecases.members import Members
from domain.usecases.metering import Metering
from domain.usecases.minting import Mint
from domain.usecases.models import Models
from domain.usecases.own_consents import OwnConsents
from domain.usecases.planning import Planning
from domain.usecases.pruning import Pruning
from domain.usecases.quotas import Quotas
from domain.usecases.reaching import Reaching
from domain.usecases.recognition import Recognition
from domain.usecases.resets import PasswordResets
from domain.usecases.rotation import Rotation
from domain.usecases.tenants import Tenants
from domain.usecases.token_states import TokenStates
from domain.usecases.usage import Usage
from infrastructure.background import Detached
from infrastructure.balances import PolledBalances
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.crypto.passwords import Argon2Passwords
from infrastructure.crypto.signing import RsaSigner
from infrastructure.crypto.vault import RsaVault
from infrastructure.db.directory import directory
from infrastructure.db.engine import open_engine, unsafe_role
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.revisions import pending
from infrastructure.db.roll_call import SqlRollCall
from infrastructure.db.work import begin
from infrastructure.http import egress
from infrastructure.keyring import LeasedKeyring
from infrastructure.openid import OpenIdProvider, OpenIdTerms
from infrastructure.providers.gateway import HttpGateway, Limits
from infrastructure.providers.registry import ADAPTERS, catalogue, trials
from infrastructure.settings import Settings
from infrastructure.standing import LeasedStanding

_log = structlog.get_logger()

PROBE = 60
"""Seconds that a call which only proves a credential may take at most."""

_PART = 4
"""A tenant whose vendors are slow takes at most one in so many of a process's connections."""

LAST_SWEEP = 10
"""Seconds that a stop waits for a sweep to end."""


class NotReady(Exception):
    """Why Portunus must not serve as it is set up; the text is for the operator."""


class House:
    """Every adapter and use case of one process. Entering it checks the database and starts to sweep and to prune."""

    def __init__(self, settings: Settings) -> None:
        """NotReady without a usable master key."""
        self.settings = settings
        try:
            self.master_keys = MasterKeys.of(*settings.master_keys())
        except (ValueError, OSError) as problem:
            raise NotReady(str(problem)) from None
        self.engine = open_engine(settings.database_url)
        self.work = begin(self.engine, master_keys=self.master_keys)
        self.vault = RsaVault(self.master_keys)
        self.passwords = Argon2Passwords()
        self.detached = Detached(begun=prolong)
        connections = _PART * settings.tenant_concurrency
        self.client = egress(settings.allowed_networks, read=settings.call_seconds, connections=connections)
        self.client.event_hooks = {"request": [_leave_the_place]}
        self.ledger: Ledger = ledger_on(self.engine, self.master_keys)
        lifetime, above = settings.token_lifetime, directory(self.engine)
        self.signer = RsaSigner(above, self.master_keys, now, fresh, lifetime, self.vault.threads)
        self.usecases = self._usecases()
        self.people = self._people()
        self.authorizing = Authorizing(self.work, now, fresh, secrets.token_bytes, settings.issuer)
        self.device_verification = DeviceVerification(self.work, directory(self.engine), now)
        self.oauth = self._oauth()
        self.pruning = Pruning(self.work, directory(self.engine), SqlRollCall(self.engine), now)
        self._leaving = AsyncExitStack()
        self._over = asyncio.Event()

    def _usecases(self) -> UseCases:
        settings, work = self.settings, self.work
        forms = platform_forms(settings)
        platform = Platform(catalogue(), offered_trials(settings, forms), frozenset(forms))
        standing = LeasedStanding(work, now)
        gateway = HttpGateway(
            ADAPTERS, self.client, Limits(total=settings.call_seconds, probe=min(PROBE, settings.call_seconds))
        )
        keyring = LeasedKeyring(work, self.vault, now, forms)
        hold_for = timedelta(seconds=settings.hold_seconds)
        metering = Metering(work, standing, platform, keyring, self.ledger, now, fresh, hold_for)
        inference = Inference(metering, gateway, self.detached)
        reaching = Reaching(standing, platform)
        remembering = (standing, keyring, self.vault)
        return UseCases(
            tenants=Tenants(work, self.vault, platform, now, fresh, secrets.token_bytes, remembering),
            access=Access(work, now),
            credentials=Credentials(work, platform.catalogue, gateway, self.vault, standing, now, fresh),
            credential_updates=CredentialUpdates(work, platform.catalogue, gateway, self.vault, standing, now),
            credential_states=CredentialStates(work, standing, platform, now),
            browsing=Browsing(standing, platform),
            defaults=Defaults(work, standing, platform),
            quotas=Quotas(work, standing, platform, PolledBalances(work, now)),
            caps=Caps(work, self.ledger, standing, now, fresh),
            grants=Grants(work, self.ledger, standing, platform, now, fresh),
            planning=Planning(metering, standing),
            members=Members(work, now, fresh, secrets.token_bytes, f"{settings.issuer}/invitation"),
            models=Models(work, standing, platform, now),
            imports=Imports(work, standing, platform, gateway, keyring, self.vault, now, fresh),
            inference=inference,
            conversations=Conversations(inference, standing, platform),
            usage=Usage(work, now),
            rotation=Rotation(work, self.vault, SqlRollCall(self.engine), self.detached, fresh, signer=self.signer),
            audit=Audit(work, SqlRollCall(self.engine)),
            applications=Applications(work, reaching, standing, now, fresh, secrets.token_bytes),
            api_keys=ApiKeys(work, reaching, standing, now, fresh, secrets.token_bytes),
        )

    def _oauth(self) -> OAuth:
        issuer, work = self.settings.issuer, self.work
        lifetimes = Lifetimes(self.settings.token_lifetime, self.settings.refresh_lifetime)
        return OAuth(
            issuer=issuer,
            access=self.usecases.access,
            granting=Granting(work, now, Mint(issuer, secrets.token_bytes, lifetimes), self.signer),
            devices=Devices(work, now, fresh, secrets.token_bytes, lifetimes),
            token_states=TokenStates(work, now, issuer),
            identity=Identity(work),
            signer=self.signer,
            clock=now,
        )

    def _people(self) -> People:
        settings, work = self.settings, self.work
        accounts = Accounts(directory(self.engine), self.passwords, now, secrets.token_bytes, settings.session_lifetime)
        return People(
            accounts=accounts,
            joining=Joining(work, accounts, fresh),
            recognition=Recognition(accounts),
            resets=PasswordResets(accounts),
            consents=OwnConsents(work),
            provider=provider(settings),
        )

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as entered:
            entered.push_async_callback(self.engine.dispose)
            entered.callback(self.vault.close)
            entered.callback(self.passwords.close)
            entered.push_async_callback(self.client.aclose)
            await self.check()
            for work in (self._sweep(), self._prune()):
                entered.push_async_callback(self._end, asyncio.create_task(work))
            entered.push_async_callback(self.detached.drain, self.settings.drain_seconds)
            self._leaving = entered.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leaving.aclose()

    async def check(self) -> None:
        """NotReady when the database is behind, or its role could look past row-level security."""
        if await pending(self.engine):
            raise NotReady("The database has pending migrations: run `portunus migrate` first.")
        unsafe = await unsafe_role(self.engine)
        if unsafe:
            raise NotReady(f"Row-level security would not hold: {unsafe}. Serve with a role of the app's own.")
        if self.engine.dialect.name == "sqlite":
            _log.warning("SQLite has no row-level security: use PostgreSQL where tenants do not trust each other")

    async def _sweep(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(Exception):
                swept = await self.ledger.sweep(now())
                if swept:
                    _log.warning("holds of lost workers were charged", holds=swept)
            await self._rest(self.settings.sweep_seconds)

    async def _prune(self) -> None:
        """At moments that no two processes share for long."""
        jitter = random.SystemRandom()
        while not await self._rest(self.settings.prune_seconds * jitter.uniform(0.5, 1.5)):
            with contextlib.suppress(Exception):
                pruned = await self.pruning.run(self._over.is_set)
                if pruned.failed:
                    _log.warning("tenants could not be pruned now", tenants=pruned.failed)

    async def _rest(self, seconds: float) -> bool:
        """Whether it is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
        return self._over.is_set()

    async def _end(self, working: asyncio.Task[None]) -> None:
        """Let what runs finish: a connection that is cancelled while it closes can hold up the whole exit."""
        self._over.set()
        await asyncio.wait([working], timeout=LAST_SWEEP)
        working.cancel()


async def _leave_the_place(_: httpx2.Request) -> None:
    """Whoever waits for a vendor keeps nobody else from working."""
    step_aside()


def now() -> datetime:
    return datetime.now(UTC)


fresh = uuid_utils.compat.uuid7


def provider(settings: Settings) -> OpenIdProvider | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
    back = f"{settings.issuer}/sign-in/openid/callback"
    networks = settings.allowed_networks
    terms = OpenIdTerms(settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_name, back, networks)
    return OpenIdProvider(terms, now)


def platform_forms(settings: Settings) -> Mapping[str, FormValues]:
    """The platform's own forms, each checked as a tenant's would be; NotReady names the fields that are wrong."""
    providers = catalogue()
    try:
        return {
            provider: providers.provider(provider).checked({k: v.get_secret_value() for k, v in form.items()}, None)
            for provider, form in settings.platform_keys.items()
        }
    except DomainError as problem:
        raise NotReady(f"PORTUNUS_PLATFORM_KEYS: {problem.message}") from None


def offered_trials(settings: Settings, forms: Mapping[str, FormValues]) -> Mapping[str, Trial]:
    """The trials as far as the platform has keys for their models; NotReady names what is wrong with the file."""
    try:
        listed = trials(settings.trials_file) if settings.trials_file else trials()
    except (ValueError, OSError) as problem:
        raise NotReady(f"PORTUNUS_TRIALS_FILE: {problem}") from None
    reached = {name: replace(t, models=tuple(m for m in t.models if m.provider in forms)) for name, t in listed.items()}
    calls = settings.trial_calls
    return {
        name: trial if calls is None or trial.unit is not Unit.CALLS else replace(trial, granted=calls)
        for name, trial in reached.items()
        if trial.models
    }

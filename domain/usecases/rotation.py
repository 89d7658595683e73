"""Rotating keys while calls run: a tenant's key pair, and the master key that wraps all of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from weakref import WeakValueDictionary

from domain.errors import CredentialUnreadable, NotFound
from domain.model.access import Actor, Scope
from domain.model.audit import deed
from domain.model.credential import Opening
from domain.model.ids import CredentialId, KeyId, TenantId, behind
from domain.model.tenant import KeyInUse, TenantKey, in_use
from domain.ports import Begin, Detach, Fresh, RollCall, Signer, Vault
from domain.usecases.sealing import sealed_into

PAGE = 100


@dataclass(slots=True)
class Progress:
    """Of one rotation of a tenant's key."""

    created: bool = False
    resealed: int = 0


@dataclass(frozen=True, slots=True)
class Rotated:
    """`key` is the newest; `remaining` credentials are still sealed under older ones, which open them meanwhile."""

    key: KeyInUse
    created: bool
    resealed: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How far a pass over all tenants has come: `under` counts tenants by the ids of the master keys they need.

    A signing key of the issuer that is left under another than the first counts like a tenant.
    `keys` is how many private keys, and `chains` how many keys of audits' chains, were wrapped anew.
    """

    keys: int
    chains: int
    under: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is left to do is read from the rows, so a rotation that was interrupted anywhere goes on when called again.

    `patience` is how long a caller waits for a tenant's credentials; the work goes on without it.
    """

    begin: Begin
    vault: Vault
    roll_call: RollCall
    detach: Detach
    fresh: Fresh
    patience: timedelta = timedelta(seconds=10)
    signer: Signer | None = None
    _turns: WeakValueDictionary[TenantId, asyncio.Lock] = field(default_factory=WeakValueDictionary, repr=False)

    async def keys(self, actor: Actor, tenant_id: TenantId) -> Sequence[KeyInUse]:
        """The keys of a tenant, oldest first. Another tenant's are shown to who may open tenants alone."""
        actor.require(Scope.TENANT_READ)
        if tenant_id != actor.tenant_id:
            actor.require(Scope.TENANTS_OPEN)
        return await self._keys(tenant_id)

    async def rotate_tenant_key(self, actor: Actor, replacing: KeyId | None = None) -> Rotated:
        """Make a new key and seal every credential under it anew, or go on with that; at most `patience` long.

        No key is made while an older one is left, nor when `replacing` is not the newest any more. An older key is
        shredded as soon as nothing is sealed under it.
        """
        actor.require(Scope.KEYS_ROTATE)
        progress = Progress()
        await self.detach(self._renew(actor.tenant_id, replacing, progress, actor))
        resealing = self.detach(self._reseal(actor.tenant_id, progress, actor))
        try:
            async with asyncio.timeout(self.patience.total_seconds()) as limit:
                await resealing
        except TimeoutError:
            if not limit.expired():
                raise
        return await self._rotated(actor.tenant_id, progress)

    async def renew(self, tenant_id: TenantId) -> Rotated:
        """The same to its end, from the operator's own shell, where there is no actor to ask."""
        progress = Progress()
        await self._renew(tenant_id, None, progress)
        await self._reseal(tenant_id, progress)
        return await self._rotated(tenant_id, progress)

    async def rewrap(self) -> AsyncIterator[Rewrapped]:
        """Wrap all private keys under the vault's master key: the issuer's, then each tenant's and its audit's key.

        Told after each page. From the operator's own shell. A key whose own master key the vault does not know stays as
        it is, and counts.
        """
        keys, left = await self.signer.rewrap() if self.signer else (0, {})
        chains, under, after = 0, Counter({self.vault.master_key_id: 0, **left}), None
        if keys or left:
            yield Rewrapped(keys, chains, dict(under))
        while page := await self.roll_call(first=PAGE, after=after):
            for tenant_id in page:
                keys += await self._rewrap(tenant_id)
                chains += await self._rewrap_chain(tenant_id)
                under.update(await self._master_keys(tenant_id))
            after = page[-1]
            yield Rewrapped(keys, chains, dict(under))

    async def _renew(
        self, tenant_id: TenantId, replacing: KeyId | None, progress: Progress, by: Actor | None = None
    ) -> None:
        async with self.begin(tenant_id) as work:
            newest = (await work.keys.newest()).id
            under_way = len(await work.keys.all()) > 1
        if under_way or replacing not in (None, newest):
            return
        key = await self.vault.keypair(tenant_id, KeyId(behind(newest, self.fresh())))
        async with self.begin(tenant_id) as work:
            progress.created = await work.keys.succeed(newest, key)
            if progress.created:
                await work.audit.add(deed(by, "tenant_key.rotated", key.id))

    async def _reseal(self, tenant_id: TenantId, progress: Progress, by: Actor | None = None) -> None:
        """Those who rotate one tenant's key at once take turns: the second finds nothing left to do."""
        turn = self._turns.setdefault(tenant_id, asyncio.Lock())
        async with turn:
            async with self.begin(tenant_id) as work:
                keys = await work.keys.all()
            for key in keys[:-1]:
                await self._empty(key, progress, by)
                self.vault.forget(tenant_id)

    async def _empty(self, key: TenantKey, progress: Progress, by: Actor | None) -> None:
        """Move what is sealed under `key` until it can be shredded, or only what nothing opens is left."""
        unreadable: set[CredentialId] = set()
        while not await self._shredded(key, by):
            async with self.begin(key.tenant_id) as work:
                found = await work.envelopes.under(key.id, first=PAGE + len(unreadable))
            movable = [opening for opening in found if opening.context.credential_id not in unreadable]
            if not movable and found:
                return
            for opening in movable:
                try:
                    progress.resealed += await self._moved(opening)
                except CredentialUnreadable:
                    unreadable.add(opening.context.credential_id)

    async def _shredded(self, key: TenantKey, by: Actor | None) -> bool:
        async with self.begin(key.tenant_id) as work:
            shredded = await work.keys.shred(key.id)
            if shredded:
                await work.audit.add(deed(by, "tenant_key.shredded", key.id))
            return shredded is not None

    async def _moved(self, opening: Opening) -> bool:
        """False when it was replaced, removed or moved by another meanwhile."""
        values = await self.vault.open(opening.key, opening.context, opening.sealed)
        return await sealed_into(
            self.begin,
            self.vault,
            opening.context,
            values,
            lambda work, sealed: work.envelopes.reseal(opening, sealed),
        )

    async def _rotated(self, tenant_id: TenantId, progress: Progress) -> Rotated:
        *older, newest = await self._keys(tenant_id)
        return Rotated(newest, progress.created, progress.resealed, sum(key.credentials for key in older))

    async def _keys(self, tenant_id: TenantId) -> Sequence[KeyInUse]:
        async with self.begin(tenant_id) as work:
            keys, sealed = await work.keys.all(), await work.envelopes.counts()
        if not keys:
            raise NotFound("tenant key")
        return in_use(keys, sealed)

    async def _rewrap(self, tenant_id: TenantId) -> int:
        async with self.begin(tenant_id) as work:
            outdated = [key for key in await work.keys.all() if key.master_key_id != self.vault.master_key_id]
        return sum([await self._rewrapped(key) for key in outdated])

    async def _rewrapped(self, key: TenantKey) -> bool:
        try:
            after = await self.vault.rewrapped(key)
        except CredentialUnreadable:
            return False
        async with self.begin(key.tenant_id) as work:
            return await work.keys.rewrap(key, after)

    async def _rewrap_chain(self, tenant_id: TenantId) -> bool:
        async with self.begin(tenant_id) as work:
            return await work.audit.rewrap()

    async def _master_keys(self, tenant_id: TenantId) -> set[str]:
        async with self.begin(tenant_id) as work:
            chain = await work.audit.master_key_id()
            return {key.master_key_id for key in await work.keys.all()} | ({chain} if chain else set())

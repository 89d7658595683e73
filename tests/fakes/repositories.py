"""The repositories over the rows of one tenant."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from domain.errors import (
    ChangedMeanwhile,
    DuplicateName,
    NotFound,
)
from domain.model.cap import Cap
from domain.model.catalogue import ModelRef, ModelType
from domain.model.credential import Cooling, Credential, Opening, SealContext, Sealed
from domain.model.custom_model import CustomModel
from domain.model.ids import CapId, CredentialId, GrantId, KeyId
from domain.model.quota import Grant, Pot, PotKind
from domain.model.selection import KeySource
from domain.model.tenant import Tenant, TenantKey
from tests.fakes.rows import TenantRows, found


@dataclass(frozen=True, slots=True)
class FakeTenants:
    rows: TenantRows

    async def add(self, tenant: Tenant) -> None:
        self.rows.tenants.append(tenant)

    async def one(self) -> Tenant:
        if not self.rows.tenants:
            raise NotFound("tenant")
        return self.rows.tenants[0]

    async def close(self) -> None:
        await self.one()
        for kind in fields(self.rows):
            getattr(self.rows, kind.name).clear()


@dataclass(frozen=True, slots=True)
class FakeTenantKeys:
    rows: TenantRows

    async def add(self, key: TenantKey) -> None:
        self.rows.keys[key.id] = key

    async def newest(self) -> TenantKey:
        return found(self.rows.keys, max(self.rows.keys, default=None), "tenant key")

    async def one(self, key_id: KeyId) -> TenantKey:
        return found(self.rows.keys, key_id, "tenant key")

    async def all(self) -> Sequence[TenantKey]:
        return sorted(self.rows.keys.values(), key=lambda key: key.id)

    async def pin(self, key_id: KeyId) -> bool:
        return key_id in self.rows.keys

    async def succeed(self, newest: KeyId, key: TenantKey) -> bool:
        if max(self.rows.keys, default=None) != newest:
            return False
        await self.add(key)
        return True

    async def rewrap(self, before: TenantKey, after: TenantKey) -> bool:
        unchanged = self.rows.keys.get(before.id) == before
        if unchanged:
            self.rows.keys[after.id] = after
        return unchanged

    async def shred(self, key_id: KeyId) -> int | None:
        if any(sealed.key_id == key_id for _, sealed in self.rows.credentials.values()):
            return None
        return int(self.rows.keys.pop(key_id, None) is not None)


@dataclass(frozen=True, slots=True)
class FakeEnvelopes:
    rows: TenantRows

    async def one(self, credential_id: CredentialId) -> Opening:
        credential, sealed = found(self.rows.credentials, credential_id, "credential")
        return Opening(SealContext.of(credential), sealed, self.rows.keys[sealed.key_id])

    async def under(self, key_id: KeyId, *, first: int) -> Sequence[Opening]:
        found = sorted(id_ for id_, (_, sealed) in self.rows.credentials.items() if sealed.key_id == key_id)
        return [await self.one(credential_id) for credential_id in found[:first]]

    async def counts(self) -> Mapping[KeyId, int]:
        return Counter(sealed.key_id for _, sealed in self.rows.credentials.values())

    async def reseal(self, before: Opening, sealed: Sealed) -> bool:
        credential, now = self.rows.credentials.get(before.context.credential_id, (None, None))
        if credential is None or now is None:
            return False
        if (credential.version, now.key_id) != (before.context.version, before.sealed.key_id):
            return False
        self.rows.credentials[credential.id] = credential, sealed
        return True


@dataclass(frozen=True, slots=True)
class FakeCredentials:
    rows: TenantRows

    async def add(self, credential: Credential, sealed: Sealed) -> None:
        taken = {(c.provider, c.scope, c.name) for c, _ in self._all()}
        if (credential.provider, credential.scope, credential.name) in taken:
            raise DuplicateName(credential.name)
        self.rows.credentials[credential.id] = credential, sealed

    async def one(self, credential_id: CredentialId) -> Credential:
        return found(self.rows.credentials, credential_id, "credential")[0]

    async def some(self, credential_ids: Collection[CredentialId]) -> Sequence[Credential]:
        return [credential for credential, _ in self._all() if credential.id in credential_ids]

    async def sealed(self, credential_id: CredentialId) -> Sealed:
        return found(self.rows.credentials, credential_id, "credential")[1]

    async def alike(self, provider: str, scope: str) -> Sequence[Credential]:
        return sorted((c for c, _ in self._all() if (c.provider, c.scope) == (provider, scope)), key=lambda c: c.id)

    async def page(
        self,
        *,
        first: int,
        after: CredentialId | None = None,
        provider: str | None = None,
        model: ModelRef | None = None,
        active: bool | None = None,
    ) -> Sequence[Credential]:
        behind = [c for c, _ in self._all() if after is None or c.id > after]
        fitting = (c for c in behind if provider in (None, c.provider) and active in (None, c.active))
        return sorted((c for c in fitting if model is None or c.reaches(model)), key=lambda c: c.id)[:first]

    async def put(self, credential: Credential, sealed: Sealed | None = None, *, version: int) -> None:
        before, kept = found(self.rows.credentials, credential.id, "credential")
        if before.version != version:
            raise ChangedMeanwhile("credential")
        if any(c.name == credential.name for c in await self.alike(before.provider, before.scope) if c.id != before.id):
            raise DuplicateName(credential.name)
        self.rows.credentials[credential.id] = credential, sealed or kept

    async def remove(self, credential_id: CredentialId) -> None:
        await self.one(credential_id)
        del self.rows.credentials[credential_id]
        self.rows.coolings.pop(credential_id, None)

    def _all(self) -> Iterable[tuple[Credential, Sealed]]:
        return self.rows.credentials.values()


@dataclass(frozen=True, slots=True)
class FakeCoolings:
    rows: TenantRows

    async def put(self, cooling: Cooling) -> None:
        if cooling.credential_id in self.rows.credentials:
            self.rows.coolings[cooling.credential_id] = cooling

    async def clear(self, credential_id: CredentialId) -> None:
        self.rows.coolings.pop(credential_id, None)

    async def all(self) -> Sequence[Cooling]:
        return list(self.rows.coolings.values())


@dataclass(frozen=True, slots=True)
class FakeModels:
    rows: TenantRows

    async def add(self, model: CustomModel) -> bool:
        return self.rows.custom.setdefault(model.ref, model) is model

    async def remove(self, ref: ModelRef) -> None:
        found(self.rows.custom, ref, "model")
        del self.rows.custom[ref]

    async def custom(self) -> Sequence[CustomModel]:
        return sorted(self.rows.custom.values(), key=lambda m: (m.ref.provider, m.ref.type, m.ref.name))

    async def disable(self, ref: ModelRef, at: datetime) -> None:
        self.rows.disabled[ref] = at

    async def enable(self, ref: ModelRef) -> None:
        self.rows.disabled.pop(ref, None)

    async def disabled(self) -> frozenset[ModelRef]:
        return frozenset(self.rows.disabled)


@dataclass(frozen=True, slots=True)
class FakeCaps:
    rows: TenantRows

    async def put(self, cap: Cap) -> None:
        known = self.rows.caps.get(cap.id)
        if known is not None:
            self.rows.caps[cap.id] = replace(known, amount=cap.amount)
            return
        kind = (cap.subject, cap.subject_id, cap.unit, cap.period)
        if any((c.subject, c.subject_id, c.unit, c.period) == kind for c in self.rows.caps.values()):
            raise DuplicateName(f"{cap.unit} per {cap.period}")
        self.rows.caps[cap.id] = cap

    async def one(self, cap_id: CapId) -> Cap:
        return found(self.rows.caps, cap_id, "cap")

    async def all(self) -> Sequence[Cap]:
        return sorted(self.rows.caps.values(), key=lambda cap: cap.id)

    async def remove(self, cap_id: CapId) -> None:
        await self.one(cap_id)
        del self.rows.caps[cap_id]
        for pot in [p for p in self.rows.pots.values() if p.cap_id == cap_id]:
            del self.rows.pots[pot.id]


@dataclass(frozen=True, slots=True)
class FakeChoices:
    rows: TenantRows

    async def put_default(self, model: ModelRef) -> None:
        self.rows.defaults[model.type] = model

    async def clear_default(self, model_type: ModelType) -> None:
        self.rows.defaults.pop(model_type, None)

    async def defaults(self) -> Mapping[ModelType, ModelRef]:
        return dict(self.rows.defaults)

    async def put_preferred(self, provider: str, source: KeySource) -> None:
        self.rows.preferred[provider] = source

    async def preferred(self) -> Mapping[str, KeySource]:
        return dict(self.rows.preferred)


@dataclass(frozen=True, slots=True)
class FakePots:
    rows: TenantRows

    async def add(self, pot: Pot) -> None:
        self.rows.pots[pot.id] = pot

    async def all(self, at: datetime | None = None) -> Sequence[Pot]:
        order = list(PotKind)
        open_ones = (p for p in self.rows.pots.values() if at is None or p.closes_at is None or p.closes_at > at)
        return sorted(open_ones, key=lambda pot: (order.index(pot.kind), pot.id))


@dataclass(frozen=True, slots=True)
class FakeGrants:
    rows: TenantRows

    async def page(self, *, first: int, after: GrantId | None = None) -> Sequence[Grant]:
        behind = (grant for grant in self.rows.grants.values() if after is None or grant.id < after)
        return sorted(behind, key=lambda grant: grant.id, reverse=True)[:first]

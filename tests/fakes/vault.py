"""Sealing that anyone can read."""

import json
from dataclasses import replace

from domain.errors import (
    CredentialUnreadable,
)
from domain.model.catalogue import FormValues
from domain.model.credential import SealContext, Sealed
from domain.model.ids import KeyId, TenantId
from domain.model.secret import Secret
from domain.model.tenant import TenantKey


class FakeVault:
    """Seals by writing down: the form and what it is bound to, legible to whoever looks."""

    master_key_id = "fake"

    def forget(self, tenant_id: TenantId) -> None:
        """It remembers nothing."""

    async def keypair(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey:
        return TenantKey(tenant_id, key_id, b"public", b"wrapped", self.master_key_id)

    async def rewrapped(self, key: TenantKey) -> TenantKey:
        if key.wrapped_private == b"broken":
            raise CredentialUnreadable
        return replace(key, wrapped_private=key.wrapped_private + b"'", master_key_id=self.master_key_id)

    async def seal(self, key: TenantKey, context: SealContext, values: FormValues) -> Sealed:
        form = {n: [v.reveal(), True] if isinstance(v, Secret) else [v, False] for n, v in values.items()}
        return Sealed(key.id, json.dumps([str(key.id), repr(context), form]).encode())

    async def open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        key_id, bound_to, form = json.loads(sealed.envelope)
        if (key_id, bound_to) != (str(key.id), repr(context)):
            raise CredentialUnreadable
        return {name: Secret(value) if secret else value for name, (value, secret) in form.items()}

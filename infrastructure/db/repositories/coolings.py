"""Which credentials rest after a refusal of their vendor."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from domain.model.credential import Cooling
from domain.model.ids import CredentialId
from infrastructure.db.fence import Rows
from infrastructure.db.tables import coolings, credentials


@dataclass(frozen=True, slots=True)
class SqlCoolings:
    rows: Rows

    async def put(self, cooling: Cooling) -> None:
        """A call may outlive its credential: the lock keeps the row that the rest refers to until it is written."""
        credential = select(credentials.c.id).where(
            self.rows.mine(credentials), credentials.c.id == cooling.credential_id
        )
        if not await self.rows.all(credential.with_for_update(read=True, key_share=True)):
            return
        key = {"credential_id": cooling.credential_id}
        await self.rows.put(coolings, key, until=cooling.until, reason=cooling.reason)

    async def clear(self, credential_id: CredentialId) -> None:
        await self.rows.remove(coolings, credential_id=credential_id)

    async def all(self) -> Sequence[Cooling]:
        found = await self.rows.all(select(coolings).where(self.rows.mine(coolings)))
        return [Cooling(CredentialId(row.credential_id), row.until, row.reason) for row in found]

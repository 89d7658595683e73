"""What every table is made of: moments in UTC, the tenant that leads its key, and what it hangs on."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, DateTime, Dialect, ForeignKeyConstraint, MetaData, TypeDecorator, Uuid


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def tenant() -> Column[Any]:
    return Column("tenant_id", Uuid, primary_key=True)


def of_tenant() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE")


def of_person() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["person_id"], ["people.id"], ondelete="CASCADE")


def of_client() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "client_id"], ["clients.tenant_id", "clients.id"], ondelete="CASCADE")


def of_consent() -> ForeignKeyConstraint:
    """Good as long as its consent; without a person there is none to hang on."""
    key = ["tenant_id", "client_id", "person_id"]
    return ForeignKeyConstraint(key, [f"consents.{column}" for column in key], ondelete="CASCADE")


def of_chain() -> ForeignKeyConstraint:
    """Appending locks the chain and nothing above it, so that it never waits for who closes the tenant."""
    return ForeignKeyConstraint(["tenant_id"], ["audit_chains.tenant_id"], ondelete="CASCADE")

"""The tables. `tenant_id` leads the key of each that is a tenant's, so that rows can be fenced and partitioned."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from infrastructure.db.access_tables import DIRECTORY
from infrastructure.db.columns import Instant, metadata, of_tenant, tenant

__all__ = ["DIRECTORY", "metadata"]

tenants = Table(
    "tenants",
    metadata,
    tenant(),
    Column("name", String(100), nullable=False),
    Column("opened_at", Instant, nullable=False),
)

tenant_keys = Table(
    "tenant_keys",
    metadata,
    tenant(),
    Column("id", Uuid, primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("wrapped_private", LargeBinary, nullable=False),
    Column("master_key_id", String(32), nullable=False),
    of_tenant(),
)

credentials = Table(
    "credentials",
    metadata,
    tenant(),
    Column("id", Uuid, primary_key=True),
    Column("provider", String(50), nullable=False),
    Column("name", String(100), nullable=False),
    Column("model", String(200)),
    Column("model_type", String(20)),
    Column("public", JSON, nullable=False),
    Column("masked", JSON, nullable=False),
    Column("endpoint", String(2_000), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("proved_at", Instant, nullable=False),
    Column("key_id", Uuid, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("scope", String(230), nullable=False),  # what it reaches: "" for a provider, "type:model" for a hosted model
    Column("active", Boolean, nullable=False),
    Column("weight", Integer, nullable=False),
    UniqueConstraint("tenant_id", "provider", "scope", "name"),
    Index("credentials_key_id_idx", "tenant_id", "key_id", "id"),
    ForeignKeyConstraint(["tenant_id", "key_id"], ["tenant_keys.tenant_id", "tenant_keys.id"], ondelete="CASCADE"),
    of_tenant(),
)

coolings = Table(
    "coolings",
    metadata,
    tenant(),
    Column("credential_id", Uuid, primary_key=True),
    Column("until", Instant, nullable=False),
    Column("reason", String(40), nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "credential_id"], ["credentials.tenant_id", "credentials.id"], ondelete="CASCADE"
    ),
)

custom_models = Table(
    "custom_models",
    metadata,
    tenant(),
    Column("provider", String(50), primary_key=True),
    Column("type", String(20), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("label", String(200), nullable=False),
    Column("features", JSON, nullable=False),
    Column("context", BigInteger),
    Column("max_output", BigInteger),
    Column("dimensions", Integer),
    Column("price", JSON(none_as_null=True)),
    Column("imported", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    of_tenant(),
)

disabled_models = Table(
    "disabled_models",
    metadata,
    tenant(),
    Column("provider", String(50), primary_key=True),
    Column("type", String(20), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("at", Instant, nullable=False),
    of_tenant(),
)

default_models = Table(
    "default_models",
    metadata,
    tenant(),
    Column("type", String(20), primary_key=True),
    Column("provider", String(50), nullable=False),
    Column("model", String(200), nullable=False),
    of_tenant(),
)

preferred_sources = Table(
    "preferred_sources",
    metadata,
    tenant(),
    Column("provider", String(50), primary_key=True),
    Column("source", String(10), nullable=False),
    of_tenant(),
)

caps = Table(
    "caps",
    metadata,
    tenant(),
    Column("id", Uuid, primary_key=True),
    Column("subject", String(20), nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("unit", String(10), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("period", String(10), nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("amount >= 0", name="amount"),
    UniqueConstraint("tenant_id", "subject", "subject_id", "unit", "period"),
    of_tenant(),
)

pots = Table(
    "pots",
    metadata,
    tenant(),
    Column("id", Uuid, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("provider", String(50)),  # NULL: a pool over all providers
    Column("unit", String(10), nullable=False),
    Column("granted", BigInteger),
    Column("used", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closes_at", Instant),
    Column("cap_id", Uuid),
    Column("models", JSON(none_as_null=True)),
    Column("weights", JSON, nullable=False, server_default="{}"),
    ForeignKeyConstraint(["tenant_id", "cap_id"], ["caps.tenant_id", "caps.id"], ondelete="CASCADE"),
    CheckConstraint("used >= 0 AND held >= 0 AND (granted IS NULL OR used + held <= granted)", name="balance"),
    of_tenant(),
)

grants = Table(
    "grants",
    metadata,
    tenant(),
    Column("id", Uuid, primary_key=True),
    Column("pot_id", Uuid, nullable=False),
    Column("amount", BigInteger),  # below zero for a revocation, NULL for unlimited
    Column("reason", String(300), nullable=False),
    Column("granted_by", Uuid, nullable=False),
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(["tenant_id", "pot_id"], ["pots.tenant_id", "pots.id"], ondelete="CASCADE"),
)

holds = Table(
    "holds",
    metadata,
    tenant(),
    Column("call_id", Uuid, primary_key=True),
    Column("pot_id", Uuid, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("charged", BigInteger),
    Column("state", String(10), nullable=False),
    Column("expires_at", Instant, nullable=False),
    CheckConstraint("amount >= 0 AND (charged IS NULL OR (charged >= 0 AND charged <= amount))", name="charge"),
    ForeignKeyConstraint(["tenant_id", "pot_id"], ["pots.tenant_id", "pots.id"], ondelete="CASCADE"),
    Index(
        "holds_due_idx",
        "tenant_id",
        "expires_at",
        postgresql_where=text("state = 'held'"),
        sqlite_where=text("state = 'held'"),
    ),
)

call_records = Table(
    "call_records",
    metadata,
    tenant(),
    Column("id", Uuid, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("client_id", Uuid, nullable=False),
    Column("credential_id", Uuid),
    Column("provider", String(50), nullable=False),
    Column("model", String(200), nullable=False),
    Column("type", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("latency_ms", Integer, nullable=False),
    Column("job", String(20), nullable=False, server_default="chat"),
    Column("audio_ms", BigInteger),
    Column("characters", BigInteger),
    Column("cost_nanos", BigInteger),
    Column("currency", String(3)),
    Index("call_records_at_idx", "tenant_id", "at"),
    Index("call_records_credential_id_idx", "tenant_id", "credential_id", "at"),
    Index("call_records_client_id_idx", "tenant_id", "client_id", "at"),
    of_tenant(),
)

incidents = Table(
    "incidents",
    metadata,
    tenant(),
    Column("call_id", Uuid, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("reason", String(300), nullable=False),
    of_tenant(),
)

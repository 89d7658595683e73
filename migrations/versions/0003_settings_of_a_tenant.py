"""What a tenant sets: active, weighted credentials, models of its own, caps; what is granted; what calls cost."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("coolings", "custom_models", "disabled_models", "caps", "grants")
COUNTED = ("audio_ms", "characters", "cost_nanos")


def upgrade() -> None:
    _credentials()
    _models()
    _quotas()
    with op.batch_alter_table("call_records") as table:
        table.add_column(sa.Column("job", sa.String(20), nullable=False, server_default="chat"))
        for name in COUNTED:
            table.add_column(sa.Column(name, sa.BigInteger()))
        table.add_column(sa.Column("currency", sa.String(3)))
    op.create_index("call_records_credential_id_idx", "call_records", ["tenant_id", "credential_id", "at"])
    op.create_index("call_records_client_id_idx", "call_records", ["tenant_id", "client_id", "at"])
    if op.get_bind().dialect.name == "postgresql":
        raise_fences(TABLES)


def _credentials() -> None:
    with op.batch_alter_table("credentials") as table:
        table.add_column(sa.Column("scope", sa.String(230), nullable=False, server_default=""))
        table.add_column(sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()))
        table.add_column(sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))
    op.execute("UPDATE credentials SET scope = model_type || ':' || model WHERE model IS NOT NULL")
    with op.batch_alter_table("credentials") as table:
        for name in ("scope", "active", "weight"):
            table.alter_column(name, server_default=None)
        table.drop_constraint("credentials_tenant_id_provider_name_key", type_="unique")
        table.create_unique_constraint(
            "credentials_tenant_id_provider_scope_name_key", ["tenant_id", "provider", "scope", "name"]
        )
    op.create_index("credentials_key_id_idx", "credentials", ["tenant_id", "key_id", "id"])
    op.create_table(
        "coolings",
        _tenant(),
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "credential_id"],
            ["credentials.tenant_id", "credentials.id"],
            name="coolings_tenant_id_credential_id_fk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "credential_id", name="coolings_pk"),
    )


def _models() -> None:
    op.create_table(
        "custom_models",
        _tenant(),
        *_ref(),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("context", sa.BigInteger()),
        sa.Column("max_output", sa.BigInteger()),
        sa.Column("dimensions", sa.Integer()),
        sa.Column("price", sa.JSON()),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of_tenant("custom_models"),
        sa.PrimaryKeyConstraint("tenant_id", "provider", "type", "name", name="custom_models_pk"),
    )
    op.create_table(
        "disabled_models",
        _tenant(),
        *_ref(),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _of_tenant("disabled_models"),
        sa.PrimaryKeyConstraint("tenant_id", "provider", "type", "name", name="disabled_models_pk"),
    )


def _quotas() -> None:
    op.create_table(
        "caps",
        _tenant(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(20), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.String(10), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("caps_amount_check")),
        _of_tenant("caps"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="caps_pk"),
        sa.UniqueConstraint(
            "tenant_id",
            "subject",
            "subject_id",
            "unit",
            "period",
            name="caps_tenant_id_subject_subject_id_unit_period_key",
        ),
    )
    with op.batch_alter_table("pots") as table:
        table.alter_column("provider", existing_type=sa.String(50), nullable=True)
        table.add_column(sa.Column("closes_at", sa.DateTime(timezone=True)))
        table.add_column(sa.Column("cap_id", sa.Uuid()))
        table.add_column(sa.Column("models", sa.JSON()))
        table.add_column(sa.Column("weights", sa.JSON(), nullable=False, server_default="{}"))
        table.create_foreign_key(
            "pots_tenant_id_cap_id_fk", "caps", ["tenant_id", "cap_id"], ["tenant_id", "id"], ondelete="CASCADE"
        )
    op.create_table(
        "grants",
        _tenant(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pot_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger()),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "pot_id"],
            ["pots.tenant_id", "pots.id"],
            name="grants_tenant_id_pot_id_fk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="grants_pk"),
    )


def raise_fences(tables: Sequence[str]) -> None:
    """Row-level security as on the tables of the first schema."""
    mine = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({mine})")


def downgrade() -> None:
    """What the older schema has no place for goes: pools, caps and their holds, and names used twice at a provider."""
    for name in ("grants", "custom_models", "disabled_models", "coolings"):
        op.drop_table(name)
    op.execute("DELETE FROM holds WHERE pot_id IN (SELECT id FROM pots WHERE provider IS NULL OR cap_id IS NOT NULL)")
    op.execute("DELETE FROM pots WHERE provider IS NULL OR cap_id IS NOT NULL")
    with op.batch_alter_table("pots") as table:
        table.drop_constraint("pots_tenant_id_cap_id_fk", type_="foreignkey")
        for name in ("closes_at", "cap_id", "models", "weights"):
            table.drop_column(name)
        table.alter_column("provider", existing_type=sa.String(50), nullable=False)
    op.drop_table("caps")
    op.drop_index("call_records_client_id_idx", "call_records")
    op.drop_index("call_records_credential_id_idx", "call_records")
    with op.batch_alter_table("call_records") as table:
        for name in ("job", *COUNTED, "currency"):
            table.drop_column(name)
    op.drop_index("credentials_key_id_idx", "credentials")
    op.execute(
        "DELETE FROM credentials WHERE EXISTS (SELECT 1 FROM credentials older WHERE older.name = credentials.name"
        " AND older.tenant_id = credentials.tenant_id AND older.provider = credentials.provider"
        " AND older.id < credentials.id)"
    )
    with op.batch_alter_table("credentials") as table:
        table.drop_constraint("credentials_tenant_id_provider_scope_name_key", type_="unique")
        table.create_unique_constraint("credentials_tenant_id_provider_name_key", ["tenant_id", "provider", "name"])
        for name in ("scope", "active", "weight"):
            table.drop_column(name)


def _tenant() -> sa.Column[object]:
    return sa.Column("tenant_id", sa.Uuid(), nullable=False)


def _of_tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id"], ["tenants.tenant_id"], name=f"{table}_tenant_id_fk", ondelete="CASCADE"
    )


def _ref() -> list[sa.Column[object]]:
    return [
        sa.Column("provider", sa.String(50), nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
    ]

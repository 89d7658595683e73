"""People above all tenants; members, partners, consents and what OAuth keeps; the chain of what was done."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DIRECTORY = ("people", "passwords", "identities", "sessions", "resets", "sign_in_failures", "signing_keys")
TABLES = (
    "members",
    "invitations",
    "consents",
    "refresh_tokens",
    "codes",
    "devices",
    "assertions",
    "audit_chains",
    "audit_entries",
)
CLIENT = (
    "kind",
    "providers",
    "models",
    "redirect_uris",
    "resource",
    "jwks",
    "created_by",
    "secret_hint",
    "old_secret_digest",
    "old_secret_until",
    "expires_at",
    "suspended_at",
    "last_used_at",
)


def upgrade() -> None:
    _directory()
    _clients()
    _members()
    _grants()
    _tokens()
    _audit()
    if op.get_bind().dialect.name == "postgresql":
        raise_fences()


def _directory() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("people_pk")),
        sa.UniqueConstraint("email", name=op.f("people_email_key")),
    )
    op.create_table(
        "passwords",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("passwords_person_id_fk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("passwords_pk")),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("identities_person_id_fk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("identities_pk")),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("sessions_person_id_fk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("sessions_pk")),
    )
    op.create_index("sessions_person_id_idx", "sessions", ["person_id"], unique=False)
    op.create_table(
        "resets",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("resets_person_id_fk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("resets_pk")),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("sign_in_failures_pk")),
    )
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public", sa.String(length=2000), nullable=False),
        sa.Column("wrapped_private", sa.LargeBinary(), nullable=False),
        sa.Column("master_key_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("signing_keys_pk")),
    )


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("members_person_id_fk"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.tenant_id"], name=op.f("members_tenant_id_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name=op.f("members_pk")),
    )
    op.create_index("members_person_id_idx", "members", ["person_id"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.tenant_id"], name=op.f("invitations_tenant_id_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("invitations_pk")),
        sa.UniqueConstraint("tenant_id", "digest", name=op.f("invitations_tenant_id_digest_key")),
    )
    op.create_table(
        "consents",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", sa.String(length=1000), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("consents_tenant_id_client_id_fk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["members.tenant_id", "members.person_id"],
            name=op.f("consents_tenant_id_person_id_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", "person_id", name=op.f("consents_pk")),
    )
    op.create_index("consents_person_id_idx", "consents", ["tenant_id", "person_id"], unique=False)


def _grants() -> None:
    op.create_table(
        "refresh_tokens",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", sa.String(length=1000), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resource", sa.String(length=2000), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "person_id"],
            ["consents.tenant_id", "consents.client_id", "consents.person_id"],
            name=op.f("refresh_tokens_tenant_id_client_id_person_id_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("refresh_tokens_pk")),
    )
    op.create_index("refresh_tokens_family_id_idx", "refresh_tokens", ["tenant_id", "family_id"], unique=False)
    op.create_table(
        "codes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", sa.String(length=1000), nullable=False),
        sa.Column("redirect_uri", sa.String(length=2000), nullable=False),
        sa.Column("challenge", sa.String(length=128), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nonce", sa.String(length=500), nullable=True),
        sa.Column("resource", sa.String(length=2000), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "person_id"],
            ["consents.tenant_id", "consents.client_id", "consents.person_id"],
            name=op.f("codes_tenant_id_client_id_person_id_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("codes_pk")),
    )
    op.create_table(
        "devices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_code", sa.String(length=8), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", sa.String(length=1000), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resource", sa.String(length=2000), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "person_id"],
            ["consents.tenant_id", "consents.client_id", "consents.person_id"],
            name=op.f("devices_tenant_id_client_id_person_id_fk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("devices_tenant_id_client_id_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("devices_pk")),
        sa.UniqueConstraint("tenant_id", "user_code", name=op.f("devices_tenant_id_user_code_key")),
    )
    op.create_table(
        "assertions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("jti", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["clients.tenant_id", "clients.id"],
            name=op.f("assertions_tenant_id_client_id_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", "jti", name=op.f("assertions_pk")),
    )


def _audit() -> None:
    op.create_table(
        "audit_chains",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("master_key_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.tenant_id"], name=op.f("audit_chains_tenant_id_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("audit_chains_pk")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("outcome", sa.String(length=60), nullable=False),
        sa.Column("request_id", sa.String(length=60), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["audit_chains.tenant_id"], name=op.f("audit_entries_tenant_id_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("audit_entries_pk")),
    )


def _clients() -> None:
    with op.batch_alter_table("clients") as table:
        table.alter_column("secret_digest", existing_type=sa.LargeBinary(), nullable=True)
        table.add_column(sa.Column("kind", sa.String(10), nullable=False, server_default="service"))
        table.add_column(sa.Column("providers", sa.JSON()))
        table.add_column(sa.Column("models", sa.JSON()))
        table.add_column(sa.Column("redirect_uris", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("resource", sa.String(2_000)))
        table.add_column(sa.Column("jwks", sa.JSON()))
        table.add_column(sa.Column("created_by", sa.Uuid()))
        table.add_column(sa.Column("secret_hint", sa.String(8)))
        table.add_column(sa.Column("old_secret_digest", sa.LargeBinary()))
        for name in ("old_secret_until", "expires_at", "suspended_at", "last_used_at"):
            table.add_column(sa.Column(name, sa.DateTime(timezone=True)))
    with op.batch_alter_table("clients") as table:
        table.alter_column("kind", server_default=None)
        table.alter_column("redirect_uris", server_default=None)


def _tokens() -> None:
    with op.batch_alter_table("tokens") as table:
        table.add_column(sa.Column("person_id", sa.Uuid()))
        table.add_column(sa.Column("family_id", sa.Uuid()))
        table.add_column(sa.Column("resource", sa.String(2_000)))
        key = ["tenant_id", "client_id", "person_id"]
        table.create_foreign_key("tokens_tenant_id_client_id_person_id_fk", "consents", key, key, ondelete="CASCADE")
    op.create_index("tokens_family_id_idx", "tokens", ["tenant_id", "family_id"])


def raise_fences() -> None:
    """The directory is there only for a transaction that says it works on it; a tenant sees of it who its members are.

    What works on the directory sees which tenants a person is in, and changes nothing of theirs.
    """
    bound = "nullif(current_setting('app.tenant_id', true), '')::uuid"
    for table in TABLES:
        _fence(table, "tenant", f"tenant_id = {bound}")
    above = "current_setting('app.directory', true) = 'on'"
    for table in DIRECTORY:
        _fence(table, "directory", above)
    for table in ("members", "tenants"):
        op.execute(f"CREATE POLICY directory ON {table} FOR SELECT USING ({above})")
    here = f"FROM members WHERE tenant_id = {bound}"
    op.execute(f"CREATE POLICY colleagues ON people FOR SELECT USING (id IN (SELECT person_id {here}))")


def _fence(table: str, name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {name} ON {table} USING ({condition}) WITH CHECK ({condition})")


def downgrade() -> None:
    """People go, and the applications that they alone could let in, or that have no secret."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP POLICY colleagues ON people")
        op.execute("DROP POLICY directory ON tenants")
    op.execute(
        "DELETE FROM tokens WHERE person_id IS NOT NULL"
        " OR client_id IN (SELECT id FROM clients WHERE secret_digest IS NULL OR kind <> 'service')"
    )
    with op.batch_alter_table("tokens") as table:
        table.drop_constraint("tokens_tenant_id_client_id_person_id_fk", type_="foreignkey")
        table.drop_index("tokens_family_id_idx")
        for name in ("person_id", "family_id", "resource"):
            table.drop_column(name)
    for name in reversed(TABLES):
        op.drop_table(name)
    op.execute("DELETE FROM clients WHERE secret_digest IS NULL OR kind <> 'service'")
    with op.batch_alter_table("clients") as table:
        for name in CLIENT:
            table.drop_column(name)
        table.alter_column("secret_digest", existing_type=sa.LargeBinary(), nullable=False)
    for name in reversed(DIRECTORY):
        op.drop_table(name)

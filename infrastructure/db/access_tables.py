"""The tables of people, applications and what they may: the directory above all tenants, and each tenant's own part."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from infrastructure.db.columns import Instant, metadata, of_chain, of_client, of_consent, of_person, of_tenant, tenant

people = Table(
    "people",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(254), nullable=False),
    Column("name", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("email"),
)

passwords = Table(
    "passwords",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("hash", String(300), nullable=False),
    of_person(),
)

identities = Table(
    "identities",
    metadata,
    Column("issuer", String(300), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person_id", Uuid, nullable=False),
    of_person(),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("signed_in_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("browser", String(200), nullable=False),
    Index("sessions_person_id_idx", "person_id"),
    of_person(),
)

resets = Table(
    "resets",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("expires_at", Instant, nullable=False),
    of_person(),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("public", String(2_000), nullable=False),
    Column("wrapped_private", LargeBinary, nullable=False),
    Column("master_key_id", String(32), nullable=False),
    Column("created_at", Instant, nullable=False),
)

DIRECTORY = (people, passwords, identities, sessions, resets, sign_in_failures, signing_keys)
"""What belongs to no tenant: on PostgreSQL a policy hides it from every transaction that is bound to one."""

members = Table(
    "members",
    metadata,
    tenant(),
    Column("person_id", Uuid, primary_key=True),
    Column("role", String(10), nullable=False),
    Column("joined_at", Instant, nullable=False),
    Index("members_person_id_idx", "person_id"),
    of_person(),
    of_tenant(),
)

invitations = Table(
    "invitations",
    metadata,
    tenant(),
    Column("id", Uuid, primary_key=True),
    Column("email", String(254), nullable=False),
    Column("role", String(10), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("invited_by", Uuid),
    UniqueConstraint("tenant_id", "digest"),
    of_tenant(),
)

clients = Table(
    "clients",
    metadata,
    tenant(),
    Column("id", Uuid, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("secret_digest", LargeBinary),
    Column("scopes", String(1_000), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("providers", JSON(none_as_null=True)),  # NULL beside NULL models: every model
    Column("models", JSON(none_as_null=True)),
    Column("redirect_uris", JSON, nullable=False),
    Column("resource", String(2_000)),
    Column("jwks", JSON(none_as_null=True)),
    Column("created_by", Uuid),
    Column("secret_hint", String(8)),
    Column("old_secret_digest", LargeBinary),
    Column("old_secret_until", Instant),
    Column("expires_at", Instant),
    Column("suspended_at", Instant),
    Column("last_used_at", Instant),
    of_tenant(),
)

consents = Table(
    "consents",
    metadata,
    tenant(),
    Column("client_id", Uuid, primary_key=True),
    Column("person_id", Uuid, primary_key=True),
    Column("scopes", String(1_000), nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Index("consents_person_id_idx", "tenant_id", "person_id"),
    of_client(),
    ForeignKeyConstraint(["tenant_id", "person_id"], ["members.tenant_id", "members.person_id"], ondelete="CASCADE"),
)

tokens = Table(
    "tokens",
    metadata,
    tenant(),
    Column("digest", LargeBinary, primary_key=True),
    Column("client_id", Uuid, nullable=False),
    Column("scopes", String(1_000), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("person_id", Uuid),
    Column("family_id", Uuid),
    Column("resource", String(2_000)),
    Index("tokens_family_id_idx", "tenant_id", "family_id"),
    of_client(),
    of_consent(),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    tenant(),
    Column("digest", LargeBinary, primary_key=True),
    Column("client_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("scopes", String(1_000), nullable=False),
    Column("family_id", Uuid, nullable=False),
    Column("signed_in_at", Instant, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("resource", String(2_000)),
    Column("used_at", Instant),
    Index("refresh_tokens_family_id_idx", "tenant_id", "family_id"),
    of_consent(),
)

codes = Table(
    "codes",
    metadata,
    tenant(),
    Column("digest", LargeBinary, primary_key=True),
    Column("client_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("scopes", String(1_000), nullable=False),
    Column("redirect_uri", String(2_000), nullable=False),
    Column("challenge", String(128), nullable=False),
    Column("family_id", Uuid, nullable=False),
    Column("signed_in_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("nonce", String(500)),
    Column("resource", String(2_000)),
    Column("used_at", Instant),
    of_consent(),
)

devices = Table(
    "devices",
    metadata,
    tenant(),
    Column("digest", LargeBinary, primary_key=True),
    Column("user_code", String(8), nullable=False),
    Column("client_id", Uuid, nullable=False),
    Column("scopes", String(1_000), nullable=False),
    Column("family_id", Uuid, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("decision", String(10), nullable=False),
    Column("person_id", Uuid),
    Column("signed_in_at", Instant),
    Column("polled_at", Instant),
    Column("resource", String(2_000)),
    UniqueConstraint("tenant_id", "user_code"),
    of_client(),
    of_consent(),
)

assertions = Table(
    "assertions",
    metadata,
    tenant(),
    Column("client_id", Uuid, primary_key=True),
    Column("jti", LargeBinary, primary_key=True),  # its SHA-256
    Column("expires_at", Instant, nullable=False),
    of_client(),
)

audit_chains = Table(
    "audit_chains",
    metadata,
    tenant(),
    Column("length", BigInteger, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("master_key_id", String(32), nullable=False),
    of_tenant(),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    tenant(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("client_id", Uuid),
    Column("person_id", Uuid),
    Column("action", String(60), nullable=False),
    Column("target", String(300), nullable=False),
    Column("outcome", String(60), nullable=False),
    Column("request_id", String(60)),
    Column("mac", LargeBinary, nullable=False),
    of_chain(),
)

"""The role that serves: it may touch rows and never the schema, and row-level security binds it."""

import base64
import hashlib
import hmac
import secrets

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

_KNOWN = text("SELECT 1 FROM pg_roles WHERE rolname = :name")
_KEPT = text(
    "SELECT string_agg(relname, ', ') FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " AND relname IN ('call_records', 'incidents', 'grants', 'audit_entries')"
)

_CHAINED = text("SELECT to_regclass('public.audit_chains')")


async def let_in(connection: AsyncConnection, app: URL) -> None:
    """Grant the role of `app` its rows, but no change of what a call or a deed left behind; create it if absent."""
    role = connection.dialect.identifier_preparer.quote(app.username or "")
    if not await connection.scalar(_KNOWN, {"name": app.username}):
        password = f"PASSWORD '{scram(app.password)}'" if app.password else ""
        await connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS {password}")
    kept = await connection.scalar(_KEPT)  # an older schema has fewer of them
    for statement in (
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"REVOKE UPDATE, DELETE ON {kept} FROM {role}",
        *([f"REVOKE DELETE ON audit_chains FROM {role}"] if await connection.scalar(_CHAINED) else []),
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
    ):
        await connection.exec_driver_sql(statement)


def scram(password: str, salt: bytes | None = None, rounds: int = 4096) -> str:
    """What PostgreSQL stores of a password (RFC 5803), so that the password itself is in no statement and no log."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${rounds}:{salt64}${stored64}:{server64}"

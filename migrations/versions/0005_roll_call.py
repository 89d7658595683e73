"""A transaction that takes the roll call sees which tenants there are; on PostgreSQL their fence hides that."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        calling = "current_setting('app.roll_call', true) = 'on'"
        op.execute(f"CREATE POLICY roll_call ON tenants FOR SELECT USING ({calling})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP POLICY roll_call ON tenants")

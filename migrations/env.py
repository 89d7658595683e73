"""Alembic's entry: it works on the connection that `infrastructure.db.migrate` hands over."""

from alembic import context

from infrastructure.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

"""A hold, and a settlement, in one statement of PostgreSQL.

The functions run as their caller, so row-level security binds them too. They name the tenant before anything else, for
the transaction that the statement is; each line touches its hold, then its pot, in the order in which they come.

A settlement does not wait for the disk. One that is lost when the database crashes leaves its hold, which is charged in
full when it expires, so no call gets cheaper by it; the record of a call on an own key is lost with it. A hold waits.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

HOLD = """
CREATE FUNCTION hold_quota(tenant uuid, call uuid, pot_ids uuid[], amounts bigint[], until timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', tenant::text, true);
    FOR i IN 1 .. cardinality(pot_ids) LOOP
        INSERT INTO holds (tenant_id, call_id, pot_id, amount, state, expires_at)
        VALUES (tenant, call, pot_ids[i], amounts[i], 'held', until)
        ON CONFLICT DO NOTHING;
        CONTINUE WHEN NOT FOUND;
        UPDATE pots SET held = held + amounts[i]
        WHERE tenant_id = tenant AND id = pot_ids[i] AND (granted IS NULL OR granted - used - held >= amounts[i]);
        CONTINUE WHEN FOUND;
        RAISE 'too little is free' USING DETAIL = (
            SELECT json_build_object('pot', kind, 'unit', unit, 'free', granted - used - held, 'asked', amounts[i])
            FROM pots WHERE tenant_id = tenant AND id = pot_ids[i]);
    END LOOP;
END $$
"""

SETTLE = """
CREATE FUNCTION settle_call(entry jsonb, closing text, due bigint, incident text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    call call_records := jsonb_populate_record(NULL::call_records, entry);
    line record;
BEGIN
    PERFORM set_config('app.tenant_id', call.tenant_id::text, true);
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO call_records SELECT call.* ON CONFLICT DO NOTHING;
    FOR line IN
        WITH closed AS (
            UPDATE holds SET state = closing, charged = greatest(0, least(amount, due))
            WHERE tenant_id = call.tenant_id AND call_id = call.id AND state = 'held'
            RETURNING pot_id, amount, charged)
        SELECT * FROM closed ORDER BY pot_id
    LOOP
        UPDATE pots SET held = held - line.amount, used = used + line.charged
        WHERE tenant_id = call.tenant_id AND id = line.pot_id;
    END LOOP;
    IF incident IS NOT NULL THEN
        INSERT INTO incidents (tenant_id, call_id, at, reason)
        VALUES (call.tenant_id, call.id, call.at, left(incident, 300))
        ON CONFLICT DO NOTHING;
    END IF;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(HOLD)
        op.execute(SETTLE)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION hold_quota, settle_call")

"""A hold opens the windows of caps that it touches, and a settlement charges each pot in its own unit.

Both stay one statement, with the promises of the functions that they replace. All locks of a call on pots come in the
order of their ids, and before those on its holds: so does the removal of a cap lock, which takes its windows and their
holds along.
"""

from importlib import import_module

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

HOLD = """
CREATE FUNCTION hold_quota(
    tenant uuid, call uuid, pot_ids uuid[], amounts bigint[], until timestamptz, windows jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    short record;
BEGIN
    PERFORM set_config('app.tenant_id', tenant::text, true);
    FOR i IN 1 .. cardinality(pot_ids) LOOP
        IF windows IS NOT NULL THEN
            INSERT INTO pots (tenant_id, id, kind, unit, granted, used, held, opened_at, closes_at, cap_id)
            SELECT tenant, pane.id, pane.kind, pane.unit, caps.amount, 0, 0, pane.opened_at, pane.closes_at, caps.id
            FROM jsonb_populate_recordset(NULL::pots, windows) pane
            JOIN caps ON caps.tenant_id = tenant AND caps.id = pane.cap_id
            WHERE pane.id = pot_ids[i]
            ON CONFLICT DO NOTHING;
        END IF;
        INSERT INTO holds (tenant_id, call_id, pot_id, amount, state, expires_at)
        VALUES (tenant, call, pot_ids[i], amounts[i], 'held', until)
        ON CONFLICT DO NOTHING;
        CONTINUE WHEN NOT FOUND;
        LOOP
            UPDATE pots SET held = held + amounts[i]
            WHERE tenant_id = tenant AND id = pot_ids[i] AND (granted IS NULL OR granted - used - held >= amounts[i]);
            EXIT WHEN FOUND;
            SELECT kind, unit, granted - used - held AS free, amounts[i] AS asked, closes_at
            INTO short FROM pots WHERE tenant_id = tenant AND id = pot_ids[i];
            IF short.free < short.asked THEN  -- else something was given back since the update looked
                RAISE 'too little is free' USING DETAIL = to_json(short);
            END IF;
        END LOOP;
    END LOOP;
END $$
"""

SETTLE = """
CREATE FUNCTION settle_call(entry jsonb, closing text, charges jsonb, incident text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    call call_records := jsonb_populate_record(NULL::call_records, entry);
    line record;
BEGIN
    PERFORM set_config('app.tenant_id', call.tenant_id::text, true);
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO call_records SELECT call.* ON CONFLICT DO NOTHING;
    PERFORM FROM pots
    WHERE tenant_id = call.tenant_id AND id IN (
        SELECT pot_id FROM holds WHERE tenant_id = call.tenant_id AND call_id = call.id AND state = 'held')
    ORDER BY id FOR NO KEY UPDATE;
    FOR line IN
        WITH closed AS (
            UPDATE holds SET state = closing, charged = CASE closing
                WHEN 'released' THEN 0
                ELSE greatest(0, least(amount, coalesce((charges ->> pot_id::text)::bigint, amount))) END
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
    _replace(HOLD, SETTLE)


def downgrade() -> None:
    before = import_module("migrations.versions.0002_a_hold_in_one_statement")
    _replace(before.HOLD, before.SETTLE)


def _replace(*functions: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION hold_quota, settle_call")
        for function in functions:
            op.execute(function)

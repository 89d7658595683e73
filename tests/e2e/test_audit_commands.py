"""An operator checks from a shell that the records of what was done are what was written."""

import json
import re
from pathlib import Path

from sqlalchemy import delete, update

from infrastructure.db.access_tables import audit_chains, audit_entries
from infrastructure.db.engine import open_engine
from tests.databases import Urls
from tests.e2e.portunus import command, environment, served

SET = """mutation A($input: SetPreferredSourceInput!) {
  setPreferredSource(input: $input) { __typename }
}"""
LOG = "{ auditLog(first: 1) { nodes { seq action requestId application { name } } } }"


async def test_faults_are_told_line_by_line_and_end_with_one(sqlite_urls: Urls, tmp_path: Path) -> None:
    kept = tmp_path / "anchors.jsonl"
    with served(environment(sqlite_urls, "http://127.0.0.1:9"), tmp_path) as portunus:
        opened = portunus.open_tenant("Acme")
        tenant, own = opened["tenant"], portunus.environment
        async with portunus.client_of(opened) as client:
            body = {"query": SET, "variables": {"input": {"provider": "openai", "source": "OWN"}}}
            answer = await client.http.post("/graphql", json=body, headers={"X-Request-Id": "from-the-proxy-1"})
            assert answer.headers["X-Request-Id"] == "from-the-proxy-1"
            (entry,) = (await client.ask(LOG))["auditLog"]["nodes"]
            assert (entry["action"], entry["requestId"]) == ("preferred_source.set", "from-the-proxy-1")
            assert entry["application"] == {"name": "first client"}
            another = (await client.http.get("/livez")).headers["X-Request-Id"]
            assert re.fullmatch(r"[0-9a-f]{32}", another)
    sound = command(own, "audit", "verify")
    assert (sound.returncode, sound.stdout) == (0, f"{tenant} is sound: 2 entries\n")
    anchors = command(own, "audit", "anchor")
    assert json.loads(anchors.stdout)["length"] == 2
    kept.write_text(anchors.stdout)
    assert command(own, "audit", "verify", tenant, "--anchors", str(kept)).returncode == 0

    owner = open_engine(sqlite_urls.owner)
    async with owner.begin() as connection:
        await connection.execute(update(audit_entries).where(audit_entries.c.seq == 1).values(target="another"))
    edited = command(own, "audit", "verify", tenant)
    assert (edited.returncode, edited.stdout) == (1, f"{tenant} 1 altered\n")
    async with owner.begin() as connection:
        await connection.execute(delete(audit_chains))
    await owner.dispose()
    assert command(own, "audit", "verify").returncode == 0
    gone = command(own, "audit", "verify", "--anchors", str(kept))
    assert (gone.returncode, gone.stdout) == (1, f"{tenant} 2 shorter than its anchor\n")
    kept.write_text("nonsense\n")
    assert "line 1 is not an anchor" in command(own, "audit", "verify", "--anchors", str(kept)).stderr
    assert command(own, "close-tenant", tenant, "--yes").returncode == 0
    kept.write_text(anchors.stdout)
    closed = command(own, "audit", "verify", "--anchors", str(kept))
    assert (closed.returncode, closed.stdout) == (0, "")
    assert f"{tenant} has an anchor and is not open" in closed.stderr
    assert command(own, "audit", "verify", tenant).returncode == 2

"""What an operator's log says, as it is written: by a process of its own, since logging is the whole process's."""

import json
import subprocess
import sys
from typing import Any

import pytest

from demo.servers import ROOT

TOKEN = "ptn_at_" + "0314iChbrtMsZrWC1WOloHMHJg60X58oAaPJYVx7gDyJ6p05vOkMZhHaQSBasgax01F9PDs"
BEGIN = "import logging, structlog\nfrom infrastructure.logs import configure_logs\nconfigure_logs('{level}')\n"


def written(statements: str, level: str = "DEBUG") -> list[dict[str, Any]]:
    """The lines that these statements leave in the log, each of which must be JSON."""
    code = BEGIN.format(level=level) + statements
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_an_event_is_one_line_whatever_is_in_it() -> None:
    forged = '\\r\\n{"event": "all is well", "level": "info"}\\x1b[2K\\u2028'
    (ours, others) = written(
        f"structlog.get_logger().warning('it came {forged}', name='{forged}')\n"
        f"logging.getLogger('uvicorn.error').info('it came %s', '{forged}')"
    )
    assert [line["level"] for line in (ours, others)] == ["warning", "info"]
    assert all("\n" in line["event"] for line in (ours, others))
    assert "all is well" in ours["name"]


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_what_looks_like_a_secret_is_blotted_at_every_level(level: str) -> None:
    """As the server's own parts write it: sockets tell each header at DEBUG, libraries what they were given."""
    lines = written(
        f"told = logging.getLogger('uvicorn.error')\n"
        f"told.debug('< %s: %s', 'authorization', 'Bearer {TOKEN}')\n"
        f"told.debug('< TEXT %r', {{'Authorization': 'Bearer {TOKEN}'}})\n"
        f"told.warning('> %s', '{TOKEN}')\n"
        f"logging.getLogger('authlib.oauth2').debug('Authenticate %s', '{TOKEN}')\n"
        f"try:\n    raise ValueError('{TOKEN} is wrong')\nexcept ValueError:\n    told.exception('it failed')\n"
        f"structlog.get_logger().error('no', client_secret='x{TOKEN[7:]}', form_token='y', note='basic {TOKEN[7:]}')",
        level,
    )
    assert len(lines) == (5 if level == "DEBUG" else 3)
    assert TOKEN[7:27] not in json.dumps(lines)

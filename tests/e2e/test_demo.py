"""What a newcomer sees: the demo runs, shows the main job, can be run again, and explains a taken port."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo.servers import ROOT, free_port


def demo(home: Path, port: int, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", "--port", str(port), "--home", str(home), *options]
    environment = {**os.environ, "DEMO_EXIT": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)


def steps(text: str) -> list[str]:
    return re.findall(r"^ *▸ (.*)$", text, re.MULTILINE)


def test_the_demo_does_what_the_readme_says(tmp_path: Path) -> None:
    shown = demo(tmp_path / "demo", free_port())
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert steps(shown.stdout) == steps((ROOT / "README.md").read_text())
    for fact in (
        "CREDENTIAL_REJECTED",
        "'hi' → 'Hello from a tiny real model.'",
        "paid by: PLATFORM, PLATFORM, PLATFORM, OWN, OWN",
        "3 of 3 calls used",
        "credentials: 0, the other's credential by its id: None",
        "curl -s",
    ):
        assert fact in shown.stdout
    assert "sk-the-right-key" not in shown.stdout


def test_it_runs_again_and_says_when_a_stub_answers(tmp_path: Path) -> None:
    for _ in range(2):
        shown = demo(tmp_path / "demo", free_port(), "--stub")
        assert shown.returncode == 0, shown.stdout + shown.stderr
        assert "A stub answers in place of a real model" in shown.stdout
        assert "paid by: PLATFORM, PLATFORM, PLATFORM, OWN, OWN" in shown.stdout


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
def test_a_taken_port_is_a_clear_message(tmp_path: Path, host: str) -> None:
    with socket.create_server((host, 0)) as taken:
        port = taken.getsockname()[1]
        shown = demo(tmp_path / "demo", port)
    assert shown.returncode == 1
    assert f"Port {port} is taken" in shown.stderr

"""The unit of systemd confines what it starts, and the page about it tells figures that are so."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging/bittern.service"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def settings() -> dict[str, str]:
    lines = (line for line in UNIT.read_text().splitlines() if re.match(r"[A-Z]\w+=", line))
    return dict(line.split("=", 1) for line in lines)


def test_the_unit_confines_what_it_starts() -> None:
    chosen = settings()
    for name in ("NoNewPrivileges", "PrivateTmp", "MemoryDenyWriteExecute", "ProtectKernelLogs"):
        assert chosen[name] == "yes", name
    assert chosen["ProtectSystem"] == "strict"
    assert chosen["CapabilityBoundingSet"] == ""
    assert chosen["UMask"] == "0077"
    assert chosen["LimitCORE"] == "0"
    assert chosen["LoadCredentialEncrypted"].startswith("bittern-key:")


def test_the_key_is_no_setting_of_the_unit() -> None:
    assert not re.search(r"[0-9a-fA-F]{32}", UNIT.read_text())


@needs_systemd
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    program = shutil.which("true")
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/bin/bittern", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "bittern.service" not in done.stderr


@needs_systemd
def test_the_exposure_is_what_the_page_says(tmp_path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for bittern\.service: ([0-9.]+)", done.stdout)
    if found is None:
        pytest.skip("this systemd does not look at a unit that is not installed")
    assert float(found[1]) <= 1.5
    told = re.search(r"exposure of ([0-9.]+)", (ROOT / "docs/hardening.md").read_text())
    assert told is not None
    assert abs(float(told[1]) - float(found[1])) <= 0.3  # versions of systemd differ a little

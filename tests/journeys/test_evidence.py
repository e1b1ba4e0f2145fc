"""An auditor signs in, builds a pack of one account, downloads it, and verifies it with Python alone; another
one, whose role ends, is signed out.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import in_every_look
from tests.journeys.conftest import Running, SignIn
from tests.journeys.test_campaign import reload_until

pytestmark = pytest.mark.journey


def test_an_auditor_takes_a_pack_along_and_verifies_it(
    sign_in: SignIn, console: Running, tmp_path: Path
) -> None:
    auditor = sign_in("amara.diallo")
    auditor.goto("/")
    expect(auditor.get_by_role("heading", name="Your audit")).to_be_visible()
    auditor.get_by_role("link", name="New evidence pack").click()
    auditor.get_by_label("About").select_option(label="PCI DSS v4.0.1")
    auditor.get_by_label("production").check()
    auditor.get_by_role("button", name="Build pack").click()
    expect(auditor).to_have_url(re.compile(r"/evidence/[0-9a-f-]{36}/"))
    reload_until(auditor, auditor.get_by_role("heading", name="Ready to download"))
    with auditor.expect_download() as pack_download:
        auditor.get_by_role("link", name="Download ZIP").click()
    with auditor.expect_download() as script_download:
        auditor.get_by_role("link", name="verify_evidence.py").click()
    pack, script = tmp_path / "pack.zip", tmp_path / "verify_evidence.py"
    pack_download.value.save_as(pack)
    script_download.value.save_as(script)
    key = auditor.locator("#ver").inner_text().rpartition("--key ")[2].strip()
    command = [sys.executable, "-I", "-S", str(script), str(pack), "--key", key]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout
    assert "ok     requirements.csv" in answer.stdout
    assert in_every_look(auditor) == []

    raw = bytearray(pack.read_bytes())
    raw[len(raw) // 2] ^= 1
    pack.write_bytes(bytes(raw))
    assert subprocess.run(command, capture_output=True).returncode == 1


def test_an_auditor_draws_a_sample_and_exports_it(sign_in: SignIn) -> None:
    auditor = sign_in("amara.diallo")
    auditor.goto("/evidence/")
    auditor.get_by_role("link", name="Draw a sample").click()
    seed = auditor.get_by_label("Seed").input_value()
    auditor.get_by_label("Changes to sample").fill("2")
    auditor.get_by_role("button", name="Draw sample").click()
    expect(auditor.get_by_role("heading", name=re.compile(r"2 of \d+ changes drawn"))).to_be_visible()
    expect(auditor.get_by_text("AWS showed it as requested after").first).to_be_visible()
    with auditor.expect_download() as download:
        auditor.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename == f"sample-{seed}.csv"
    assert in_every_look(auditor) == []

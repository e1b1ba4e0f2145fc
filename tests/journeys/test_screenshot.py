"""The picture in the README is the overview of the sample organization; GATEHOUSE_SCREENSHOT=1 makes it
anew.
"""

from __future__ import annotations

import os
import struct

import pytest
from playwright.sync_api import expect

from tests.house_rules import ROOT
from tests.journeys.conftest import SignIn

pytestmark = pytest.mark.journey

PICTURE = ROOT / "docs" / "overview.png"
SIZE = (1440, 900)


def test_the_readme_shows_the_overview(sign_in: SignIn) -> None:
    page = sign_in("ines.duarte")
    page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
    page.goto("/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    # Calculated by a worker: the picture is not of the moment before.
    expect(page.get_by_text("can become administrator:")).to_be_visible()
    if os.environ.get("GATEHOUSE_SCREENSHOT"):
        page.screenshot(path=PICTURE, animations="disabled")
    assert "](docs/overview.png)" in (ROOT / "README.md").read_text(encoding="utf-8")
    head = PICTURE.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == SIZE

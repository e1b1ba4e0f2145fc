"""Frameworks in the browser: a person attests, an exception takes a second one, and the rows are exported."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.axe import in_every_look
from tests.journeys.conftest import SignIn
from tests.journeys.test_campaign import reload_until

pytestmark = pytest.mark.journey
PCI = "/compliance/pci-dss-4.0.1/"


def _decide(page: Page, requirement: str, kind: str, reason: str) -> None:
    page.goto(f"{PCI}{requirement}/")
    page.get_by_label("Decision").select_option(label=kind)
    page.get_by_label("What was looked at, and why").fill(reason)
    page.get_by_label("Valid until").fill(f"{datetime.now(tz=UTC).date() + timedelta(days=60)}")
    page.get_by_role("button", name="Submit").click()


def test_attest_except_and_export(sign_in: SignIn, tmp_path: Path) -> None:
    ines, hana = sign_in("ines.duarte"), sign_in("hana.sato")
    ines.goto(PCI)
    reload_until(ines, ines.get_by_text("8.2.1 One identity for each person"))
    # The sample's decisions arrive together once all is judged. Later ones would replace those made here.
    ines.goto(f"{PCI}8.2.8/")
    reload_until(ines, ines.get_by_text("Laptops lock after 10 minutes", exact=False))

    before = f"{datetime.now(tz=UTC):%Y-%m-%dT%H:%M:%S}"
    ines.wait_for_timeout(1100)
    _decide(ines, "8.3.5", "Attest that it is met", "Read how first passwords are given out.")
    expect(ines.get_by_text("Attested.", exact=True)).to_be_visible()
    expect(ines.get_by_text("Attested as met").first).to_be_visible()

    # The sample has none that waits about this one.
    hana.goto(f"{PCI}?tab=waiting")
    expect(hana.get_by_role("link", name=re.compile(r"^8\.2\.2 "))).to_have_count(0)
    _decide(ines, "8.2.2", "Request a dated exception", "The kiosk user, until each clerk has a badge.")
    expect(ines.get_by_text("Another approver or administrator has to decide.")).to_be_visible()
    expect(ines.get_by_text("Waiting for", exact=False).last).to_be_visible()
    expect(ines.get_by_role("button", name="Approve")).to_have_count(0)

    hana.goto(f"{PCI}?tab=waiting")
    hana.get_by_role("link", name=re.compile(r"^8\.2\.2 ")).click()
    expect(hana.get_by_text("The kiosk user, until each clerk has a badge.")).to_be_visible()
    hana.get_by_role("button", name="Approve").click()
    expect(hana.get_by_text("Approved.", exact=True)).to_be_visible()
    assert in_every_look(hana) == []

    ines.goto(PCI)
    now = _exported(ines, tmp_path)
    assert len(now) == 52
    assert now["8.3.5"]["state"] == "passed"
    assert "kiosk" in now["8.2.2"]["exception"]
    # As of the moment before, as a worker judges it.
    ines.goto(f"{PCI}?as-of={before}")
    expect(ines.locator(".pastbar")).to_be_visible()
    row = ines.locator("li, tr").filter(has=ines.get_by_role("link", name=re.compile(r"^8\.3\.5 "))).last
    expect(row).to_contain_text("Needs a person")
    then = _exported(ines, tmp_path)
    assert len(then) == 52
    assert then["8.3.5"]["state"] == "needs a person"
    assert "kiosk" not in then["8.2.2"]["exception"]


def _exported(page: Page, folder: Path) -> dict[str, dict[str, str]]:
    """The rows of the CSV file of a framework, by requirement."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    download.value.save_as(folder / "pci.csv")
    with (folder / "pci.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["requirement"]: row for row in csv.DictReader(file)}


def test_a_limited_auditor_sees_their_framework_alone(sign_in: SignIn) -> None:
    ines, amara = sign_in("ines.duarte"), sign_in("amara.diallo")
    ines.goto("/operators/")
    ines.get_by_role("link", name="Amara Diallo").click()
    ines.get_by_label("PCI DSS v4.0.1", exact=True).check()
    ines.get_by_role("button", name="Save scope").click()
    expect(ines.get_by_text("Sees only: PCI DSS v4.0.1, all accounts")).to_be_visible()
    assert in_every_look(ines) == []

    amara.goto("/")
    expect(amara).to_have_url(re.compile(r"/sign-in/"))
    amara.close()
    ines.get_by_label("PCI DSS v4.0.1", exact=True).uncheck()
    ines.get_by_role("button", name="Save scope").click()
    expect(ines.get_by_text("Sees everything in the accounts of the role.")).to_be_visible()

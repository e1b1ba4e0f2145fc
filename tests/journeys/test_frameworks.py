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

    _decide(ines, "8.3.2", "Attest that it is met", "Read the encryption settings of the store.")
    expect(ines.get_by_text("Attested.", exact=True)).to_be_visible()
    expect(ines.get_by_text("Attested as met").first).to_be_visible()

    _decide(ines, "8.5.1", "Request a dated exception", "The break-glass user, until the new token is here.")
    expect(ines.get_by_text("Another approver or administrator has to decide.")).to_be_visible()
    expect(ines.get_by_text("Waiting for", exact=False).last).to_be_visible()
    expect(ines.get_by_role("button", name="Approve")).to_have_count(0)

    hana.goto(f"{PCI}?tab=waiting")
    hana.get_by_role("link", name=re.compile(r"^8\.5\.1 ")).click()
    hana.get_by_role("button", name="Approve").click()
    expect(hana.get_by_text("Approved.", exact=True)).to_be_visible()
    assert in_every_look(hana) == []

    ines.goto(PCI)
    with ines.expect_download() as download:
        ines.get_by_role("link", name="Export CSV").click()
    download.value.save_as(tmp_path / "pci.csv")
    with (tmp_path / "pci.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["requirement"]: row for row in csv.DictReader(file)}
    assert len(rows) == 52


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

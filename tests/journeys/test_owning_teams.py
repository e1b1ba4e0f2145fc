"""An administrator gives machine users owning teams from their tags and reviews matches; a lead then starts
the rotation of such a key.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import violations
from tests.journeys.conftest import SignIn

pytestmark = pytest.mark.journey


def test_a_machine_user_gets_an_owning_team_whose_lead_rotates_its_key(sign_in: SignIn) -> None:
    ines = sign_in("ines.duarte")
    ines.goto("/people/owners/")
    expect(ines.get_by_role("heading", name="Machine users without an owning team")).to_be_visible()
    assert violations(ines) == []
    ines.get_by_label(re.compile("^Owning team of pos-uplink")).select_option("payments")
    ines.get_by_role("button", name="Save owning teams").click()
    expect(ines.get_by_text("an owning team now")).to_be_visible()
    ines.goto("/people/links/review/")
    expect(ines.get_by_role("heading", name="Review matches")).to_be_visible()
    assert violations(ines) == []

    elif_ = sign_in("elif.kaya")
    elif_.goto("/keys/?owner=payments")
    expect(elif_.get_by_text("Owned by Payments").first).to_be_visible()
    assert violations(elif_) == []
    elif_.get_by_role("link", name=re.compile("^Rotate AKIA")).first.click()
    expect(elif_.get_by_role("heading", name="Owned by Payments")).to_be_visible()
    expect(elif_.get_by_label("Who gets the secret")).to_contain_text("Elif Kaya (you)")
    assert violations(elif_) == []
    elif_.goto("/")
    expect(elif_.get_by_role("heading", name="Who is stuck")).to_be_visible()
    assert violations(elif_) == []

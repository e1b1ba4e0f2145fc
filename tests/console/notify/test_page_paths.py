"""The pages that messages lead to are where the messages say."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import pytest
from django.urls import resolve, reverse

from console.notify.page_paths import PAGE_PATHS
from iam.notify.pages import MessagePage, path_of

KEY: Final = UUID("0b6f3a52-51d4-4f0e-9a3c-2f6d1c4b7a10")
PAGES: Final = {
    MessagePage.APPROVALS: ("changes:approvals", ()),
    MessagePage.ASSERTION: ("findings:assertion", (KEY,)),
    MessagePage.CAMPAIGN: ("mfa:campaign", (KEY,)),
    MessagePage.CHANGE_REVIEW: ("changes:review", (KEY,)),
    MessagePage.DUTIES_RULE: ("reviews:rule", (KEY,)),
    MessagePage.FINDING: ("findings:finding", (7,)),
    MessagePage.FINDINGS: ("findings:list", ()),
    MessagePage.GRANT: ("access:grant", (KEY,)),
    MessagePage.LEAVER: ("offboarding:leaver", (KEY,)),
    MessagePage.LINK: ("mfa:link", ("word",)),
    MessagePage.MESSAGE: ("notify:follow-link", ("word",)),
    MessagePage.MFA_REPLACEMENT: ("mfa:replacement", (KEY,)),
    MessagePage.NEWCOMER: ("onboarding:run", (KEY,)),
    MessagePage.NOTIFICATIONS: ("notify:preferences", ()),
    MessagePage.REQUEST: ("changes:request", (KEY,)),
    MessagePage.REQUIREMENT: ("compliance:requirement", ("pci-dss-4.0.1", "8.2.2")),
    MessagePage.REVIEW: ("reviews:campaign", (KEY,)),
    MessagePage.ROTATION: ("keys:rotation", (KEY,)),
    MessagePage.RULES_PROPOSAL: ("changes:proposal", (KEY,)),
    MessagePage.SOURCE_REQUEST: ("activity:source-request", (KEY,)),
}


def test_every_page_has_a_path() -> None:
    assert set(PAGE_PATHS) == set(PAGES) == set(MessagePage)


@pytest.mark.parametrize("page", MessagePage)
def test_the_path_of_a_page_is_its_address(page: MessagePage) -> None:
    name, keys = PAGES[page]
    path = path_of(page, *keys, *(["nora"] if page == MessagePage.NEWCOMER else []))
    assert path.partition("?")[0] == reverse(name, args=keys)


def test_the_user_of_an_invitation_is_searched_for() -> None:
    assert path_of(MessagePage.NEWCOMER, KEY, "nora") == f"/onboarding/{KEY}/?q=nora"
    assert resolve(f"/onboarding/{KEY}/").view_name == "onboarding:run"

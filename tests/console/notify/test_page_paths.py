"""The pages that messages lead to are where the messages say."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import pytest
from django.urls import resolve, reverse

from console.notify.page_paths import PAGE_PATHS
from iam.notify.pages import Page, path_of

KEY: Final = UUID("0b6f3a52-51d4-4f0e-9a3c-2f6d1c4b7a10")
PAGES: Final = {
    Page.APPROVALS: ("changes:approvals", ()),
    Page.CAMPAIGN: ("mfa:campaign", (KEY,)),
    Page.CHANGE_REVIEW: ("changes:review", (KEY,)),
    Page.GRANT: ("access:grant", (KEY,)),
    Page.LEAVER: ("offboarding:leaver", (KEY,)),
    Page.LINK: ("mfa:link", ("word",)),
    Page.MESSAGE: ("notify:follow", ("word",)),
    Page.MFA_REPLACEMENT: ("mfa:replacement", (KEY,)),
    Page.NEWCOMER: ("onboarding:run", (KEY,)),
    Page.NOTIFICATIONS: ("notify:preferences", ()),
    Page.REQUEST: ("changes:request", (KEY,)),
    Page.ROTATION: ("keys:rotation", (KEY,)),
    Page.RULES_PROPOSAL: ("changes:proposal", (KEY,)),
}


def test_every_page_has_a_path() -> None:
    assert set(PAGE_PATHS) == set(PAGES) == set(Page)


@pytest.mark.parametrize("page", Page)
def test_the_path_of_a_page_is_its_address(page: Page) -> None:
    name, keys = PAGES[page]
    path = path_of(page, *keys, *(["nora"] if page == Page.NEWCOMER else []))
    assert path.partition("?")[0] == reverse(name, args=keys)


def test_the_user_of_an_invitation_is_searched_for() -> None:
    assert path_of(Page.NEWCOMER, KEY, "nora") == f"/onboarding/{KEY}/?q=nora"
    assert resolve(f"/onboarding/{KEY}/").view_name == "onboarding:run"

"""Each link of each page of an entity leads somewhere, for who may change things and for who may not."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from iam.directory.models import Role
from tests.console.identities.details.conftest import SignIn, Small

LINK = re.compile(r'<a\b[^>]*\bhref="([^"]+)"')


def links_of(client: Client, address: str) -> set[str]:
    """The addresses within Gatehouse to which a page links."""
    response = client.get(address)
    assert response.status_code == 200, address
    matches = {html.unescape(link) for link in LINK.findall(response.content.decode())}
    return {link for link in matches if not link.startswith(("#", "https://", "mailto:"))}


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_each_link_of_each_page_of_an_entity_leads_somewhere(
    small: Small, sign_in: SignIn, role: Role
) -> None:
    client = sign_in(role)
    broken = {}
    seen: set[str] = set()
    for name, address in small.addresses().items():
        for link in links_of(client, address) - seen:
            seen.add(link)
            status = client.get(link if link.startswith("/") else f"{address}{link}").status_code
            if status >= 400:
                broken[f"{name}: {link}"] = status
    assert len(seen) > 30
    assert broken == {}


def test_change_on_the_credentials_tab_asks_about_the_same_user(small: Small, sign_in: SignIn) -> None:
    administrator = sign_in(Role.ADMINISTRATOR)
    expected = f"/changes/acts/?on={small.maya.pk}"
    for page in ("person", "credentials", "person history"):
        assert expected in links_of(administrator, small.addresses()[page]), page

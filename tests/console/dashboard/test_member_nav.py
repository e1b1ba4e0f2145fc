"""A member reads the same words in the navigation and on the page to which it leads."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from iam.directory.models import Role
from tests import factories

pytestmark = pytest.mark.django_db


def test_each_page_of_a_member_is_called_as_in_the_navigation() -> None:
    client = Client()
    client.force_login(factories.operator(Role.MEMBER, name="Tomas Lind"))
    nav = client.get("/").content.decode().partition('aria-label="Main"')[2].partition("</nav>")[0]
    links = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', nav)
    assert len(links) == 5
    for address, label in links:
        page = client.get(address).content.decode()
        title = re.search(r"<title>\s*(.*?)\s*·", page, re.DOTALL)
        assert title is not None
        assert title[1].strip() == label.strip()

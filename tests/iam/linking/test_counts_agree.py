"""The list of people and the page of each of their users say the same of how many IAM users a person has, and
in how many accounts.
"""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from iam.directory.models import Role
from tests.console.linking.test_pages import World, page, world

__all__ = ["world"]

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
COUNT = re.compile(r"\d+ IAM users? in \d+ accounts?")


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.TEAM_LEAD])
def test_the_list_and_the_page_of_each_user_count_alike(world: World, role: Role) -> None:
    client = world.browser(role, name="Somebody Else")
    listed = " ".join(client.get(reverse("linking:persons")).content.decode().split())
    row = listed[listed.index("Maya Okafor") :]
    match = COUNT.search(row)
    assert match is not None
    users = [world.first] if role is Role.TEAM_LEAD else [world.first, world.by_tag, world.by_hand]
    for user in users:
        assert COUNT.findall(page(client, user))[:1] == [match.group(0)]

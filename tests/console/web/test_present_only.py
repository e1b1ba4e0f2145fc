"""A page that has no past view, opened with an as-of date, leads to the present and says so; what changes
something is refused.
"""

from __future__ import annotations

import pytest
from django.test import Client

from iam.directory.models import Role
from tests import factories

pytestmark = pytest.mark.django_db
PAST = "as-of=2026-01-05T09:05:00"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    return client


@pytest.mark.parametrize("query", [PAST, f"account=111111111111&{PAST}"])
def test_a_page_of_the_present_leaves_the_date_out(admin: Client, query: str) -> None:
    factories.account("111111111111")
    answer = admin.get(f"/people/links/?{query}", follow=True)
    assert answer.redirect_chain == [(f"/people/links/?{query}".replace(PAST, "").rstrip("?&"), 302)]
    assert answer.status_code == 200
    assert "shows the present only" in answer.content.decode()


def test_a_form_of_the_past_changes_nothing(admin: Client) -> None:
    assert admin.post(f"/people/links/?{PAST}").status_code in (404, 405)

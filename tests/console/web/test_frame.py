"""The frame around the pages of anyone who looks after nobody: one frame, and no way into the console."""

from __future__ import annotations

import pytest
from django.test import Client

from iam.directory.models import Role
from tests import factories
from tests.iam.changes.site import signed_in

pytestmark = pytest.mark.django_db


def page(client: Client, address: str) -> str:
    """The text of a page."""
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("address", ["/", "/changes/", "/profile/", "/sign-in/factors/"])
def test_a_member_has_one_frame_on_all_pages(address: str) -> None:
    client = signed_in(factories.operator(Role.MEMBER, name="Kwame Boateng"))
    seen = page(client, address)
    assert 'class="solo"' in seen
    assert 'aria-label="Console"' not in seen
    for link in ("/", "/changes/", "/profile/"):
        assert f'href="{link}"' in seen


def test_whoever_has_no_role_is_led_nowhere_but_to_their_profile() -> None:
    seen = page(signed_in(factories.operator(None, name="Nina Nobody")), "/profile/")
    assert 'href="/"' not in seen
    assert 'href="/changes/"' not in seen

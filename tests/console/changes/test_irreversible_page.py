"""The page of what AWS does not give back."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.irreversible import losses, returns
from iam.directory.models import Role
from tests import factories
from tests.iam.changes.site import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in(factories.operator(Role.AUDITOR, name="Amara Diallo"))


def test_each_operation_is_listed_with_what_is_lost_and_what_can_be_undone_instead(client: Client) -> None:
    page = client.get(reverse("changes:irreversible"))
    assert all(
        part in page.content.decode()
        for loss in losses()
        for part in (loss.deed, loss.reason, loss.alternative)
    )
    assert all(
        part in page.content.decode() for returned in returns() for part in (returned.deed, returned.sentence)
    )


def test_the_list_of_changes_leads_there(client: Client) -> None:
    assert reverse("changes:irreversible") in client.get(reverse("changes:list")).content.decode()

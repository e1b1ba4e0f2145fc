"""The overview keeps the statements that it asks, never what they found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import Account, Section
from iam.mirror.queries.account_pages import accounts_by_need
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_account_is_old_when_its_time_has_come() -> None:
    account, viewer = factories.account(), factories.viewer()
    factories.synced(account, at=datetime.now(tz=UTC))
    assert accounts_by_need(viewer, account=account) == accounts_by_need(viewer) == [(account.pk, False)]
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=400)):
        assert accounts_by_need(viewer, account=account) == accounts_by_need(viewer) == [(account.pk, True)]


def test_somebody_sees_what_was_added_and_removed_since_they_last_looked() -> None:
    factories.synced(factories.account(), at=datetime.now(tz=UTC))
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))

    def page() -> str:
        cache.clear()
        return client.get("/").content.decode()

    assert "Accounts that need attention" not in page()
    other = factories.account("222222222222", name="sandbox")
    Section.objects.create(account=other, name="users", state="denied")
    after = page()
    assert "Accounts that need attention" in after
    assert "sandbox" in after
    Section.objects.filter(account=other).delete()
    assert "Accounts that need attention" not in page()
    Account.objects.filter(pk=other.pk).update(removed_at=datetime.now(tz=UTC))
    assert "sandbox" not in page()

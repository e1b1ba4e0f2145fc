"""The mark beside the link to the approvals, on every page of anyone who may decide."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.web import context
from iam.directory.models import Role
from tests import factories
from tests.iam.changes.site import Site, signed_in

MARK = 'data-tone="warn">{}<span class="sr"> to approve</span>'


def page(client: Client, address: str = "/") -> str:
    """The text of a page."""
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_whoever_may_decide_sees_everywhere_how_much_waits(site: Site) -> None:
    assert " to approve</span>" not in page(site.approver, "/people/")
    site.asked()
    assert MARK.format(1) in page(site.approver, "/people/")
    assert " to approve</span>" not in page(site.asker, "/people/")


def test_who_decides_nothing_pays_no_query_for_it(site: Site) -> None:
    site.asked()
    auditor = signed_in(factories.operator(Role.AUDITOR, name="Amara Diallo"))
    page(auditor)
    with CaptureQueriesContext(connection) as captured:
        page(auditor, "/profile/")
    assert [q["sql"] for q in captured if "changes_change" in q["sql"]] == []


def test_a_great_many_are_not_counted_to_the_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "MAX_BADGE", 0)
    site.asked()
    assert MARK.format("0+") in page(site.approver)

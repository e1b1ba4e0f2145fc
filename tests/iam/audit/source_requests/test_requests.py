"""A CloudTrail source is added, changed and removed by two people, whatever page or command asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied

from iam.activity.sources import services
from iam.activity.sources.models import SourceKind, TrailSource
from iam.activity.sources.services import SourceTerms
from iam.audit.source_requests import requests
from iam.audit.source_requests.models import SourceRequest
from iam.audit.source_requests.requests import SourceRequestRefusedError
from iam.directory.models import Role
from iam.guard import Viewer
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models import Account
from tests import factories
from tests.iam.activity.sources.aws import reader, source

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CONSOLE = Path(services.__file__).parents[3] / "console"
WRITERS = ("add_source(", "change_source(", "remove_source(", "TrailSource.objects.create(")


@pytest.fixture
def account() -> Account:
    return reader()


@pytest.fixture
def requester() -> Viewer:
    return factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")


@pytest.fixture
def approver() -> Viewer:
    return factories.viewer(Role.APPROVER, name="Hana Sato")


def terms(account: Account) -> SourceTerms:
    return SourceTerms(
        SourceKind.BUCKET, account, date(2026, 1, 1), bucket="northline-trail", region="eu-west-1"
    )


def addition(account: Account, by: Viewer) -> SourceRequest:
    return requests.request_addition(terms(account), reason="New trail", actor=by, now=NOW)


def test_the_console_writes_no_source_itself() -> None:
    for path in CONSOLE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not [name for name in WRITERS if name in text], path


def test_nobody_decides_about_their_own_request(account: Account, requester: Viewer) -> None:
    row = addition(account, requester)
    with pytest.raises(SourceRequestRefusedError, match="Another approver"):
        requests.decide(row, is_approved=True, actor=requester, now=NOW)
    assert not TrailSource.objects.exists()
    requests.decide(row, is_approved=True, actor=requester, now=NOW, is_single=True)
    assert TrailSource.objects.get().created_by == "Ines Duarte"


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.MEMBER])
def test_only_who_manages_accounts_requests(account: Account, role: Role) -> None:
    with pytest.raises(PermissionDenied):
        addition(account, factories.viewer(role, name="Someone"))
    assert not SourceRequest.objects.exists()


def test_a_request_is_decided_once(account: Account, requester: Viewer, approver: Viewer) -> None:
    row = addition(account, requester)
    requests.decide(row, is_approved=True, actor=approver, now=NOW)
    with pytest.raises(SourceRequestRefusedError, match="decided already"):
        requests.decide(row, is_approved=True, actor=approver, now=NOW)
    assert TrailSource.objects.count() == 1


def test_what_can_no_longer_be_done_is_not_decided(
    account: Account, requester: Viewer, approver: Viewer
) -> None:
    row = addition(account, requester)
    Account.objects.filter(pk=account.pk).update(removed_at=NOW)
    with pytest.raises(SetupError, match="no longer connected"):
        requests.decide(row, is_approved=True, actor=approver, now=NOW)
    row.refresh_from_db()
    assert row.state == "requested"
    assert requests.decide(row, is_approved=False, actor=approver, now=NOW).state == "declined"


def test_two_requests_to_add_the_same_end_in_one_source(
    account: Account, requester: Viewer, approver: Viewer
) -> None:
    first, second = addition(account, requester), addition(account, requester)
    requests.decide(first, is_approved=True, actor=approver, now=NOW)
    with pytest.raises(SetupError, match="reads this already"):
        requests.decide(second, is_approved=True, actor=approver, now=NOW)
    assert TrailSource.objects.count() == 1


def test_a_change_of_nothing_is_refused(account: Account, requester: Viewer) -> None:
    row = source(account)
    same = services.checked_terms(services.terms_of(row))
    with pytest.raises(SourceRequestRefusedError, match="Nothing is changed"):
        requests.request_change(row, same, reason="x", actor=requester, now=NOW)
    other = replace(same, bucket="other-trail")
    assert requests.request_change(row, other, reason="x", actor=requester, now=NOW).before != {}


def test_a_removed_source_is_not_changed(account: Account, requester: Viewer, approver: Viewer) -> None:
    row = source(account)
    asked = requests.request_removal(row, reason="Gone", actor=requester, now=NOW)
    TrailSource.objects.filter(pk=row.pk).update(removed_at=NOW)
    with pytest.raises(SourceRequestRefusedError, match="removed already"):
        requests.decide(asked, is_approved=True, actor=approver, now=NOW)

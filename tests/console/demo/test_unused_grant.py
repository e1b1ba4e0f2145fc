"""The sample's old grant: no recorded call used it, its finding says so, and its dates fit together."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from console.demo.grants import SAMPLES, date_back, give_samples
from console.demo.organisation.people import ACCOUNT_IDS
from iam.access.grants.models import Grant
from iam.access.grants.services.reconcile import settle
from iam.activity.models import TrailEvent
from iam.activity.sources.covered_accounts import MAY_MISS
from iam.audit.findings.calculation import is_due
from iam.audit.findings.report import rows_now
from iam.changes.models import Change
from iam.directory.models import Identity, Person, Role
from iam.mirror.models import Account, Entity, Kind
from tests import factories
from tests.iam.changes.operations.stage import applied

pytestmark = pytest.mark.django_db
PLANTED = json.loads((Path(__file__).parent / "planted_activity.json").read_text(encoding="utf-8"))["grants"]
KIND = "grant-not-used"


def _people() -> None:
    """Those whom the samples name, each with the user of the same name in production."""
    names = {who for sample in SAMPLES for who in (sample.asker, sample.receiver, *sample.approvers)}
    users = Entity.objects.filter(kind=Kind.USER, name__in=names, account__name="production")
    for name in sorted(names):
        email = f"{name}@northline.example"
        person = Person.objects.filter(email=email).first() or factories.person(name, email=email)
        if not person.assignments.exists():
            factories.assign(person, Role.APPROVER)
        for user in users.filter(name=name):
            Identity.objects.get_or_create(user_arn=user.arn, defaults={"person": person})


def _given(accounts: list[Account], settings: Settings) -> Grant:
    """The planted grant, requested, approved, applied, and dated back."""
    settings.EMBEDDED = True
    list(rows_now(accounts))
    _people()
    assert give_samples() == len(SAMPLES)
    (planted,) = PLANTED
    grant = Grant.objects.get(template=planted["template"])
    assert date_back() == 0
    for change in Change.objects.filter(change_set__in=grant.parts.values("change_set")):
        applied(change)
    settle(grant)
    grant.refresh_from_db()
    assert grant.state == "active"
    list(rows_now(accounts))
    assert date_back() == 1
    # Its finding doesn't wait for the next hour.
    assert is_due(grant.parts.get().account)
    assert date_back() == 0
    grant.refresh_from_db()
    return grant


def test_the_planted_grant_is_found_and_no_other(accounts: list[Account], settings: Settings) -> None:
    grant = _given(accounts, settings)
    (planted,) = PLANTED
    number = ACCOUNT_IDS[planted["account"]]
    events = TrailEvent.objects.filter(
        account_id=number, caller__name=planted["receiver"], service__in=planted["services"]
    )
    assert not events.exists()
    rows = [row for row in rows_now(accounts) if row["kind"] == KIND]
    assert [(row["account"], row["evidence"]["grant"]) for row in rows] == [(number, grant.reference)]
    # The sample’s events come from files.
    assert rows[0]["certainty"] == "conditional"
    assert rows[0]["evidence"]["conditional_because"] == [MAY_MISS]
    assert any(arn.endswith(f"/{planted['receiver']}") for arn in rows[0]["related"])


def test_its_dates_fit_together(accounts: list[Account], settings: Settings) -> None:
    grant = _given(accounts, settings)
    age = timedelta(days=PLANTED[0]["days"])
    now = timezone.now()
    since = grant.parts.get().entries.values_list("since", flat=True)[0]
    moments = [grant.created_at, grant.begins_at, since, grant.versions.get().at]
    for change in Change.objects.filter(change_set__in=grant.parts.values("change_set")):
        moments += [change.created_at, change.queued_at, change.ended_at, change.change_set.created_at]
        moments += [approval.at for approval in change.change_set.approvals.all()]
        moments += [event.at for event in change.events.all()]
        for call in change.calls:
            moments.append(datetime.fromisoformat(call["at"]))
    for moment in moments:
        assert moment is not None
        assert timedelta() <= now - moment - age < timedelta(hours=1)

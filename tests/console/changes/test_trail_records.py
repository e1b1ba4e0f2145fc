"""The page of a change shows what CloudTrail recorded of its calls, or why it shows nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from iam.activity.call_records import AnsweredCall, RecordState, records_of_calls
from iam.changes.models import Change, ChangeState
from iam.directory.models import Role
from tests import factories
from tests.iam.activity.events import happened, identity_of
from tests.iam.changes.site import Site, page_of, signed_in

REQUEST = "4d1c0f5e-0000-4000-8000-00000000000a"
IAM: dict[str, Any] = {
    "eventSource": "iam.amazonaws.com",
    "eventName": "AddUserToGroup",
    "readOnly": False,
}


def _done(site: Site, at: datetime) -> Change:
    """A change whose call AWS answered then."""
    change = site.asked()
    call = change.calls[0] if change.calls else change.receipt["calls"][0]
    change.calls = [call | {"at": at.isoformat(), "milliseconds": 80, "request_id": REQUEST}]
    change.state, change.ended_at = ChangeState.APPLIED, at
    change.save(update_fields=["calls", "state", "ended_at"])
    return change


def _text(client: Client, change: Change) -> str:
    answer = client.get(page_of(change))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


def _recorded(site: Site, at: datetime, request: str = REQUEST, **more: Any) -> None:
    happened(identity_of(site.user), at=at.replace(microsecond=0), requestID=request, **IAM | more)


def test_the_event_of_the_call_is_named_and_linked(site: Site) -> None:
    at = timezone.now() - timedelta(hours=2)
    change = _done(site, at)
    _recorded(site, at)
    # A like call in the same second, with another request ID.
    _recorded(site, at, "4d1c0f5e-0000-4000-8000-00000000000b")
    record = records_of_calls(site.account.account_id, [AnsweredCall(REQUEST, at)])[REQUEST]
    assert record.state is RecordState.RECORDED
    assert record.event is not None
    html = site.approver.get(page_of(change)).content.decode()
    assert "Recorded by CloudTrail" in html
    assert re.search(rf'href="/activity/\d+/{record.event.event_id}/"', html)
    assert site.approver.get(re.findall(r'href="(/activity/\d+/[^"]+)"', html)[0]).status_code == 200


def test_who_does_not_see_the_account_gets_no_link(site: Site) -> None:
    at = timezone.now() - timedelta(hours=2)
    change = _done(site, at)
    _recorded(site, at)
    member = factories.operator(Role.MEMBER, name="Kwame Boateng", arns=(site.user.arn,))
    Change.objects.filter(pk=change.pk).update(requested_by=member.person_id)
    html = signed_in(member).get(page_of(change)).content.decode()
    assert "Recorded by CloudTrail" in html
    assert "/activity/" not in html


@pytest.mark.parametrize(
    ("age", "newest", "says"),
    [
        (timedelta(minutes=1), timedelta(hours=3), "hasn’t recorded it yet"),
        (timedelta(minutes=1), None, "No CloudTrail events of this time are known"),
        (timedelta(hours=2), None, "No CloudTrail events of this time are known"),
        (timedelta(hours=2), timedelta(hours=3), "No CloudTrail events of this time are known"),
        (timedelta(hours=2), timedelta(hours=1), "isn’t among the known CloudTrail events"),
    ],
)
def test_without_an_event_the_page_says_why(
    site: Site, age: timedelta, newest: timedelta | None, says: str
) -> None:
    now = timezone.now()
    change = _done(site, now - age)
    if newest is not None:
        _recorded(site, now - newest, "another-request")
    text = _text(site.approver, change)
    assert says in text
    assert "Recorded by CloudTrail" not in text


def test_a_page_asks_again_only_while_the_record_is_still_to_come(site: Site) -> None:
    now = timezone.now()
    change = _done(site, now - timedelta(minutes=1))
    _recorded(site, now - timedelta(hours=1), "another-request")
    assert "every 15s" in site.approver.get(page_of(change)).content.decode()
    _recorded(site, now - timedelta(minutes=1))
    assert "every 15s" not in site.approver.get(page_of(change)).content.decode()


def test_without_full_records_nothing_is_claimed(site: Site, settings: Any) -> None:
    settings.ACTIVITY_KEEP_EVENTS = False
    at = timezone.now() - timedelta(hours=2)
    _recorded(site, at)
    _recorded(site, at + timedelta(minutes=30))
    record = records_of_calls(site.account.account_id, [AnsweredCall(REQUEST, at)])[REQUEST]
    assert record.state is RecordState.NOT_KEPT


@pytest.mark.django_db
def test_a_text_that_is_no_request_id_is_not_searched_for() -> None:
    assert records_of_calls("111111111111", [AnsweredCall('%"', datetime(2026, 1, 1, tzinfo=UTC))]) == {}

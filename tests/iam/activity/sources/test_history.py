"""The event history: 90 days back and then forward, resumed where it stopped, and each event once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from iam.activity.models import TrailEvent
from iam.activity.sources import history
from iam.activity.sources.models import ReadSpan, SourceKind, SourcePlace, TrailSource
from iam.activity.sources.run import run_source
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.trail_events import PAGE_SIZE, LookupPage
from tests.iam.activity.records import record
from tests.iam.activity.sources.aws import ACCOUNT, source

pytestmark = pytest.mark.django_db


class FakeHistory:
    """The event history of one Region, in pages as AWS gives them: the newest first."""

    def __init__(self) -> None:
        self.events: list[tuple[datetime, str]] = []
        self.asked: list[tuple[datetime, datetime, str]] = []
        self.fails_after: int | None = None

    def add(self, count: int, *, at: datetime) -> None:
        """So many calls at a moment."""
        for _ in range(count):
            text = json.dumps(
                record(eventID=str(uuid4()), eventTime=at.isoformat(), recipientAccountId=ACCOUNT)
            )
            self.events.append((at, text))

    def page(self, aws: Any, *, region: str, start: datetime, end: datetime, token: str = "") -> LookupPage:
        """One answer."""
        if self.fails_after is not None and len(self.asked) >= self.fails_after:
            raise AwsError("Rate exceeded", kind=ErrorKind.THROTTLED, action="cloudtrail:LookupEvents")
        self.asked.append((start, end, token))
        found = sorted((event for event in self.events if start <= event[0] <= end), reverse=True)
        first = int(token or 0)
        texts = tuple(text for _, text in found[first : first + PAGE_SIZE])
        following = str(first + PAGE_SIZE) if len(found) > first + PAGE_SIZE else ""
        return LookupPage(texts, following)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, s3: Any) -> FakeHistory:
    fake = FakeHistory()
    monkeypatch.setattr(history, "lookup_page", fake.page)
    monkeypatch.setattr(history, "regions_of", lambda row, aws: ["us-east-1"])
    return fake


def _source() -> TrailSource:
    first = timezone.now().date() - timedelta(days=200)
    return source(kind=SourceKind.HISTORY, bucket="", region="", since=first)


def _run_all(row: TrailSource) -> int:
    """Run until nothing is left; how many runs that took."""
    oldest = timezone.now() - timedelta(days=89, hours=22)
    for runs in range(1, 100):
        run_source(row.pk)
        if SourcePlace.objects.get().read_from < oldest:
            return runs
    raise AssertionError("it never ends")


def test_ninety_days_are_read_back_and_no_more(cloud: FakeHistory) -> None:
    now = timezone.now()
    for days in (1, 30, 89):
        cloud.add(3, at=now - timedelta(days=days))
    cloud.add(5, at=now - timedelta(days=91))
    _run_all(_source())
    assert TrailEvent.objects.count() == 9
    span = ReadSpan.objects.get()
    assert timedelta(days=89) < now - span.start < timedelta(days=90)
    assert (span.account_id, span.region, span.basis) == (ACCOUNT, "us-east-1", "history")


def test_what_happens_later_is_read_forward_once(cloud: FakeHistory) -> None:
    row = _source()
    _run_all(row)
    place = SourcePlace.objects.get()
    SourcePlace.objects.update(read_until=place.read_until - timedelta(hours=3))
    cloud.add(120, at=timezone.now() - timedelta(hours=2))
    assert run_source(row.pk).stored == 120
    SourcePlace.objects.update(read_until=place.read_until - timedelta(hours=3))
    assert run_source(row.pk).stored == 0
    assert TrailEvent.objects.count() == 120


def test_a_run_that_is_stopped_goes_on_and_loses_nothing(cloud: FakeHistory) -> None:
    now = timezone.now()
    for hour in range(48):
        cloud.add(20, at=now - timedelta(hours=hour + 1))
    row = _source()
    for limit in range(1, 40, 7):
        cloud.asked.clear()
        cloud.fails_after = limit
        run_source(row.pk)
        row.refresh_from_db()
        TrailSource.objects.update(lease_until=None)
        if limit == 1:
            assert "Rate exceeded. It is tried again." in row.error
    cloud.fails_after = None
    _run_all(row)
    assert TrailEvent.objects.count() == 48 * 20
    row.refresh_from_db()
    assert row.error == ""


def test_a_busy_time_is_asked_for_in_shorter_slices(
    cloud: FakeHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGES_OF_PLACE", 4)
    busy = timezone.now() - timedelta(hours=2)
    for minute in range(30):
        cloud.add(20, at=busy + timedelta(minutes=minute))
    _run_all(_source())
    assert TrailEvent.objects.count() == 600


def test_regions_are_asked_at_the_pace_of_aws(cloud: FakeHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    run_source(_source().pk)
    assert waits
    assert waits == [0.5] * len(cloud.asked)


def test_more_than_aws_gives_in_a_minute_stays_a_gap(
    cloud: FakeHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGES_OF_PLACE", 2)
    cloud.add(300, at=timezone.now() - timedelta(hours=2))
    _run_all(_source())
    spans = list(ReadSpan.objects.order_by("start"))
    assert len(spans) == 2
    assert spans[1].start - spans[0].end == history.SHORTEST_SLICE

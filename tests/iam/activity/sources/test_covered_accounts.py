"""How well the events of a period are known, as it is said of findings and as the coverage page says it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from iam.activity.sources.coverage import coverage
from iam.activity.sources.covered_accounts import CoverageGrade, covered_accounts
from iam.activity.sources.models import DigestFile, ReadSpan, SourceFile, SourceKind, SpanBasis, TrailSource
from iam.mirror.models import Account
from tests import factories
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
DAYS = 90
COMPLETE, PARTLY = CoverageGrade.COMPLETE, CoverageGrade.PARTLY_KNOWN


def read(
    account: Account,
    first: float,
    last: float = 0,
    *,
    region: str = "eu-central-1",
    basis: SpanBasis = SpanBasis.LISTING,
) -> None:
    ReadSpan.objects.create(
        account_id=account.account_id,
        region=region,
        basis=basis,
        start=NOW - timedelta(days=first),
        end=NOW - timedelta(days=last),
    )


def read_by_two_sources(account: Account) -> None:
    read(account, 100, 40, basis=SpanBasis.DIGEST)
    read(account, 41, basis=SpanBasis.HISTORY)


def read_in_one_region(account: Account) -> None:
    read(account, 100)
    read(account, 30, region="us-east-1")


def read_with_gap(account: Account) -> None:
    read(account, 100, 50)
    read(account, 47)


def read_with_short_gap(account: Account) -> None:
    read(account, 100, 50)
    read(account, 49.5)


def unreadable_file(account: Account, days: float = 20) -> None:
    read(account, 100)
    SourceFile.objects.create(
        source=_source(account),
        key_digest="a" * 32,
        key="a.json.gz",
        account_id=account.account_id,
        region="eu-central-1",
        at=NOW - timedelta(days=days),
        problem="The file is truncated.",
        read_at=NOW,
    )


def altered_file(account: Account) -> None:
    read(account, 100)
    DigestFile.objects.create(
        source=_source(account),
        key_digest="b" * 32,
        key="b.json.gz",
        account_id=account.account_id,
        region="eu-central-1",
        start_at=NOW - timedelta(days=20),
        end_at=NOW - timedelta(days=19),
        problem="A log file was altered.",
        checked_at=NOW,
    )


def _source(account: Account) -> TrailSource:
    fields = {"bucket": "trail", "since": (NOW - timedelta(days=100)).date(), "created_by": "ines.duarte"}
    return TrailSource.objects.create(kind=SourceKind.BUCKET, account=account, **fields)


CASES: dict[str, tuple[Callable[[Account], None], CoverageGrade | None]] = {
    "files only": (lambda account: None, PARTLY),
    "a bucket for the whole time": (lambda account: read(account, 100), COMPLETE),
    "a bucket, and the event history since": (read_by_two_sources, COMPLETE),
    "a bucket for the last month, files before": (lambda account: read(account, 30), PARTLY),
    "one of two Regions for the last month": (read_in_one_region, PARTLY),
    "three days not read": (read_with_gap, None),
    "half a day not read": (read_with_short_gap, PARTLY),
    "a file that can’t be read": (unreadable_file, PARTLY),
    "such a file from before the period": (lambda account: unreadable_file(account, 95), COMPLETE),
    "an altered file": (altered_file, PARTLY),
}


@pytest.mark.parametrize("name", CASES)
def test_events_from_files_may_not_be_all(name: str) -> None:
    build, expected = CASES[name]
    account = factories.account()
    for days in (100, 0):
        happened(identity_of(factories.user(account, f"user-{days}")), at=NOW - timedelta(days=days))
    build(account)
    since = NOW - timedelta(days=DAYS)
    covered = covered_accounts([account.account_id], since=since, now=NOW)
    assert covered.get(account.account_id) is expected
    places = coverage([account.account_id])
    has_doubt = not places or any(place.missing for place in places)
    assert not (has_doubt and expected is COMPLETE), "The coverage page doubts what findings rest on."


def test_without_events_nothing_is_covered() -> None:
    account = factories.account()
    read(account, 100)
    assert not covered_accounts([account.account_id], since=NOW - timedelta(days=DAYS), now=NOW)

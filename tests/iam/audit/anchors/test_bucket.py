"""Anchors in S3: locked until their date, and read back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from moto import mock_aws

from iam.audit.anchors.places import AnchorPlaceError, place_of
from iam.audit.anchors.services import read_anchors, write_anchors
from iam.journal.chain import chain_pending
from iam.journal.services import record
from tests.iam.activity.sources.aws import REGION, client

pytestmark = pytest.mark.django_db
PLACE = f"s3://northline-anchors/gatehouse/?region={REGION}&days=30"


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.JOURNAL_ANCHORS = [PLACE]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(
            Bucket="northline-anchors",
            ObjectLockEnabledForBucket=True,
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        yield s3


def test_an_anchor_is_locked_and_read_back(bucket: Any) -> None:
    record(kind="role.assign", actor=None)
    chain_pending()
    now = timezone.now()
    assert write_anchors(now=now) == 1
    key = "gatehouse/000000000001.note"
    stored = bucket.head_object(Bucket="northline-anchors", Key=key)
    assert stored["ObjectLockMode"] == "COMPLIANCE"
    assert abs(stored["ObjectLockRetainUntilDate"] - now - timedelta(days=30)) < timedelta(seconds=2)
    read = read_anchors()
    assert [note.place for note in read.notes] == [f"s3://northline-anchors/{key}"]
    assert read.problems == ()


def test_a_bucket_that_is_gone_is_a_problem_once_it_had_an_anchor(bucket: Any, settings: Any) -> None:
    record(kind="role.assign", actor=None)
    chain_pending()
    write_anchors(now=timezone.now())
    version = bucket.list_object_versions(Bucket="northline-anchors")["Versions"][0]
    assert version["Key"].endswith(".note")
    settings.JOURNAL_ANCHORS = ["s3://another-bucket/x/?region=eu-west-1"]
    with pytest.raises(AnchorPlaceError):
        list(place_of(settings.JOURNAL_ANCHORS[0]).read())

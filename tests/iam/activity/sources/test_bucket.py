"""A trail's bucket: new files are read once, late ones too, and what can't be read says why."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from iam.activity.models import TrailEvent, TrailFile
from iam.activity.sources import tasks
from iam.activity.sources.check import check_source
from iam.activity.sources.models import ReadSpan, SourceFile, SourcePlace, TrailSource
from iam.activity.sources.run import run_source
from tests.iam.activity.sources.aws import ACCOUNT, BUCKET, REGION, TODAY, client, events, put, source

pytestmark = pytest.mark.django_db


def test_new_files_are_read_once(s3: Any) -> None:
    row = source()
    put(s3, events(3))
    put(s3, events(2), region="us-east-1")
    assert run_source(row.pk).stored == 5
    assert run_source(row.pk).files == 0
    put(s3, events(4), at=TODAY)
    assert run_source(row.pk).stored == 4
    assert TrailEvent.objects.count() == 9
    assert SourcePlace.objects.count() == 2
    row.refresh_from_db()
    assert (row.error, row.failures, row.lease_until) == ("", 0, None)


def test_a_file_that_came_late_is_found_by_listing_again(s3: Any) -> None:
    row = source()
    put(s3, events(), at=TODAY - timedelta(hours=1))
    run_source(row.pk)
    put(s3, events(7), at=TODAY - timedelta(hours=5))
    assert run_source(row.pk).stored == 0
    SourcePlace.objects.update(late_at=timezone.now() - timedelta(hours=2))
    assert run_source(row.pk).stored == 7
    SourcePlace.objects.update(late_at=timezone.now() - timedelta(hours=2))
    assert run_source(row.pk).files == 0


def test_a_run_is_bounded_and_the_next_one_goes_on(s3: Any) -> None:
    row = source()
    for hour in range(6):
        put(s3, events(), at=TODAY - timedelta(hours=10 - hour))
    taken = []
    while (report := run_source(row.pk, files=1)).files:
        taken.append(report.files)
    assert sum(taken) == 6
    assert TrailEvent.objects.count() == 6


def test_what_lies_before_the_first_day_is_left(s3: Any) -> None:
    put(s3, events(), at=TODAY - timedelta(days=30))
    put(s3, events(2), at=TODAY - timedelta(days=3))
    assert run_source(source().pk).stored == 2


def test_an_organization_and_a_prefix_are_found(s3: Any) -> None:
    member = "210987654321"
    row = source(prefix="audit/")
    key = put(s3, events(account=member), account=member)
    s3.copy_object(
        Bucket=BUCKET,
        CopySource={"Bucket": BUCKET, "Key": key},
        Key="audit/" + key.replace("AWSLogs/", "AWSLogs/o-abcdefghij/"),
    )
    assert run_source(row.pk).stored == 1
    assert SourcePlace.objects.get().account_id == member


def test_a_hostile_file_is_quarantined_and_the_others_are_read(s3: Any) -> None:
    row = source()
    bad = put(s3, b"\x1f\x8b\x08 not gzip", at=TODAY - timedelta(hours=3))
    put(s3, events(2))
    s3.put_object(Bucket=BUCKET, Key=f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/../x.json.gz", Body=b"{}")
    report = run_source(row.pk)
    assert (report.stored, report.quarantined) == (2, [bad])
    assert "gzip" in SourceFile.objects.get(key=bad).problem
    assert TrailFile.objects.exclude(reason="").count() == 1


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"bucket": "another-bucket"}, "bucket", "AWS knows no bucket another-bucket"),
        ({"prefix": "elsewhere/"}, "bucket", "The bucket has no folder elsewhere/AWSLogs"),
        ({"queue_url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/none"}, "queue_url", "Check its URL"),
    ],
)
def test_a_test_names_the_field_that_is_wrong(
    s3: Any, fields: dict[str, str], field: str, words: str
) -> None:
    row = source(**fields)
    put(s3, events())
    check_source(row.pk)
    row.refresh_from_db()
    assert (row.check_result["is_ok"], row.check_result["field"]) == (False, field)
    assert words in row.check_result["text"]


def test_a_test_says_what_was_found_and_stores_nothing(s3: Any) -> None:
    row = source()
    put(s3, events(3))
    check_source(row.pk)
    row.refresh_from_db()
    assert row.check_result["is_ok"]
    assert "1 account in 1 Region" in row.check_result["text"]
    assert "3 events" in row.check_result["text"]
    assert not TrailEvent.objects.exists()


def test_a_run_that_fails_says_why_and_waits_longer_each_time(s3: Any) -> None:
    row = source(bucket="another-bucket")
    pauses = []
    for _ in range(3):
        run_source(row.pk)
        row.refresh_from_db()
        pauses.append(row.next_run_at - row.ended_at)
    assert "AWS knows no bucket another-bucket" in row.error
    assert row.error_field == "bucket"
    assert pauses[0] < pauses[1] < pauses[2]


def test_workers_read_what_is_due(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks, "send_each", lambda task, pks: sent.append((task, list(pks))))
    account = source().account
    paused = source(account, prefix="a/", is_paused=True)
    taken = source(account, prefix="b/", lease_until=timezone.now() + timedelta(minutes=5))
    source(account, prefix="c/", removed_at=timezone.now())
    tasks.read_due_sources()
    due = TrailSource.objects.get(prefix="")
    assert sent[0] == (tasks.READ_SOURCE, [due.pk])
    assert run_source(paused.pk) is None
    assert run_source(taken.pk) is None


def test_a_message_is_deleted_after_its_file_is_stored(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="trail-files", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    row = source(queue_url=url)
    key = put(s3, events(3))
    note = {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Message": json.dumps(note)}))

    def unavailable(*arguments: Any, **fields: Any) -> None:
        raise ConnectionError("the database is gone")

    with monkeypatch.context() as patched:
        patched.setattr("iam.activity.sources.bucket.ingest", unavailable)
        with pytest.raises(ConnectionError):
            run_source(row.pk)
    assert len(sqs.receive_message(QueueUrl=url).get("Messages", [])) == 1
    TrailSource.objects.update(lease_until=None)
    assert run_source(row.pk).stored == 3
    assert not sqs.receive_message(QueueUrl=url).get("Messages")
    assert TrailEvent.objects.count() == 3


def test_the_time_that_was_read_grows(s3: Any) -> None:
    row = source()
    first = TODAY - timedelta(days=4)
    put(s3, events(), at=first)
    put(s3, events(), at=TODAY - timedelta(hours=3))
    run_source(row.pk)
    span = ReadSpan.objects.get()
    assert span.start == first.replace(second=0, microsecond=0)
    assert span.end > timezone.now() - timedelta(minutes=30)


def test_a_worker_that_dies_before_it_notes_a_file_reads_it_again(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = source()
    put(s3, events(5))

    def killed(*arguments: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("iam.activity.sources.bucket._note_files", killed)
        with pytest.raises(SystemExit):
            run_source(row.pk)
    TrailSource.objects.update(lease_until=None)
    report = run_source(row.pk)
    assert (report.files, report.stored) == (1, 0)
    assert TrailEvent.objects.count() == SourceFile.objects.count() * 5 == 5


def test_what_is_older_than_the_setting_is_forgotten(s3: Any, settings: Any) -> None:
    row = source()
    put(s3, events(), at=TODAY - timedelta(days=6))
    put(s3, events(), at=TODAY - timedelta(days=1))
    run_source(row.pk)
    settings.ACTIVITY_DAYS = 3
    tasks.forget_old_files()
    assert SourceFile.objects.count() == 1
    assert ReadSpan.objects.get().start > timezone.now() - timedelta(days=3, minutes=1)


def test_with_a_queue_the_bucket_is_listed_once_an_hour(s3: Any) -> None:
    url = client("sqs").create_queue(QueueName="trail-files")["QueueUrl"]
    row = source(queue_url=url)
    put(s3, events(2))
    assert run_source(row.pk).stored == 2
    put(s3, events(3), at=TODAY - timedelta(minutes=30))
    assert run_source(row.pk).stored == 0
    SourcePlace.objects.update(visited_at=timezone.now() - timedelta(hours=2))
    assert run_source(row.pk).stored == 3

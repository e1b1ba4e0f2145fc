"""Digest files prove that log files are there and unaltered; everything else is told and journaled."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.activity.sources.models import DigestFile, ReadSpan, SourcePlace, SpanBasis
from iam.activity.sources.run import run_source
from iam.aws.reads.trail_events import DigestKey
from iam.journal.models import Entry
from tests.iam.activity.sources.aws import BUCKET, TODAY, events, put, source
from tests.iam.activity.sources.digest_files import FINGERPRINT, PUBLIC_KEY, Signer

pytestmark = pytest.mark.django_db
FIRST = TODAY.replace(minute=0, second=0, microsecond=0) - timedelta(hours=8)


@pytest.fixture(autouse=True)
def public_key(monkeypatch: pytest.MonkeyPatch) -> None:
    always = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    keys = [DigestKey(FINGERPRINT, PUBLIC_KEY, *always)]
    monkeypatch.setattr("iam.activity.sources.digests.public_keys", lambda aws, **fields: iter(keys))


@pytest.fixture
def trail(s3: Any) -> Callable[..., list[str]]:
    """Three hours with a log file each, and their digest files; the keys of both, hour by hour."""

    def write(**changes: Any) -> list[str]:
        signer, keys = Signer(s3), []
        for hour in range(3):
            end = FIRST + timedelta(hours=hour + 1)
            content = events(2, at=end - timedelta(minutes=40))
            log = put(s3, content, at=end - timedelta(minutes=30))
            keys += [log, signer.write(end, [(log, content)], **(changes if hour == 1 else {}))]
        return keys

    return write


def _problems() -> list[str]:
    rows = DigestFile.objects.exclude(problem="").order_by("end_at")
    return list(rows.values_list("problem", flat=True))


def test_an_unaltered_chain_proves_its_time(trail: Callable[..., list[str]]) -> None:
    trail()
    run_source(source().pk)
    assert _problems() == []
    assert DigestFile.objects.count() == 3
    span = ReadSpan.objects.get(basis=SpanBasis.DIGEST)
    assert span.start == FIRST
    assert FIRST + timedelta(hours=2, minutes=30) < span.end < FIRST + timedelta(hours=3)
    assert not Entry.objects.filter(kind="trail_source.digest").exists()


def test_a_changed_log_file_is_told(s3: Any, trail: Callable[..., list[str]]) -> None:
    keys = trail()
    s3.put_object(Bucket=BUCKET, Key=keys[2], Body=events(1))
    run_source(source().pk)
    assert ["was changed after CloudTrail wrote it" in problem for problem in _problems()] == [True]
    spans = ReadSpan.objects.filter(basis=SpanBasis.DIGEST)
    assert spans.count() == 2
    entry = Entry.objects.get(kind="trail_source.digest")
    assert "was changed" in entry.data["problem"]


def test_a_missing_log_file_is_told(s3: Any, trail: Callable[..., list[str]]) -> None:
    keys = trail()
    s3.delete_object(Bucket=BUCKET, Key=keys[2])
    run_source(source().pk)
    assert ["is missing, or can’t be read" in problem for problem in _problems()] == [True]


def test_a_missing_digest_file_is_told_by_the_next_one(s3: Any, trail: Callable[..., list[str]]) -> None:
    keys = trail()
    s3.delete_object(Bucket=BUCKET, Key=keys[3])
    run_source(source().pk)
    assert [problem.startswith("A digest file before it is missing") for problem in _problems()] == [True]
    assert ReadSpan.objects.filter(basis=SpanBasis.DIGEST).count() == 2


def test_a_digest_file_without_a_signature_proves_nothing(s3: Any, trail: Callable[..., list[str]]) -> None:
    keys = trail()
    body = s3.get_object(Bucket=BUCKET, Key=keys[5])["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=keys[5], Body=body)
    run_source(source().pk)
    assert _problems() == ["It has no signature."]


def test_a_digest_file_that_was_changed_proves_nothing(s3: Any, trail: Callable[..., list[str]]) -> None:
    keys = trail()
    kept = s3.get_object(Bucket=BUCKET, Key=keys[5])
    text = gzip.decompress(kept["Body"].read()).replace(b'"SHA-256"}]', b'"SHA-256" }]')
    s3.put_object(Bucket=BUCKET, Key=keys[5], Body=gzip.compress(text), Metadata=kept["Metadata"])
    run_source(source().pk)
    assert ["Its signature is wrong" in problem for problem in _problems()] == [True]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"digestS3Object": "AWSLogs/elsewhere.json.gz"}, "lies elsewhere"),
        ({"digestPublicKeyFingerprint": "0" * 32}, "knows no public key"),
        ({"logFiles": "none"}, "isn’t a digest file"),
        ({"digestEndTime": None}, "isn’t a digest file"),
    ],
)
def test_a_digest_file_that_is_not_what_it_says_is_told(
    trail: Callable[..., list[str]], changes: dict[str, Any], words: str
) -> None:
    trail(**changes)
    run_source(source().pk)
    assert any(words in problem for problem in _problems())


def test_a_digest_file_is_verified_once_and_new_ones_follow(s3: Any, trail: Callable[..., list[str]]) -> None:
    trail()
    row = source()
    run_source(row.pk)
    SourcePlace.objects.update(digest_at=None)
    run_source(row.pk)
    assert DigestFile.objects.count() == 3

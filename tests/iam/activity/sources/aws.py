"""A bucket of a trail in moto, and sources that read it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from botocore.session import Session

from iam.activity.sources.models import SourceKind, TrailSource
from iam.mirror.models import Account
from tests import factories
from tests.iam.activity.records import record, trail

ACCOUNT = "123456789012"
BUCKET = "northline-trail"
REGION = "eu-west-1"
TODAY = datetime.now(UTC)


def client(service: str) -> Any:
    """A stock client of moto's AWS."""
    return Session().create_client(service, region_name=REGION)


def bucket() -> Any:
    """An empty bucket; its client."""
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


def events(count: int = 1, *, at: datetime | None = None, account: str = ACCOUNT) -> bytes:
    """A log file with so many new events."""
    moment = (at or TODAY - timedelta(hours=2)).isoformat()
    made = [record(eventID=str(uuid4()), eventTime=moment, recipientAccountId=account) for _ in range(count)]
    return trail(*made)


def key_of(
    at: datetime, *, account: str = ACCOUNT, region: str = REGION, prefix: str = "", unique: str = ""
) -> str:
    """The key of a log file as CloudTrail makes it."""
    name = f"{account}_CloudTrail_{region}_{at:%Y%m%dT%H%M}Z_{unique or uuid4().hex[:16]}.json.gz"
    return f"{prefix}AWSLogs/{account}/CloudTrail/{region}/{at:%Y/%m/%d}/{name}"


def put(s3: Any, content: bytes, *, at: datetime | None = None, **parts: str) -> str:
    """Deliver a log file; its key."""
    key = key_of(at or TODAY - timedelta(hours=2), **parts)
    s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    return key


def reader() -> Account:
    """An account that is read with the worker's own credentials."""
    return factories.account(ACCOUNT, source="environment", role_arn="")


def source(account: Account | None = None, **fields: Any) -> TrailSource:
    """A source that reads the bucket from ten days ago."""
    terms: dict[str, Any] = {
        "kind": SourceKind.BUCKET,
        "bucket": BUCKET,
        "region": REGION,
        "since": date.today() - timedelta(days=10),
        "created_by": "Ada",
    }
    return TrailSource.objects.create(account=account or reader(), **terms | fields)

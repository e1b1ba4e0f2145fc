"""Reads the log files named in an SQS queue: notifications from S3, directly or through SNS, or from the
trail itself.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from iam.activity.sources.bucket import RunBudget, read_files, unread
from iam.activity.sources.keys import LogKey, log_key
from iam.activity.sources.models import TrailSource
from iam.aws.reads.trail_bucket import delete_message, receive_messages
from iam.aws.session import Aws


def read_queue(source: TrailSource, aws: Aws, budget: RunBudget) -> None:
    """Read the files of the waiting messages. A message is deleted once its files are stored. Messages that
    aren’t notifications are left for the queue's dead-letter policy. Raises AwsError.
    """
    region = queue_region(source)
    while not budget.is_spent:
        messages = receive_messages(aws, queue_url=source.queue_url, region=region)
        for message in messages:
            keys = keys_in(message.body, bucket=source.bucket)
            if keys is None:
                continue
            wanted = [key for key in keys if key.folder.startswith(source.prefix)]
            read_files(source, unread(source, wanted), aws, budget)
            delete_message(aws, queue_url=source.queue_url, region=region, handle=message.handle)
        if not messages:
            return


def queue_region(source: TrailSource) -> str:
    """Return the Region in a queue's URL (https://sqs.REGION.amazonaws.com/…), or else that of the bucket."""
    parts = source.queue_url.split("/")[2].split(".") if source.queue_url.count("/") > 2 else []
    return parts[1] if len(parts) > 3 and parts[0] == "sqs" else source.region


def keys_in(body: str, *, bucket: str) -> list[LogKey] | None:
    """Return the log files of a bucket named in a message, or None if it isn’t a notification."""
    try:
        message = json.loads(body)
        if isinstance(message, dict) and isinstance(message.get("Message"), str):
            message = json.loads(message["Message"])
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    if not isinstance(message.get("Records"), list):
        is_notification = message.get("Event") == "s3:TestEvent" or "s3ObjectKey" in message
        if not is_notification:
            return None
    return [key for name in _names(message, bucket) if (key := log_key(name)) is not None]


def _names(message: dict[str, Any], bucket: str) -> Iterator[str]:
    """Yield the keys of the bucket, as S3 or CloudTrail writes them."""
    names = message.get("s3ObjectKey")
    if isinstance(names, list) and message.get("s3Bucket") == bucket:
        yield from (name for name in names if isinstance(name, str))
    records = message.get("Records")
    for record in records if isinstance(records, list) else ():
        stored = record.get("s3") if isinstance(record, dict) else None
        if isinstance(stored, dict):
            where, what = stored.get("bucket"), stored.get("object")
            if isinstance(where, dict) and isinstance(what, dict) and where.get("name") == bucket:
                yield unquote_plus(str(what.get("key", "")))

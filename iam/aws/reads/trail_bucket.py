"""The bucket of a trail: listing keys, reading objects, and the queue that is told of new ones."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from iam.aws.calls import build_all, invoke
from iam.aws.errors import map_errors
from iam.aws.session import Aws

PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class BucketObject:
    """An object by its key; `size` in bytes."""

    key: str
    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class BucketPage:
    """A page of a listing in the order of keys. `folders` are the common prefixes where the listing was asked
    for one level only.
    """

    objects: tuple[BucketObject, ...]
    folders: tuple[str, ...]
    is_last: bool


@dataclass(frozen=True, slots=True)
class ReadObject:
    """The first bytes of an object, and its metadata with keys in lower case."""

    content: bytes
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message, and the handle by which it is deleted."""

    body: str
    handle: str


def list_page(
    aws: Aws, *, bucket: str, region: str, prefix: str, after: str = "", one_level: bool = False
) -> BucketPage:
    """Up to a thousand keys under a prefix that come after a key. One call; AwsError.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    """
    parameters: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": PAGE_SIZE}
    if after:
        parameters["StartAfter"] = after
    if one_level:
        parameters["Delimiter"] = "/"
    answer = invoke(aws.client("s3", region=region), "ListObjectsV2", parameters)
    objects = build_all(answer.get("Contents", ()), _object, action="s3:ListObjectsV2")
    folders = tuple(str(common["Prefix"]) for common in answer.get("CommonPrefixes", ()))
    return BucketPage(objects, folders, not answer.get("IsTruncated"))


def _object(entry: dict[str, Any]) -> BucketObject:
    return BucketObject(str(entry["Key"]), int(entry["Size"]), entry["LastModified"])


def read_object(aws: Aws, *, bucket: str, region: str, key: str, limit: int) -> ReadObject:
    """An object, of which no more than `limit` bytes are read. One call; AwsError.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    client = aws.client("s3", region=region)
    answer = invoke(client, "GetObject", {"Bucket": bucket, "Key": key})
    with map_errors("s3:GetObject"), closing(answer["Body"]) as body:
        content = body.read(limit)
    metadata = {str(name).lower(): str(value) for name, value in answer.get("Metadata", {}).items()}
    return ReadObject(bytes(content), metadata)


def receive_messages(aws: Aws, *, queue_url: str, region: str) -> tuple[QueueMessage, ...]:
    """Up to ten messages of a queue, which come again unless they are deleted. One call; AwsError."""
    parameters = {"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    answer = invoke(aws.client("sqs", region=region), "ReceiveMessage", parameters)
    messages = answer.get("Messages", ())
    return tuple(QueueMessage(str(message["Body"]), str(message["ReceiptHandle"])) for message in messages)


def delete_message(aws: Aws, *, queue_url: str, region: str, handle: str) -> None:
    """Delete a message that was received; AwsError."""
    parameters = {"QueueUrl": queue_url, "ReceiptHandle": handle}
    invoke(aws.client("sqs", region=region), "DeleteMessage", parameters)

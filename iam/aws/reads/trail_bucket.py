"""The S3 bucket of a trail: list keys, read objects, and receive notifications of new objects
from a queue.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from iam.aws.calls import build_all, invoke
from iam.aws.errors import map_errors
from iam.aws.session import Aws

PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class BucketObject:
    """An object of the bucket. `size` is in bytes."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class BucketPage:
    """A page of a listing, sorted by key. `folders` are the common prefixes of a listing of one level."""

    objects: tuple[BucketObject, ...]
    folders: tuple[str, ...]
    is_last: bool


@dataclass(frozen=True, slots=True)
class ReadObject:
    """The first bytes of an object, and its metadata with lowercase keys."""

    content: bytes
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message, and the handle that is needed to delete it."""

    body: str
    handle: str


def list_page(
    aws: Aws, *, bucket: str, region: str, prefix: str, after: str = "", one_level: bool = False
) -> BucketPage:
    """Return up to a thousand keys with a prefix that sort after the key `after`. One call; AwsError.
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
    return BucketObject(str(entry["Key"]), int(entry["Size"]))


def read_object(aws: Aws, *, bucket: str, region: str, key: str, limit: int) -> ReadObject:
    """Read at most the first `limit` bytes of an object. One call; AwsError.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    client = aws.client("s3", region=region)
    answer = invoke(client, "GetObject", {"Bucket": bucket, "Key": key})
    with map_errors("s3:GetObject"), closing(answer["Body"]) as body:
        content = body.read(limit)
    metadata = {str(name).lower(): str(value) for name, value in answer.get("Metadata", {}).items()}
    return ReadObject(bytes(content), metadata)


def receive_messages(aws: Aws, *, queue_url: str, region: str) -> tuple[QueueMessage, ...]:
    """Receive up to ten messages of a queue. A message is delivered again unless it is deleted. One call;
    AwsError.
    """
    parameters = {"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    answer = invoke(aws.client("sqs", region=region), "ReceiveMessage", parameters)
    messages = answer.get("Messages", ())
    return tuple(QueueMessage(str(message["Body"]), str(message["ReceiptHandle"])) for message in messages)


def delete_message(aws: Aws, *, queue_url: str, region: str, handle: str) -> None:
    """Delete a received message. AwsError."""
    parameters = {"QueueUrl": queue_url, "ReceiptHandle": handle}
    invoke(aws.client("sqs", region=region), "DeleteMessage", parameters)

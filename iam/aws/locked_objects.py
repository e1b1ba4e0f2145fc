"""Small objects in an S3 bucket with Object Lock: written once, kept until a date, read back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from iam.aws.calls import invoke
from iam.aws.session import Aws

MODE: Final = "COMPLIANCE"
"""Nobody can shorten it or delete the object before, not even the root user."""


def put_locked(aws: Aws, *, bucket: str, region: str, key: str, body: bytes, until: datetime) -> None:
    """Write an object that can’t be deleted or replaced before a date; AwsError, also where the bucket has no
    Object Lock.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """
    parameters: dict[str, Any] = {
        "Bucket": bucket,
        "Key": key,
        "Body": body,
        "ContentType": "text/plain; charset=utf-8",
        # Object Lock needs a checksum of the body.
        "ChecksumAlgorithm": "SHA256",
        "ObjectLockMode": MODE,
        "ObjectLockRetainUntilDate": until,
    }
    invoke(aws.client("s3", region=region, may_retry=False), "PutObject", parameters)

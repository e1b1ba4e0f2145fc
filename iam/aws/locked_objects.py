"""Write and read small objects in an S3 bucket with Object Lock, which keeps them until a date."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from iam.aws.calls import invoke
from iam.aws.session import Aws

MODE: Final = "COMPLIANCE"
"""No user, not even the root user, can shorten the retention or delete the object earlier."""


def put_locked(aws: Aws, *, bucket: str, region: str, key: str, body: bytes, until: datetime) -> None:
    """Write an object that can’t be deleted or replaced before a date. AwsError, also if the bucket has no
    Object Lock. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
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

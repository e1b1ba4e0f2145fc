"""A trail of the account in memory."""

from __future__ import annotations

from typing import Any

from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import NUMBER, Site

GOOD: dict[str, Any] = {
    "HomeRegion": "eu-west-1",
    "S3BucketName": "trails",
    "IsMultiRegionTrail": True,
    "LogFileValidationEnabled": True,
    "KmsKeyId": "arn:aws:kms:eu-west-1:111111111111:key/1",
    "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:111111111111:log-group:trail:*",
    "IsLogging": True,
    "LatestDeliveryError": "",
}


def trail(site: Site, name: str = "events", *, number: str = NUMBER, **attrs: Any) -> int:
    """A trail without a fault, but for what is said of it."""
    arn = f"arn:aws:cloudtrail:eu-west-1:{number}:trail/{name}"
    return site.entity(Kind.TRAIL, name, arn=arn, attrs=GOOD | attrs)

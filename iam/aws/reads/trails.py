"""CloudTrail trails of some regions: their destinations, what they record, and whether they log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from iam.aws.calls import invoke, part
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.raw_lists import malformed
from iam.aws.session import Aws

GONE: Final = "TrailNotFoundException"
ACCOUNT_FIELD: Final = 4


@dataclass(frozen=True, slots=True)
class DescribedTrail:
    """A trail. `is_logging`, `management_events` and the delivery fields are None if an organization trail of
    another account does not show them. `management_events` is "All", "ReadOnly", "WriteOnly", "None", or
    "Selected" for advanced event selectors. `delivery_error` is empty if the latest delivery succeeded.
    """

    arn: str
    name: str
    home_region: str
    bucket: str
    prefix: str
    is_multi_region: bool
    is_organization: bool
    is_validated: bool
    kms_key: str | None
    log_group: str | None
    is_logging: bool | None = None
    management_events: str | None = None
    delivered_at: datetime | None = None
    delivery_error: str | None = None


def list_trails(aws: Aws, *, regions: Iterable[str]) -> tuple[DescribedTrail, ...]:
    """Return all trails visible in these regions, without duplicates: those with their home in one of them,
    and all that cover several regions or an organization. AwsError if one can't be read.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
    """
    trails: dict[str, Mapping[str, Any]] = {}
    for region in regions:
        answer = invoke(aws.cloudtrail(region), "DescribeTrails", {"includeShadowTrails": True})
        for trail in part(answer, "trailList", action="cloudtrail:DescribeTrails"):
            if "TrailARN" not in trail:
                raise malformed("cloudtrail:DescribeTrails", "a trail lacks TrailARN")
            trails[trail["TrailARN"]] = trail
    records = (_read(aws, trails[arn]) for arn in sorted(trails))
    return tuple(record for record in records if record is not None)


def _read(aws: Aws, trail: Mapping[str, Any]) -> DescribedTrail | None:
    """Return a trail with its status, or None if it was deleted after the listing."""
    arn = str(trail["TrailARN"])
    home = str(trail.get("HomeRegion") or arn.split(":")[3])
    is_own = arn.split(":")[ACCOUNT_FIELD] == aws.access.account_id
    client = aws.cloudtrail(home)
    status: Mapping[str, Any] = {}
    selectors: Mapping[str, Any] = {}
    try:
        status = invoke(client, "GetTrailStatus", {"Name": arn})
        selectors = invoke(client, "GetEventSelectors", {"TrailName": arn})
    except AwsError as error:
        if error.code == GONE and is_own:
            return None
        # AWS can deny a member account the details of an organization trail of another account.
        if is_own or error.kind not in (ErrorKind.DENIED, ErrorKind.NOT_FOUND, ErrorKind.INVALID):
            raise
    error_text = None
    if status:
        error_text = str(status.get("LatestDeliveryError") or "")
    return DescribedTrail(
        arn=arn,
        name=str(trail.get("Name", "")),
        home_region=home,
        bucket=str(trail.get("S3BucketName", "")),
        prefix=str(trail.get("S3KeyPrefix") or ""),
        is_multi_region=bool(trail.get("IsMultiRegionTrail")),
        is_organization=bool(trail.get("IsOrganizationTrail")),
        is_validated=bool(trail.get("LogFileValidationEnabled")),
        kms_key=trail.get("KmsKeyId"),
        log_group=trail.get("CloudWatchLogsLogGroupArn"),
        is_logging=status.get("IsLogging"),
        management_events=_management_events(selectors),
        delivered_at=status.get("LatestDeliveryTime"),
        delivery_error=error_text,
    )


def _management_events(selectors: Mapping[str, Any]) -> str | None:
    """Return which management events a trail records."""
    if selectors.get("AdvancedEventSelectors"):
        return "Selected"
    basic = selectors.get("EventSelectors")
    if basic is None:
        return None
    kinds = {
        str(selector.get("ReadWriteType")) for selector in basic if selector.get("IncludeManagementEvents")
    }
    if not kinds:
        return "None"
    return kinds.pop() if len(kinds) == 1 else "All"

"""CloudTrail's event history, and the public keys of its digest files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from iam.aws.calls import invoke, part
from iam.aws.raw_lists import malformed
from iam.aws.session import Aws

LOOKUP_DAYS: Final = 90
"""The number of days that CloudTrail's event history covers."""
PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class LookupPage:
    """A page of events, newest first, as CloudTrail's records (JSON). `token` requests the next page; it is
    empty at the end.
    """

    records: tuple[str, ...]
    token: str


@dataclass(frozen=True, slots=True)
class DigestKey:
    """A public key (DER, PKCS #1) that signed digest files of its Region during its validity."""

    fingerprint: str
    der: bytes
    valid_from: datetime
    valid_to: datetime


def lookup_page(aws: Aws, *, region: str, start: datetime, end: datetime, token: str = "") -> LookupPage:
    """Return a page of management events of a Region between two times, both included. One call, which AWS
    allows twice a second per account and Region; AwsError.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
    """
    parameters: dict[str, Any] = {"StartTime": start, "EndTime": end, "MaxResults": PAGE_SIZE}
    if token:
        parameters["NextToken"] = token
    answer = invoke(aws.cloudtrail(region), "LookupEvents", parameters)
    events = part(answer, "Events", action="cloudtrail:LookupEvents")
    following = str(answer.get("NextToken") or "")
    if following and following == token:
        raise malformed("cloudtrail:LookupEvents", "the same token came twice")
    return LookupPage(tuple(str(event.get("CloudTrailEvent", "")) for event in events), following)


def public_keys(aws: Aws, *, region: str, start: datetime, end: datetime) -> Iterator[DigestKey]:
    """Yield the keys with which CloudTrail signed digest files of a Region between two times.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
    """
    token = ""
    while True:
        parameters: dict[str, Any] = {"StartTime": start, "EndTime": end}
        if token:
            parameters["NextToken"] = token
        answer = invoke(aws.cloudtrail(region), "ListPublicKeys", parameters)
        for key in part(answer, "PublicKeyList", action="cloudtrail:ListPublicKeys"):
            yield DigestKey(
                str(key["Fingerprint"]),
                bytes(key["Value"]),
                key["ValidityStartTime"],
                key["ValidityEndTime"],
            )
        following = str(answer.get("NextToken") or "")
        if not following:
            return
        if following == token:
            raise malformed("cloudtrail:ListPublicKeys", "the same token came twice")
        token = following

"""When a user, role or group last used each service: a report that AWS creates on request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from iam.aws.calls import build_all, part
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.raw_lists import malformed
from iam.aws.reads.pages import read_one
from iam.aws.session import Aws

BEGIN: Final = "GenerateServiceLastAccessedDetails"
FETCH: Final = "GetServiceLastAccessedDetails"


@dataclass(frozen=True, slots=True)
class AccessedService:
    """A service that the policies allow, by its prefix. `at` is None if it was not used in the tracking
    period of IAM.
    """

    prefix: str
    name: str
    at: datetime | None
    region: str


def begin_report(aws: Aws, *, arn: str) -> str:
    """Request the report and return its job id. AwsError.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateServiceLastAccessedDetails.html
    """
    return str(read_one(aws, BEGIN, key="JobId", Arn=arn))


def accessed_services(aws: Aws, *, job_id: str) -> tuple[AccessedService, ...] | None:
    """Return the services of the report, or None while AWS is still creating it. AwsError, also if the job
    failed. https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html
    """
    answer = read_one(aws, FETCH, JobId=job_id)
    status = part(answer, "JobStatus", action=f"iam:{FETCH}")
    if status == "IN_PROGRESS":
        return None
    if status != "COMPLETED":
        reason = answer.get("Error") or {}
        message = str(reason.get("Message") or "IAM couldn’t make the report.")
        code = str(reason.get("Code") or "")
        raise AwsError(message, kind=ErrorKind.UNAVAILABLE, action=f"iam:{BEGIN}", code=code)
    members = _members(aws, answer, job_id)
    return build_all(members, _service, action=f"iam:{FETCH}")


def _members(aws: Aws, answer: dict[str, Any], job_id: str) -> Iterator[dict[str, Any]]:
    """Yield the members of all pages."""
    marker = ""
    while True:
        yield from part(answer, "ServicesLastAccessed", action=f"iam:{FETCH}")
        if not answer.get("IsTruncated"):
            return
        following = str(answer.get("Marker") or "")
        if following in ("", marker):
            raise malformed(f"iam:{FETCH}", "it doesn’t say where the next page begins")
        marker = following
        answer = read_one(aws, FETCH, JobId=job_id, Marker=marker)


def _service(member: dict[str, Any]) -> AccessedService:
    region = str(member.get("LastAuthenticatedRegion") or "")
    return AccessedService(
        str(member["ServiceNamespace"]), str(member["ServiceName"]), member.get("LastAuthenticated"), region
    )

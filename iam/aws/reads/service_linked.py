"""Service-linked roles: the current roles of a service, and the progress of deletions."""

from __future__ import annotations

from typing import Final, NamedTuple

from iam.aws.calls import part
from iam.aws.reads.pages import members, read_one
from iam.aws.session import Aws

SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"


class RoleDeletion(NamedTuple):
    """The status of a deletion (NOT_STARTED, IN_PROGRESS, SUCCEEDED, FAILED), and AWS's reason if
    it failed.
    """

    status: str
    reason: str


def roles_of_service(aws: Aws, *, service: str) -> tuple[str, ...]:
    """Return the sorted names of the roles linked to a service. One call; AwsError."""
    roles = members(aws, "ListRoles", key="Roles", PathPrefix=f"/aws-service-role/{service}/")
    return tuple(sorted(str(role["RoleName"]) for role in roles))


def deletion(aws: Aws, *, task_id: str) -> RoleDeletion:
    """Return the status of the deletion of a service-linked role. One call; AwsError.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html
    """
    answer = read_one(aws, "GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task_id)
    reason = answer.get("Reason", {})
    used = []
    for usage in reason.get("RoleUsageList", ()):
        for resource in usage.get("Resources", ()):
            used.append(f"{resource} in {usage.get('Region', 'an unnamed region')}")
    reason_text = str(reason.get("Reason", ""))
    status = str(part(answer, "Status", action="iam:GetServiceLinkedRoleDeletionStatus"))
    explanation = f"{reason_text} It is used by {', '.join(used)}." if used else reason_text
    return RoleDeletion(status, explanation)

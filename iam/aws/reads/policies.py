"""The current state of a managed policy: its unique id, its versions and the text of the default version."""

from __future__ import annotations

from typing import NamedTuple

from iam.aws.calls import part
from iam.aws.raw_lists import malformed
from iam.aws.reads.pages import members, read_one
from iam.aws.session import Aws


class PolicyNow(NamedTuple):
    """The id and exact text of a policy's default version, and the ids of all versions, oldest first."""

    default: str
    text: str
    versions: tuple[str, ...]


def policy_id(aws: Aws, *, arn: str) -> str:
    """Return the unique id (ANPA…) of the policy with this ARN. AwsError (not_found) if it does not exist.
    One call.
    """
    return str(read_one(aws, "GetPolicy", key="Policy", PolicyArn=arn)["PolicyId"])


def policy_now(aws: Aws, *, arn: str) -> PolicyNow:
    """Return the current state of a policy. Two calls; AwsError."""
    versions = list(members(aws, "ListPolicyVersions", key="Versions", PolicyArn=arn))
    default = next((each["VersionId"] for each in versions if each.get("IsDefaultVersion")), None)
    if default is None:
        raise malformed("iam:ListPolicyVersions", "no version of it is the default one")
    version = read_one(aws, "GetPolicyVersion", key="PolicyVersion", PolicyArn=arn, VersionId=default)
    text = part(version, "Document", action="iam:GetPolicyVersion")
    ids = sorted((str(each["VersionId"]) for each in versions), key=number_of)
    return PolicyNow(str(default), str(text), tuple(ids))


def number_of(version_id: str) -> int:
    """Return the number of a version, to sort by. AWS counts up and never reuses a number."""
    digits = version_id.removeprefix("v")
    return int(digits) if digits.isdecimal() else 0

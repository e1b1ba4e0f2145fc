"""What a managed policy says just now: its unique id, its versions, the text of the default one."""

from __future__ import annotations

from typing import NamedTuple

from iam.aws.calls import part
from iam.aws.raw_lists import malformed
from iam.aws.reads.pages import members, read_one
from iam.aws.session import Aws


class PolicyNow(NamedTuple):
    """The default version of a policy, its exact text, and the ids of all versions, the oldest first."""

    default: str
    text: str
    versions: tuple[str, ...]


def policy_id(aws: Aws, *, arn: str) -> str:
    """The unique id (ANPA…) of the policy of this ARN; AwsError (not_found) when there is none. One call."""
    return str(read_one(aws, "GetPolicy", key="Policy", PolicyArn=arn)["PolicyId"])


def policy_now(aws: Aws, *, arn: str) -> PolicyNow:
    """How a policy stands. Two calls; raises AwsError."""
    versions = list(members(aws, "ListPolicyVersions", key="Versions", PolicyArn=arn))
    default = next((each["VersionId"] for each in versions if each.get("IsDefaultVersion")), None)
    if default is None:
        raise malformed("iam:ListPolicyVersions", "no version of it is the default one")
    version = read_one(aws, "GetPolicyVersion", key="PolicyVersion", PolicyArn=arn, VersionId=default)
    text = part(version, "Document", action="iam:GetPolicyVersion")
    ids = sorted((str(each["VersionId"]) for each in versions), key=number_of)
    return PolicyNow(str(default), str(text), tuple(ids))


def number_of(version_id: str) -> int:
    """What versions are ordered by: AWS counts them up and never gives a number twice."""
    digits = version_id.removeprefix("v")
    return int(digits) if digits.isdecimal() else 0

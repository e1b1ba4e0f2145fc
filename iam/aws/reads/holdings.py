"""The current policies of a user, group or role: its unique id, its attached managed policies, and one of its
inline policies.
"""

from __future__ import annotations

from typing import Any, Final

from iam.aws.calls import part
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.pages import members, read_one
from iam.aws.session import Aws

KINDS: Final = {"user": "User", "group": "Group", "role": "Role"}
"""The words for each kind of principal in AWS's names of calls and parameters."""


def holder_id(aws: Aws, *, kind: str, name: str) -> str:
    """Return the unique id of a user, group or role. AwsError (not_found) if it does not exist. One call."""
    word = KINDS[kind]
    few: dict[str, Any] = {"MaxItems": 1} if kind == "group" else {}
    return str(read_one(aws, f"Get{word}", **{f"{word}Name": name}, **few)[word][f"{word}Id"])


def attached_arns(aws: Aws, *, kind: str, name: str) -> frozenset[str]:
    """Return the ARNs of the managed policies attached to a user, group or role. One call for each hundred
    policies; AwsError.
    """
    word = KINDS[kind]
    policies = members(aws, f"ListAttached{word}Policies", key="AttachedPolicies", **{f"{word}Name": name})
    return frozenset(str(each["PolicyArn"]) for each in policies)


def inline_text(aws: Aws, *, kind: str, name: str, policy_name: str) -> str | None:
    """Return the exact text of an inline policy of a user, group or role, or None if it has no policy with
    this name. One call; AwsError.
    """
    word = KINDS[kind]
    named = {f"{word}Name": name, "PolicyName": policy_name}
    try:
        answer = read_one(aws, f"Get{word}Policy", **named)
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise
    return str(part(answer, "PolicyDocument", action=f"iam:Get{word}Policy"))

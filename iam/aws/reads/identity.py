"""The current unique ids behind the names of users and groups, with one call each."""

from __future__ import annotations

from iam.aws.reads.pages import members, read_one
from iam.aws.session import Aws


def user_id(aws: Aws, *, name: str) -> str:
    """Return the unique id (AIDA…) of the user with this name. AwsError (not_found) if it does not exist."""
    return str(read_one(aws, operation="GetUser", UserName=name)["User"]["UserId"])


def group_id(aws: Aws, *, name: str) -> str:
    """Return the unique id (AGPA…) of the group with this name. AwsError (not_found) if it does not exist."""
    return str(read_one(aws, operation="GetGroup", GroupName=name, MaxItems=1)["Group"]["GroupId"])


def group_ids_of_user(aws: Aws, *, name: str) -> dict[str, str]:
    """Return the groups of a user: unique id → name."""
    groups = members(aws, operation="ListGroupsForUser", key="Groups", UserName=name)
    return {str(group["GroupId"]): str(group["GroupName"]) for group in groups}

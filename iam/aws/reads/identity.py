"""Whom a name means just now: the unique ids behind the names of users and groups, one call each."""

from __future__ import annotations

from iam.aws.reads.pages import members, read_one
from iam.aws.session import Aws


def user_id(aws: Aws, *, name: str) -> str:
    """The unique id (AIDA…) of the user of this name; AwsError (not_found) when there is none."""
    return str(read_one(aws, operation="GetUser", UserName=name)["User"]["UserId"])


def group_id(aws: Aws, *, name: str) -> str:
    """The unique id (AGPA…) of the group of this name; AwsError (not_found) when there is none."""
    return str(read_one(aws, operation="GetGroup", GroupName=name, MaxItems=1)["Group"]["GroupId"])


def group_ids_of_user(aws: Aws, *, name: str) -> dict[str, str]:
    """The groups that a user is in: unique id → name."""
    groups = members(aws, operation="ListGroupsForUser", key="Groups", UserName=name)
    return {str(group["GroupId"]): str(group["GroupName"]) for group in groups}

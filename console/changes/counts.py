"""Counts IAM users, roles and people in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from iam.phrases import counted


def principals(users: int, roles: int) -> str:
    """Return '3 IAM users and 1 role', '1 role' or '0 IAM users'."""
    parts = [counted(users, "IAM user")] if users or not roles else []
    if roles:
        parts.append(counted(roles, "role"))
    return " and ".join(parts)


def rest_of(body: Mapping[str, Any]) -> str:
    """Return the principals that a receipt counts without listing them; "" if it lists all.

    Older receipts don’t distinguish users from roles and have only their sum.
    """
    total = body["more_people"]
    if not total:
        return ""
    if "more_users" not in body:
        return counted(total, "more IAM user or role", "more IAM users or roles")
    users, roles = body["more_users"], body["more_roles"]
    parts = [counted(users, "more IAM user")] if users else []
    if roles:
        parts.append(counted(roles, "more role"))
    return " and ".join(parts)


def affected_of(body: Mapping[str, Any], parts: Iterable[Mapping[str, Any]]) -> str:
    """Return who can do more or less: "14 IAM users and 2 roles". `parts` are the listed parts with their
    counts.

    Older receipts don’t distinguish users from roles and have only their sum.
    """
    users, roles = body.get("more_users", 0), body.get("more_roles", 0)
    for part in parts:
        users += part["users"]
        roles += part["roles"]
    if users + roles != body["affected"]:
        return counted(body["affected"], "IAM user or role", "IAM users or roles")
    return principals(users, roles)


def holders_of(access: Mapping[str, Any]) -> str:
    """Return the number of holders of a receipt's policy; older receipts have only the sum of users and
    roles.
    """
    if "holder_users" not in access:
        return counted(access["holders"], "IAM user or role", "IAM users or roles")
    return principals(access["holder_users"], access["holder_roles"])

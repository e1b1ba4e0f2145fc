"""Small exports and credential reports, as the AWS command line writes them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

NUMBER = "339011276654"
MADE = "2026-03-03T10:00:00+00:00"
_ID = {"user": "AIDA", "group": "AGPA", "role": "AROA", "policy": "ANPA"}


def _ids(kind: str, name: str, number: str) -> dict[str, str]:
    made = hashlib.blake2b(f"{kind} {name}".encode(), digest_size=8).hexdigest().upper()
    return {"Arn": f"arn:aws:iam::{number}:{kind}/{name}", "id": _ID[kind] + made}


def user(
    name: str,
    *,
    groups: tuple[str, ...] = (),
    number: str = NUMBER,
    created: str = "2025-06-02T09:00:00+00:00",
) -> dict[str, Any]:
    """A user of the export."""
    ids = _ids("user", name, number)
    return {
        "Path": "/",
        "UserName": name,
        "UserId": ids["id"],
        "Arn": ids["Arn"],
        "CreateDate": created,
        "GroupList": list(groups),
        "AttachedManagedPolicies": [],
        "Tags": [],
    }


def group(name: str, *, number: str = NUMBER) -> dict[str, Any]:
    """A group of the export."""
    ids = _ids("group", name, number)
    return {
        "Path": "/",
        "GroupName": name,
        "GroupId": ids["id"],
        "Arn": ids["Arn"],
        "CreateDate": "2025-06-01T09:00:00+00:00",
        "GroupPolicyList": [],
        "AttachedManagedPolicies": [],
    }


def role(name: str, *, number: str = NUMBER, used: str = MADE) -> dict[str, Any]:
    """A role of the export, last used at a moment."""
    ids = _ids("role", name, number)
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": ids["id"],
        "Arn": ids["Arn"],
        "CreateDate": "2025-06-01T09:00:00+00:00",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        },
        "InstanceProfileList": [],
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        "Tags": [],
        "RoleLastUsed": {"LastUsedDate": used, "Region": "eu-west-1"},
    }


def export(
    *names: str, number: str = NUMBER, groups: tuple[str, ...] = ("analysts",), used: str = MADE
) -> dict[str, Any]:
    """An export with these users, in the first of the groups."""
    return {
        "UserDetailList": [user(name, groups=groups[:1], number=number) for name in names],
        "GroupDetailList": [group(name, number=number) for name in groups],
        "RoleDetailList": [role("etl", number=number, used=used)],
        "Policies": [],
    }


def as_bytes(body: dict[str, Any]) -> bytes:
    """The export as a file."""
    return json.dumps(body, indent=2).encode()


COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)


def report(*names: str, number: str = NUMBER, columns: str = COLUMNS, mfa: str = "true") -> bytes:
    """A credential report with these users: a password, and one active key."""
    lines = [columns]
    for name in names:
        lines.append(
            f"{name},arn:aws:iam::{number}:user/{name},2025-06-02T09:00:00+00:00,true,2026-03-01T08:00:00+00:00,"
            f"2025-06-02T09:05:00+00:00,N/A,{mfa},true,2025-07-01T09:00:00+00:00,2026-03-02T09:00:00+00:00,eu-west-1,s3,"
            "false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
        )
    return "\n".join(lines).encode() + b"\n"

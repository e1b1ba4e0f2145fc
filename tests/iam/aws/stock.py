"""What stock boto3 makes of the same answers, in the shape of our records: the oracle of the fast reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import boto3

from iam.aws.records import (
    GroupRecord,
    InlinePolicyRecord,
    PolicyRecord,
    PolicyVersionRecord,
    Record,
    RoleRecord,
    UserRecord,
)

LISTS = {"UserDetailList": "user", "GroupDetailList": "group", "RoleDetailList": "role", "Policies": "policy"}


def client() -> Any:
    return boto3.client("iam", region_name="us-east-1")


def authorization_details() -> dict[str, list[dict[str, Any]]]:
    """All pages by the stock paginator."""
    authorization_details: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
    for page in client().get_paginator("get_account_authorization_details").paginate():
        for name in LISTS:
            authorization_details[name] += page[name]
    return authorization_details


def records(details: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, Record]]:
    """(kind, record) with documents as JSON of the dictionaries that boto3 gives."""
    makers = {"user": _user, "group": _group, "role": _role, "policy": _policy}
    for name, kind in LISTS.items():
        for row in details[name]:
            yield kind, makers[kind](row)


def canonical(text: str) -> str:
    """A document's meaning: what is left when its wording is not looked at."""
    return json.dumps(json.loads(text), sort_keys=True)


def _document(record: Any) -> str:
    return json.dumps(record, sort_keys=True)


def _tags(user: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in user.get("Tags", ())}


def _inline(users: Iterable[dict[str, Any]]) -> tuple[InlinePolicyRecord, ...]:
    return tuple(sorted(InlinePolicyRecord(p["PolicyName"], _document(p["PolicyDocument"])) for p in users))


def _attached(user: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(policy["PolicyArn"] for policy in user.get("AttachedManagedPolicies", ())))


def _boundary(key: dict[str, Any]) -> str | None:
    return (key.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")


def _head(device: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "aws_id": device[f"{kind}Id"],
        "name": device[f"{kind}Name"],
        "path": device["Path"],
        "arn": device["Arn"],
        "created_at": device["CreateDate"],
    }


def _user(certificate: dict[str, Any]) -> UserRecord:
    return UserRecord(
        **_head(certificate, "User"),
        tags=_tags(certificate),
        groups=tuple(sorted(certificate.get("GroupList", ()))),
        inline=_inline(certificate.get("UserPolicyList", ())),
        attached=_attached(certificate),
        boundary=_boundary(certificate),
    )


def _group(group: dict[str, Any]) -> GroupRecord:
    inline = _inline(group.get("GroupPolicyList", ()))
    return GroupRecord(**_head(group, "Group"), inline=inline, attached=_attached(group))


def _role(role: dict[str, Any]) -> RoleRecord:
    used = role.get("RoleLastUsed", {})
    return RoleRecord(
        **_head(role, "Role"),
        tags=_tags(role),
        inline=_inline(role.get("RolePolicyList", ())),
        attached=_attached(role),
        boundary=_boundary(role),
        trust=_document(role["AssumeRolePolicyDocument"]),
        instance_profiles=tuple(sorted(profile["Arn"] for profile in role.get("InstanceProfileList", ()))),
        last_used_at=used.get("LastUsedDate"),
        last_used_region=used.get("Region"),
    )


def _policy(policy: dict[str, Any]) -> PolicyRecord:
    return PolicyRecord(
        **_head(policy, "Policy"),
        updated_at=policy["UpdateDate"],
        description=policy.get("Description", ""),
        versions=tuple(
            PolicyVersionRecord(
                v["VersionId"], _document(v["Document"]), v["IsDefaultVersion"], v["CreateDate"]
            )
            for v in policy["PolicyVersionList"]
        ),
        default_version_id=policy["DefaultVersionId"],
        attachment_count=policy["AttachmentCount"],
        boundary_count=policy.get("PermissionsBoundaryUsageCount", 0),
        is_attachable=policy.get("IsAttachable", True),
        is_aws_managed=policy["Arn"].startswith("arn:aws:iam::aws:"),
    )

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
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
    for page in client().get_paginator("get_account_authorization_details").paginate():
        for name in LISTS:
            found[name] += page[name]
    return found


def records(details: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, Record]]:
    """(kind, record) with documents as JSON of the dictionaries that boto3 gives."""
    makers = {"user": _user, "group": _group, "role": _role, "policy": _policy}
    for name, kind in LISTS.items():
        for found in details[name]:
            yield kind, makers[kind](found)


def canonical(text: str) -> str:
    """A document's meaning: what is left when its wording is not looked at."""
    return json.dumps(json.loads(text), sort_keys=True)


def _document(found: Any) -> str:
    return json.dumps(found, sort_keys=True)


def _tags(found: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}


def _inline(found: Iterable[dict[str, Any]]) -> tuple[InlinePolicyRecord, ...]:
    return tuple(sorted(InlinePolicyRecord(p["PolicyName"], _document(p["PolicyDocument"])) for p in found))


def _attached(found: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(policy["PolicyArn"] for policy in found.get("AttachedManagedPolicies", ())))


def _boundary(found: dict[str, Any]) -> str | None:
    return (found.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")


def _head(found: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "aws_id": found[f"{kind}Id"],
        "name": found[f"{kind}Name"],
        "path": found["Path"],
        "arn": found["Arn"],
        "created_at": found["CreateDate"],
    }


def _user(found: dict[str, Any]) -> UserRecord:
    return UserRecord(
        **_head(found, "User"),
        tags=_tags(found),
        groups=tuple(sorted(found.get("GroupList", ()))),
        inline=_inline(found.get("UserPolicyList", ())),
        attached=_attached(found),
        boundary=_boundary(found),
    )


def _group(found: dict[str, Any]) -> GroupRecord:
    inline = _inline(found.get("GroupPolicyList", ()))
    return GroupRecord(**_head(found, "Group"), inline=inline, attached=_attached(found))


def _role(found: dict[str, Any]) -> RoleRecord:
    used = found.get("RoleLastUsed", {})
    return RoleRecord(
        **_head(found, "Role"),
        tags=_tags(found),
        inline=_inline(found.get("RolePolicyList", ())),
        attached=_attached(found),
        boundary=_boundary(found),
        trust=_document(found["AssumeRolePolicyDocument"]),
        instance_profiles=tuple(sorted(profile["Arn"] for profile in found.get("InstanceProfileList", ()))),
        last_used_at=used.get("LastUsedDate"),
        last_used_region=used.get("Region"),
    )


def _policy(found: dict[str, Any]) -> PolicyRecord:
    return PolicyRecord(
        **_head(found, "Policy"),
        updated_at=found["UpdateDate"],
        description=found.get("Description", ""),
        versions=tuple(
            PolicyVersionRecord(
                v["VersionId"], _document(v["Document"]), v["IsDefaultVersion"], v["CreateDate"]
            )
            for v in found["PolicyVersionList"]
        ),
        default_version_id=found["DefaultVersionId"],
        attachment_count=found["AttachmentCount"],
        boundary_count=found.get("PermissionsBoundaryUsageCount", 0),
        is_attachable=found.get("IsAttachable", True),
        is_aws_managed=found["Arn"].startswith("arn:aws:iam::aws:"),
    )

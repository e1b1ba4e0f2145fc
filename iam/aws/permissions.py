"""The actions that each part of Gatehouse needs in an account, and the least-privilege policies for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from iam.aws.actions import OBSERVE, READ, RESOURCES, WRITE, WRITTEN
from iam.aws.partitions import global_region

__all__ = [
    "MANAGEMENT_ACCOUNT_ONLY",
    "OBSERVE",
    "OWN_ROLES",
    "READ",
    "RESOURCES",
    "WRITE",
    "WRITTEN",
    "Policy",
    "check_account_id",
    "hub_policy",
    "read_actions",
    "read_policy",
    "resource_arn",
    "section_of",
    "trail_bucket_policy",
    "trust_policy",
    "write_policy",
]

Policy = dict[str, Any]

OWN_ROLES = "gatehouse-"
"""The prefix of the default names of Gatehouse's own roles."""

MANAGEMENT_ACCOUNT_ONLY = ("organization", "root-access")
"""Sections that only the organization's management account or a delegated administrator can read."""

_READ_STATEMENTS = (
    ("iam", "ReadIam"),
    ("organizations", "ReadOrganization"),
    ("ec2", "ReadInstances"),
    ("cloudtrail", "ReadTrails"),
    ("rolesanywhere", "ReadRolesAnywhere"),
    ("eks", "ReadPodIdentities"),
)
_PATH = re.compile(r"/(?:[\x21-\x7e]+/)?")
_ACCOUNT_ID = re.compile(r"[0-9]{12}")


def check_account_id(account_id: str) -> None:
    """Raise ValueError if the account id does not have twelve digits."""
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise ValueError(f"An account id has twelve digits, not {account_id!r}.")


def read_actions(sections: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the actions of the sections (default: all), without duplicates and in order."""
    chosen = READ if sections is None else list(sections)
    return tuple(dict.fromkeys(chain.from_iterable(READ[section] for section in chosen)))


def section_of(action: str) -> str | None:
    """Return the first section that needs the action, or None."""
    return next((section for section, actions in READ.items() if action in actions), None)


def read_policy(partition: str = "aws", *, sections: Iterable[str] | None = None) -> Policy:
    """Return the policy of the read-only role.

    The resource is "*": most of these actions support no narrower one, and the mirror reads the whole
    account.
    """
    global_region(partition)
    statements = []
    for service, sid in _READ_STATEMENTS:
        actions = sorted(action for action in read_actions(sections) if action.startswith(f"{service}:"))
        if actions:
            statements.append({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"})
    return {"Version": "2012-10-17", "Statement": statements}


def trail_bucket_policy(
    partition: str, *, bucket: str, prefix: str = "", queue_arn: str = "", kms_key: str = ""
) -> Policy:
    """Return the policy that a role needs to read the log files of a trail: for its bucket, its KMS key and,
    if there is one, its queue.
    """
    global_region(partition)
    where = f"arn:{partition}:s3:::{bucket}"
    statements = [
        _allowing("ListLogFiles", ["s3:ListBucket"], [where]),
        _allowing("ReadLogFiles", ["s3:GetObject"], [f"{where}/{prefix}AWSLogs/*"]),
    ]
    if kms_key:
        statements.append(_allowing("DecryptLogFiles", ["kms:Decrypt"], [kms_key]))
    if queue_arn:
        actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
        statements.append(_allowing("ReadNotifications", actions, [queue_arn]))
    return {"Version": "2012-10-17", "Statement": statements}


def write_policy(
    partition: str = "aws",
    *,
    account_id: str,
    families: Iterable[str] | None = None,
    group_paths: Sequence[str] = ("/",),
    policy_paths: Sequence[str] = ("/",),
    user_paths: Sequence[str] = ("/",),
    role_paths: Sequence[str] = ("/",),
    own_roles: Iterable[str] = (),
) -> Policy:
    """Return the policy of the separate role that applies changes, limited to resources under the paths.

    AWS authorizes AddUserToGroup on the group, CreatePolicyVersion on the policy and PutRolePolicy on the
    role, so the paths limit which permissions the role can extend: keep the groups, policies and roles of
    administrators on a path that is not named here. AWS managed policies are never included. The policy
    denies changes of `own_roles` (ARNs) and of all roles with the name prefix of Gatehouse's own.
    """
    global_region(partition)
    check_account_id(account_id)
    chosen = list(WRITE) if families is None else list(families)
    paths = {"group": group_paths, "policy": policy_paths, "user": user_paths, "role": role_paths}
    statements: list[dict[str, Any]] = []
    for kind in dict.fromkeys(WRITTEN[family] for family in chosen):
        actions = _written_on(kind, chosen)
        resources = [
            resource_arn(partition, account_id, kind=kind, path=path) for path in paths.get(kind, ("/",))
        ]
        statements.append(_allowing(f"Change{_sid(kind)}", actions, resources))
    observing = set(chain.from_iterable(OBSERVE[family] for family in chosen))
    statements.append(_allowing("Observe", observing, "*"))
    on_roles = _written_on("role", chosen)
    if on_roles:
        own = f"{resource_arn(partition, account_id, kind='role')[:-1]}{OWN_ROLES}*"
        never = _allowing("NeverItself", on_roles, sorted({own, *own_roles}))
        statements.append(never | {"Effect": "Deny"})
    return {"Version": "2012-10-17", "Statement": statements}


def _written_on(kind: str, families: Iterable[str]) -> set[str]:
    """Return the actions of the families that AWS authorizes on this kind of resource."""
    return set(chain.from_iterable(WRITE[family] for family in families if WRITTEN[family] == kind))


def _allowing(sid: str, actions: Iterable[str], resources: list[str] | str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}


def _sid(kind: str) -> str:
    return "".join(word.title() for word in kind.split("-"))


def resource_arn(partition: str, account_id: str, *, kind: str, path: str = "/") -> str:
    """Return the ARN pattern of all resources of a kind in an account, under a path if the kind has paths.
    ValueError for an invalid path.
    """
    if not _PATH.fullmatch(path) or "*" in path or "$" in path:
        raise ValueError(f"A path begins and ends with a slash and has no wildcard: {path!r}.")
    pattern = RESOURCES[kind]
    return pattern if pattern == "*" else f"arn:{partition}:{pattern.format(account=account_id, path=path)}"


def trust_policy(*, hub_role_arn: str, external_id: str) -> Policy:
    """Return the trust policy of the spoke role: only the hub's role can assume it, and only with this
    account's external id.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "GatehouseHub",
                "Effect": "Allow",
                "Principal": {"AWS": hub_role_arn},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def hub_policy(*, spoke_role_arns: Iterable[str]) -> Policy:
    """Return the policy of the hub's own role, which allows only assuming the spoke roles."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AssumeSpokes",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": sorted(spoke_role_arns),
            }
        ],
    }

"""What somebody may do without MFA under the policy that demands it: written by hand from AWS's pages.

Sources: "AWS: Allows MFA-authenticated IAM users to manage their own credentials on the Security credentials
page" and its note on first and expired passwords,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html;
"IAM: Allows IAM users to self-manage an MFA device", …/reference_policies_examples_iam_mfa-selfmanage.html;
on when the key is there at all, "AWS global condition context keys", aws:MultiFactorAuthPresent: in console
sessions of users always, in calls signed by an access key never.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from iam.access.enforcement.policy import PolicyVariant, document
from tests.iam.policy.cases.notation import ALLOWED, DENIED, NOT_ALLOWED, Case

ACCOUNT = "111111111111"
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
PATHS = ("/", "/payments/", "/eu/payments/")
EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
NAME, OTHER = "kwame.boateng", "maya.okafor"

NEXT: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("first password", "no device"): (
        ("iam:GetAccountPasswordPolicy", "*"),
        ("iam:ChangePassword", "own"),
        ("iam:CreateVirtualMFADevice", "device"),
        ("iam:EnableMFADevice", "own"),
    ),
    ("expired password", "a device"): (
        ("iam:GetAccountPasswordPolicy", "*"),
        ("iam:ChangePassword", "own"),
    ),
    ("password", "no device"): (
        ("iam:GetUser", "own"),
        ("iam:ListMFADevices", "own"),
        ("iam:ListVirtualMFADevices", "*"),
        ("iam:CreateVirtualMFADevice", "device"),
        ("iam:EnableMFADevice", "own"),
    ),
    ("password", "a device out of step"): (
        ("iam:ListMFADevices", "own"),
        ("iam:GetMFADevice", "own"),
        ("iam:ResyncMFADevice", "own"),
    ),
    ("no password", "no device"): (
        ("iam:CreateVirtualMFADevice", "device"),
        ("iam:EnableMFADevice", "own"),
    ),
    ("no password", "a device"): (("sts:GetSessionToken", "*"),),
}
"""State of password and device → what somebody does next, signed in without MFA: all of it is allowed."""

NEVER: tuple[tuple[str, str], ...] = (
    ("iam:DeactivateMFADevice", "own"),
    ("iam:DeleteVirtualMFADevice", "device"),
    ("iam:CreateAccessKey", "own"),
    ("iam:UpdateLoginProfile", "own"),
    ("iam:DeleteLoginProfile", "own"),
    ("iam:AttachUserPolicy", "own"),
    ("iam:DetachUserPolicy", "own"),
    ("iam:EnableMFADevice", "other"),
    ("iam:ResyncMFADevice", "other"),
    ("iam:ChangePassword", "other"),
    ("iam:GetUser", "other"),
    ("iam:ListUsers", "*"),
    ("iam:PassRole", "role"),
    ("s3:ListAllMyBuckets", "*"),
    ("s3:GetObject", "object"),
    ("ec2:RunInstances", "*"),
)
"""What nobody does without MFA, whatever else they hold."""

MFA = "aws:MultiFactorAuthPresent"
WITHOUT: dict[str, Any] = {MFA: "false"}
WITH: dict[str, Any] = {MFA: "true"}
BY_KEY: dict[str, Any] = {}
VARIANTS = [
    PolicyVariant(partition, ACCOUNT, denies_keys=denies)
    for partition, denies in product(PARTITIONS, (True, False))
]


def place_of(variant: PolicyVariant, path: str, on: str) -> str:
    """The resource that a word of the tables means; what is no word is a resource."""
    prefix = f"arn:{variant.partition}:iam::{ACCOUNT}"
    return {
        "own": f"{prefix}:user{path}{NAME}",
        "other": f"{prefix}:user{path}{OTHER}",
        "device": f"{prefix}:mfa/whatever",
        "role": f"{prefix}:role/deploy",
        "object": f"arn:{variant.partition}:s3:::ledger/2026",
    }.get(on, on)


def cases() -> Iterator[Case]:
    """The tables as cases, for other engines: what holds for anyone who holds nothing else, and for anyone
    who holds everything.
    """
    for variant, path in product(VARIANTS, PATHS):
        by_key = DENIED if variant.denies_keys else ALLOWED
        for action, on in dict.fromkeys(pair for steps in NEXT.values() for pair in steps):
            for session in (WITHOUT, BY_KEY):
                yield _case(variant, path, (action, on), session, ALLOWED)
        for pair in NEVER:
            yield _case(variant, path, pair, WITH, NOT_ALLOWED)
            for session, wanted in ((WITHOUT, DENIED), (WITH, ALLOWED), (BY_KEY, by_key)):
                yield _case(variant, path, pair, session, wanted, holds=(json.loads(EVERYTHING),))


def _case(
    variant: PolicyVariant,
    path: str,
    pair: tuple[str, str],
    session: dict[str, Any],
    wanted: str,
    *,
    holds: tuple[dict[str, Any], ...] = (),
) -> Case:
    action, on = pair
    line = {
        "principal": place_of(variant, path, "own"),
        "action": action,
        "resource": place_of(variant, path, on),
        "resource_account": ACCOUNT,
        "context": dict(session),
        "policies": {"identity": [document(variant), *holds]},
    }
    kind = "all" if variant.denies_keys else "sessions only"
    name = (
        f"{variant.partition}, {kind}, {path}: {action} on {on}, {session or 'by key'}, {len(holds)} besides"
    )
    return Case("MFA demanded by policy", name, line, wanted, wanted)

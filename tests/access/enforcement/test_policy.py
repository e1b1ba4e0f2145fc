"""The policy that demands MFA, against a table written by hand from AWS's pages, for every variant and every state of password and device.

Sources: "AWS: Allows MFA-authenticated IAM users to manage their own credentials on the Security credentials page" and its note on first and
expired passwords, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html;
"IAM: Allows IAM users to self-manage an MFA device", …/reference_policies_examples_iam_mfa-selfmanage.html; on when the key is there at all,
"AWS global condition context keys", aws:MultiFactorAuthPresent: in console sessions of users always, in calls signed by an access key never.
"""

from __future__ import annotations

import hashlib
import json
from itertools import product
from typing import Any

import pytest

from iam.access.enforcement.policy import Variant, document, text_of
from iam.policy.evaluate import Decision
from iam.policy.index.documents import Documents
from iam.policy.index.index import Index
from iam.policy.index.question import Question
from iam.policy.index.rows import AccountRows, Grants, PrincipalRow
from iam.policy.lint import MANAGED, Severity, lint
from iam.policy.lint.kinds import Kind

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
    Variant(partition, ACCOUNT, denies_keys=denies)
    for partition, denies in product(PARTITIONS, (True, False))
]


def judge(variant: Variant, path: str, *holds: str, text: str = "") -> Any:
    """Asks as a user at the path who holds the policy and some others."""
    documents, digests, held = Documents(), [], []
    for one in (text or text_of(variant), *holds):
        digest = hashlib.blake2b(one.encode(), digest_size=16).hexdigest()
        held.append(documents.add(digest, one))
        digests.append((digest, digest))
    index = Index(documents)
    prefix = f"arn:{variant.partition}:iam::{ACCOUNT}"
    user = PrincipalRow(1, f"{prefix}:user{path}{NAME}", "AIDA1", Grants(tuple(digests)))
    index.put(AccountRows([user], (), (), (), ACCOUNT, variant.partition))
    member = index.member(ACCOUNT, 1)
    assert member is not None
    places = {
        "*": "*",
        "own": member.arn,
        "other": f"{prefix}:user{path}{OTHER}",
        "device": f"{prefix}:mfa/whatever",
        "role": f"{prefix}:role/deploy",
        "object": f"arn:{variant.partition}:s3:::ledger/2026",
    }

    def ask(action: str, on: str, session: dict[str, Any]) -> Decision:
        assert held
        question = Question(action, places.get(on, on), session, strict=True, is_pattern=False)
        return index.decide(member, question)

    return ask


each_variant = pytest.mark.parametrize(
    "variant", VARIANTS, ids=lambda v: f"{v.partition}, {'all' if v.denies_keys else 'sessions only'}"
)


@each_variant
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("state", NEXT, ids=" and ".join)
def test_whoever_holds_nothing_else_takes_the_next_step_without_mfa(
    variant: Variant, path: str, state: tuple[str, str]
) -> None:
    ask = judge(variant, path)
    for action, on in NEXT[state]:
        assert ask(action, on, WITHOUT) is Decision.ALLOWED, (action, on)
        assert ask(action, on, BY_KEY) is Decision.ALLOWED, (action, on)


@each_variant
@pytest.mark.parametrize("path", PATHS)
def test_whoever_holds_everything_does_nothing_else_without_mfa(variant: Variant, path: str) -> None:
    ask = judge(variant, path, EVERYTHING)
    for action, on in NEVER:
        assert ask(action, on, WITHOUT) is Decision.EXPLICITLY_DENIED, (action, on)
        assert ask(action, on, WITH) is Decision.ALLOWED, (action, on)
        by_key = Decision.EXPLICITLY_DENIED if variant.denies_keys else Decision.ALLOWED
        assert ask(action, on, BY_KEY) is by_key, (action, on)


@each_variant
def test_it_gives_nobody_more_than_their_own_password_and_device(variant: Variant) -> None:
    ask = judge(variant, "/payments/")
    for action, on in NEVER:
        assert ask(action, on, WITH) is Decision.IMPLICITLY_DENIED, (action, on)


def test_a_name_that_only_ends_like_ones_own_is_somebody_else() -> None:
    ask = judge(VARIANTS[0], "/", EVERYTHING)
    for name in (f"x{NAME}", f"payments/x{NAME}", f"{NAME}/x"):
        other = f"arn:aws:iam::{ACCOUNT}:user/{name}"
        assert ask("iam:EnableMFADevice", other, WITHOUT) is Decision.EXPLICITLY_DENIED, name


def test_the_usual_policy_would_lock_people_out_of_their_first_password() -> None:
    usual = document(VARIANTS[0])
    deny = next(one for one in usual["Statement"] if one["Sid"] == "DenyAllElseWithoutMfa")
    deny["NotAction"] = [action for action in deny["NotAction"] if "Password" not in action]
    ask = judge(VARIANTS[0], "/", text=json.dumps(usual))
    assert ask("iam:ChangePassword", "own", WITHOUT) is Decision.EXPLICITLY_DENIED
    assert ask("iam:EnableMFADevice", "own", WITHOUT) is Decision.ALLOWED


@each_variant
def test_aws_would_take_it(variant: Variant) -> None:
    text = text_of(variant)
    errors = [one for one in lint(text, kind=Kind.IDENTITY) if one.severity is Severity.ERROR]
    assert not errors
    assert MANAGED.size(text) < MANAGED.limit

"""Fixes that create something: a role for support or audit, a password policy, a permissions boundary."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from iam.audit.findings.fix_request import subject_of
from iam.audit.findings.models import AuditFinding
from iam.changes.acts.options import fact
from iam.changes.errors import RefusedError
from iam.changes.operations import ATTACH_POLICY, Attachment, CreatePolicy, Operation
from iam.changes.operations.account_setting import PasswordRules, UpdatePasswordPolicy
from iam.changes.operations.boundary import PUT_BOUNDARY, BoundaryParams, PutBoundary
from iam.changes.operations.principals import CreateRole, RoleSettings
from iam.mirror.models import Entity, Kind

LENGTH, REUSE, MAX_DAYS = 14, 24, 365
BOUNDARY: Final = "gatehouse-no-administration"
NO_ADMINISTRATION: Final = ("iam:*", "organizations:*", "account:*", "sts:AssumeRole")
"""Actions that make a principal administrator; the boundary allows everything else."""


def role_with(policy: str, *, name: str, description: str) -> Callable[[AuditFinding], Sequence[Operation]]:
    """Create a role with an AWS managed policy, which users of the account can assume with MFA."""

    def build(finding: AuditFinding) -> Sequence[Operation]:
        account = finding.account
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{account.partition}:iam::{account.account_id}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = CreateRole.of(account, name=name, trust=trust, settings=RoleSettings(description=description))
        holder = {"holder_kind": Kind.ROLE.value, "holder_name": name, "holder_id": ""}
        attachment = Attachment.given_as(
            ATTACH_POLICY,
            account,
            policy_arn=f"arn:{account.partition}:iam::aws:policy/{policy}",
            holder_arn=role.inputs.subject_arn,
            **holder,
        )
        return [role, attachment]

    return build


def strong_passwords(finding: AuditFinding) -> Sequence[Operation]:
    """Set the password policy of the remedy, without weakening existing settings."""
    now: Any = fact(finding.account, "password_policy") or {}
    longest = now.get("maximum_age") or MAX_DAYS
    rules = PasswordRules(
        minimum_length=max(now.get("minimum_length") or 0, LENGTH),
        requires_uppercase=True,
        requires_lowercase=True,
        requires_numbers=True,
        requires_symbols=bool(now.get("requires_symbols")),
        allows_change=bool(now.get("allows_change", True)),
        maximum_age=min(longest, MAX_DAYS),
        reuse_prevention=max(now.get("reuse_prevention") or 0, REUSE),
        hard_expiry=bool(now.get("hard_expiry")),
    )
    return [UpdatePasswordPolicy(finding.account, rules)]


def bound_own_role(finding: AuditFinding) -> Sequence[Operation]:
    """Set that boundary on the finding's role. Raises RefusedError if the role is in another account."""
    if subject_of(finding).kind != Kind.ROLE:
        raise RefusedError("The role belongs to another account. Request the change there.")
    return put_boundary(finding)


def put_boundary(finding: AuditFinding) -> Sequence[Operation]:
    """Set a permissions boundary that allows everything except administration."""
    role, account = subject_of(finding), finding.account
    existing = Entity.objects.filter(account=account, kind=Kind.POLICY, name=BOUNDARY, gone_at__isnull=True)
    policy = existing.first()
    if policy is not None:
        return [PutBoundary.of(role, policy=policy)]
    statement = {"Effect": "Allow", "NotAction": list(NO_ADMINISTRATION), "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    description = "Permissions boundary that leaves everything but administration"
    made = CreatePolicy.of(account, name=BOUNDARY, text=text, description=description)
    names = {"name": role.name, "subject_arn": role.arn, "subject_id": role.aws_id}
    params = BoundaryParams(**names, boundary=made.created_arns()[0])
    return [made, PutBoundary(account, params, PUT_BOUNDARY[Kind.ROLE])]

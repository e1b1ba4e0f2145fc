"""Fixes of policies: remove statements, actions or versions, or detach the policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

from iam.audit.findings.fix_request import CHANGED, entities_of, subject_of
from iam.audit.findings.lint_errors import UNKNOWN_NAMES
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.statements import AllowStatement, allows
from iam.changes.errors import RefusedError
from iam.changes.operations import (
    DETACH_POLICY,
    Attachment,
    CreatePolicyVersion,
    DeleteInlinePolicy,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.former_version import DeletePolicyVersion
from iam.changes.services.deletion import deletion_of
from iam.mirror.models import Edge, EdgeKind, Entity, InlinePolicy, Kind, PolicyVersion, valid_at
from iam.policy.lint.kinds import LintKind
from iam.policy.lint.run import lint
from iam.policy.statements import as_list, statements_in

Statement = dict[str, Any]
Edit = Callable[[int, Statement], Statement | None]
"""Maps a statement, with its number from 1, to its new content; None removes it."""


def without_statements(fits: Callable[[AllowStatement], bool]) -> Callable[[AuditFinding], list[Operation]]:
    """Remove every matching Allow statement from the finding's policy."""
    return without_actions(fits, lambda action: True)


def without_actions(
    fits: Callable[[AllowStatement], bool], is_meant: Callable[[str], bool]
) -> Callable[[AuditFinding], list[Operation]]:
    """Remove these actions (in lower case) from every matching Allow statement."""

    def build(finding: AuditFinding) -> list[Operation]:
        name = str(finding.evidence["policy"])
        text = text_of(subject_of(finding), name)
        fitting = {statement.number for statement in allows(text) if fits(statement)}

        def edit(number: int, statement: Statement) -> Statement | None:
            if number not in fitting:
                return statement
            if "NotAction" in statement:
                return None
            kept = [action for action in as_list(statement["Action"]) if not is_meant(str(action).lower())]
            return {**statement, "Action": kept} if kept else None

        return written(subject_of(finding), name, edit)

    return build


def without_unknown_actions(finding: AuditFinding) -> list[Operation]:
    """Remove action names unknown to AWS, which changes nothing that is allowed or denied."""

    def edit(number: int, statement: Statement) -> Statement | None:
        element = "NotAction" if "NotAction" in statement else "Action"
        kept = [action for action in as_list(statement.get(element, [])) if not _is_unknown(str(action))]
        return {**statement, element: kept} if kept else None

    return written(subject_of(finding), str(finding.evidence["policy"]), edit)


def _is_unknown(action: str) -> bool:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return any(problem.code in UNKNOWN_NAMES for problem in lint(text, kind=LintKind.IDENTITY, quota=None))


def written(owner: Entity, name: str, edit: Edit, *, more: Sequence[Statement] = ()) -> list[Operation]:
    """Rewrite a managed policy, or an inline policy of its owner, optionally with more statements.

    A policy without remaining statements is deleted.
    """
    body = json.loads(text_of(owner, name))
    statements = []
    for number, statement in enumerate(statements_in(body), 1):
        edited = edit(number, statement)
        if edited is not None:
            statements.append(edited)
    statements.extend(more)
    if statements == statements_in(body):
        raise RefusedError(CHANGED)
    text = json.dumps({**body, "Statement": statements}, ensure_ascii=False)
    if owner.kind == Kind.POLICY:
        return [CreatePolicyVersion.of(owner, text=text)] if statements else _removal(owner)
    if not statements:
        return [DeleteInlinePolicy.of(owner, policy_name=name)]
    return [PutInlinePolicy.of(owner, name=name, text=text)]


def text_of(owner: Entity, name: str) -> str:
    """The text of a managed policy, or of an inline policy of its owner. Raises RefusedError if it
    is gone.
    """
    current = valid_at(None)
    rows: QuerySet[PolicyVersion] | QuerySet[InlinePolicy]
    if owner.kind == Kind.POLICY:
        rows = PolicyVersion.objects.filter(current, policy=owner, is_default=True)
    else:
        rows = InlinePolicy.objects.filter(current, owner=owner, name=name)
    text = rows.values_list("document__text", flat=True).first()
    if text is None:
        raise RefusedError(CHANGED)
    return str(text)


def _removal(policy: Entity) -> list[Operation]:
    """Delete a policy; if it is someone's permissions boundary, only detach it."""
    if Edge.objects.filter(valid_at(None), kind=EdgeKind.BOUNDARY, target=policy).exists():
        return detached_everywhere(policy)
    return deletion_of(policy)


def detached_everywhere(policy: Entity) -> list[Operation]:
    """Detach a policy from all its holders."""
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.ATTACHED, target=policy)
    rows = edges.select_related("source__account").order_by("source__name")
    return [Attachment.of(DETACH_POLICY, edge.source, policy=policy) for edge in rows]


def detach_all(finding: AuditFinding) -> Sequence[Operation]:
    """Detach every policy named in the evidence from the subject."""
    return detach_policies(finding, finding.evidence["policies"])


def detach_policies(finding: AuditFinding, arns: Sequence[str]) -> Sequence[Operation]:
    """Detach these policies from the subject."""
    holder = subject_of(finding)
    policies = entities_of(finding.account, Kind.POLICY, arns=arns)
    return [Attachment.of(DETACH_POLICY, holder, policy=policy) for policy in policies]


def delete_inline_policies(finding: AuditFinding) -> Sequence[Operation]:
    """Delete every inline policy named in the evidence."""
    holder = subject_of(finding)
    return [DeleteInlinePolicy.of(holder, policy_name=name) for name in finding.evidence["policies"]]


def delete_unused_versions(finding: AuditFinding) -> Sequence[Operation]:
    """Delete every version except the default."""
    policy = subject_of(finding)
    rows = PolicyVersion.objects.filter(valid_at(None), policy=policy, is_default=False)
    return [DeletePolicyVersion.of(policy, version=version) for version in rows.order_by("created_at", "id")]


def close_path(finding: AuditFinding) -> Sequence[Operation]:
    """Remove a statement that the path depends on. AWS managed policies can only be detached."""
    statements = finding.evidence["statements"]
    for entry in statements:
        owner = _owner(finding, entry["holder"])
        if owner is not None and (owner.kind == Kind.POLICY or entry["policy"] in _inline_names(owner)):
            return _without(owner, entry)
    raise RefusedError(
        "No policy that the account wrote opens this path. Open the path to see what else closes it."
    )


def can_close_path(finding: AuditFinding) -> bool:
    """True if a policy of the account is among those that open the path."""
    return not all(is_aws_managed(entry["holder"]) for entry in finding.evidence.get("statements", ()))


def is_aws_managed(arn: str) -> bool:
    """True for the ARN of an AWS managed policy, in any partition."""
    return ":iam::aws:" in arn


def _owner(finding: AuditFinding, arn: str) -> Entity | None:
    if is_aws_managed(arn):
        return None
    rows = Entity.objects.filter(account=finding.account, arn=arn, gone_at__isnull=True)
    return rows.select_related("account").first()


def _inline_names(owner: Entity) -> set[str]:
    rows = InlinePolicy.objects.filter(valid_at(None), owner=owner)
    return set(rows.values_list("name", flat=True))


def _without(owner: Entity, entry: dict[str, Any]) -> list[Operation]:
    def edit(number: int, statement: Statement) -> Statement | None:
        return None if number == entry["statement"] else statement

    return written(owner, str(entry["policy"]), edit)

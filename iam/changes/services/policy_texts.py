"""Plans and requests new texts of customer managed policies."""

from __future__ import annotations

from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import CreatePolicyVersion, Operation
from iam.changes.services.plans import ChangePlan, plan
from iam.changes.services.requests import request_operation
from iam.guard import Viewer
from iam.mirror.models import Entity, Kind


def rewriting(policy: Entity, *, text: str) -> Operation:
    """The operation that sets the policy's new text. Raises RefusedError if it is not possible."""
    if policy.kind != Kind.POLICY:
        raise RefusedError("Only a managed policy has versions.")
    if ":iam::aws:" in policy.arn:
        raise RefusedError(f"{policy.name} is managed by AWS, who alone can change it.")
    if not text:
        raise RefusedError("The text is empty; a policy says something.")
    return CreatePolicyVersion.of(policy, text=text)


def plan_policy_text(viewer: Viewer, *, policy: Entity, text: str) -> ChangePlan:
    """Plan a new text for the policy. Raises RefusedError."""
    return plan(rewriting(policy, text=text), viewer=viewer)


def request_policy_text(
    actor: Viewer, *, policy: Entity, text: str, reason: str, idempotency_key: str
) -> Change:
    """Plan and request a new text. Idempotent by key. Raises RefusedError."""
    operation = rewriting(policy, text=text)
    return request_operation(actor, operation=operation, reason=reason, idempotency_key=idempotency_key)

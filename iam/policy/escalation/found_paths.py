"""The paths found in one round of an account, and the context of the requests that are checked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from iam.policy.escalation.account_graph import StepOption
from iam.policy.escalation.edits import PolicyEdits
from iam.policy.escalation.method_types import EscalationMethod
from iam.policy.escalation.new_principals import NewPrincipalPath
from iam.policy.escalation.permission_checks import HOME
from iam.policy.escalation.states import ADMINISTRATOR_ACCESS

CHOSEN: dict[str, dict[str, Any]] = {
    "iam:PutUserPermissionsBoundary": {"iam:PermissionsBoundary": ADMINISTRATOR_ACCESS},
    "iam:PutRolePermissionsBoundary": {"iam:PermissionsBoundary": ADMINISTRATOR_ACCESS},
}
"""Values that an attacker would put into the request."""


def circumstances(method: EscalationMethod, action: str, *, policy: str = "") -> dict[str, Any]:
    """Return the context of a method's request to IAM or STS. `policy` is the ARN of the policy to attach."""
    context: dict[str, Any] = {"aws:RequestedRegion": HOME, **CHOSEN.get(action, {})}
    if policy:
        context["iam:PolicyARN"] = policy
    if method.service:
        context["iam:PassedToService"] = method.service
    return context


@dataclass(slots=True)
class FoundPaths:
    """The paths of one round. `become` is by node, `edits` by the principal's number. `everything` leads to
    the administrator of the account, `elsewhere` to those of other accounts of the organization.
    """

    become: dict[int, list[StepOption]] = field(default_factory=lambda: defaultdict(list))
    edits: dict[int, PolicyEdits] = field(default_factory=lambda: defaultdict(PolicyEdits))
    new: list[NewPrincipalPath] = field(default_factory=list)
    everything: list[StepOption] = field(default_factory=list)
    elsewhere: list[StepOption] = field(default_factory=list)

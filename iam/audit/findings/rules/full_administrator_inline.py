"""An inline policy makes someone a full administrator."""

from __future__ import annotations

from iam.audit.findings.holder_rules import OwnFullPolicyRule
from iam.audit.findings.models import FindingSeverity


class FullAdministratorInline(OwnFullPolicyRule):
    """Separate from managed policies, because an inline policy is visible only on its user, group or role."""

    kind = "full-administrator-inline"
    severity = FindingSeverity.MEDIUM
    title = "Full administrator by an inline policy"
    sentence = "An inline policy that allows every action on every resource makes someone administrator."
    is_inline = True

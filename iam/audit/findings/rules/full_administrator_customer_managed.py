"""A customer managed policy makes someone a full administrator."""

from __future__ import annotations

from iam.audit.findings.holder_rules import OwnFullPolicyRule
from iam.audit.findings.models import FindingSeverity


class FullAdministratorCustomerManaged(OwnFullPolicyRule):
    """Policies that make no one administrator, because of boundaries, denies or SCPs, are left out."""

    kind = "full-administrator-customer-managed"
    severity = FindingSeverity.HIGH
    title = "Full administrator by a customer managed policy"
    sentence = (
        "A customer managed policy that allows every action on every resource makes someone administrator."
    )
    is_inline = False

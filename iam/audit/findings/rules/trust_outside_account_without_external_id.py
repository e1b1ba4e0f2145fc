"""A role trusts an account outside of the organization without an external ID."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import OUTSIDE, admits, trust_evidence, trusted
from iam.audit.findings.trust_fixes import require_external_id
from iam.mirror.pull.sections import ROLES
from iam.policy.trust_principals import TrustPrincipal

CONDITIONAL: Final = "conditions of the trust policy decide"
UNKNOWN_ORGANIZATION: Final = "the accounts of the organization weren’t synced"
KINDS: Final = frozenset({"account", "user", "role", "session", "federated-user"})


class TrustOutsideAccountWithoutExternalId(FindingRule):
    """One finding for each role and outside account. Connected accounts and those of the organization are not
    outside.
    """

    kind = "trust-outside-account-without-external-id"
    severity = FindingSeverity.HIGH
    title = "Role open to an outside account without an external ID"
    sentence = "A role trusts an account outside of the organization and doesn’t require an external ID."
    risk = "If the account belongs to a vendor, another customer of theirs can have them act on this role."
    remedy = "Agree on an external ID with the other side, then add a condition on sts:ExternalId."
    fix_request = FixRequest("Require external ID", require_external_id)
    sections = (ROLES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for role in facts.roles:
            seen = set[str]()
            for principal in trusted(role, facts):
                account = principal.account_id
                if principal.kind not in KINDS or account in facts.known_accounts or account in seen:
                    continue
                admitted = admits(role, facts, _caller(principal, facts), context=OUTSIDE)
                if admitted is None:
                    continue
                seen.add(account)
                reasons = () if admitted else (CONDITIONAL,)
                if not facts.is_organization_known:
                    reasons = (*reasons, UNKNOWN_ORGANIZATION)
                evidence = {"account": account, **trust_evidence(role, facts, principal.text)}
                fix = FindingFix("trust", role.id)
                yield RuleProblem(role, evidence, cause=account, reasons=reasons, fix=fix)


def _caller(principal: TrustPrincipal, facts: AccountFacts) -> str:
    """Return a principal that the trust policy means; for a whole account, one of its roles."""
    if principal.kind == "account":
        return f"arn:{facts.partition}:iam::{principal.account_id}:role/someone"
    return principal.text

"""A role trusts an account outside of the organization without an external ID."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.outside_trust import (
    admits_without_external_id,
    is_for_anybody_named,
    organizations_in_conditions,
    outsiders,
)
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import trust_evidence
from iam.audit.findings.trust_fixes import require_external_id
from iam.mirror.pull.sections import ROLES

CONDITIONAL: Final = "conditions of the trust policy decide"
UNKNOWN_ORGANIZATION: Final = "the accounts of the organization weren’t synced"


class TrustOutsideAccountWithoutExternalId(FindingRule):
    """One finding for each role and outside account. Connected accounts and those of the organization are not
    outside. Where the principal is anyone, conditions can name an account or another organization.
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
            for account, callers, named in outsiders(role, facts):
                admitted = admits_without_external_id(role, facts, callers)
                if admitted is not None and account not in seen:
                    seen.add(account)
                    yield _problem(role, facts, {"account": account}, named, is_sure=admitted)
            if is_for_anybody_named(role, facts):
                for organization, admitted in organizations_in_conditions(role, facts).items():
                    if admitted is not None:
                        yield _problem(role, facts, {"organization": organization}, "*", is_sure=admitted)


def _problem(
    role: EntityFact, facts: AccountFacts, outsider: dict[str, str], named: str, *, is_sure: bool
) -> RuleProblem:
    reasons = () if is_sure else (CONDITIONAL,)
    if not facts.is_organization_known:
        reasons = (*reasons, UNKNOWN_ORGANIZATION)
    (cause,) = outsider.values()
    evidence = {**outsider, **trust_evidence(role, facts, named)}
    return RuleProblem(role, evidence, cause=cause, reasons=reasons, fix=FindingFix("trust", role.id))

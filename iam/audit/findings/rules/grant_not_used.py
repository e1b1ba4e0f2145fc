"""No one used the access of a grant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iam.activity.sources.covered_accounts import MAY_MISS
from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.recorded_calls import DAYS
from iam.audit.findings.rule import MAX_RELATED, FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import AUTHORIZATION


class GrantNotUsed(FindingRule):
    """Based on the calls that CloudTrail recorded, with their resources. Conditional if events of the period
    may be missing; unknown if they don't reach from its beginning to its end, or if the trail records nothing
    that the grant allows. Grants younger than 90 days are left out.
    """

    kind = "grant-not-used"
    severity = FindingSeverity.LOW
    title = "Grant not used in 90 days"
    sentence = "A grant is active for 90 days or longer, and no recorded call of the last 90 days used it."
    risk = "Access that no one uses still serves anyone who gets hold of a password or key of its holders."
    remedy = "End the grant."
    no_request = "A grant ends without another approval: those who may end it do so on its page."
    sections = AUTHORIZATION
    uses_last_use = True

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for grant in facts.unused_grants:
            subject = EntityFact(0, f"grant {grant.part}", "grant", grant.title, "")
            if grant.is_unused is None:
                yield NotRead(subject)
                continue
            yield RuleProblem(
                subject,
                {"grant": grant.reference, "given": grant.given_at.isoformat(), "days": DAYS},
                related=grant.holders[:MAX_RELATED],
                affected=len(grant.holders),
                reasons=_reasons(grant.unrecorded, facts),
                fix=FindingFix(page="grant", policy=str(grant.grant)),
            )


def _reasons(unrecorded: Sequence[str], facts: AccountFacts) -> tuple[str, ...]:
    """Return why the access could have been used without an event that Gatehouse read."""
    reasons = []
    if unrecorded:
        others = len(unrecorded) - 1
        more = f" and {others} more of its actions" if others else ""
        reasons.append(f"the trail doesn’t record {unrecorded[0]}{more}")
    if facts.last_calls is None or not facts.last_calls.is_complete:
        reasons.append(MAY_MISS)
    return tuple(reasons)

"""Finds the findings that are outdated because their account was written to and a worker will
recalculate it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from django.core.cache import cache

from iam.access.escalation_calculation.models import EscalationCalculation
from iam.audit.findings.models import AuditFinding, FindingStatus
from iam.mirror.models import Account

KEY: Final = "findings-behind"
KEPT_S: Final = 2
"""How long the result is cached."""
BY_PATHS: Final = frozenset({"privilege-escalation", "instance-role-can-escalate"})
"""Kinds based on escalation paths, which are calculated separately before their findings."""


class BehindAccounts(NamedTuple):
    """The accounts whose findings, or escalation paths, are older than the mirror."""

    findings: frozenset[int]
    paths: frozenset[int]

    def will_recalculate(self, finding: AuditFinding) -> bool:
        """True if the finding will be recalculated and may then be gone."""
        if finding.status == FindingStatus.FIXED:
            return False
        account = finding.account_id
        return account in self.findings or (finding.kind in BY_PATHS and account in self.paths)


def behind_accounts() -> BehindAccounts:
    """The outdated accounts, cached for two seconds. At most two queries."""
    kept = cache.get(KEY)
    if kept is None:
        kept = _behind()
        cache.set(KEY, kept, KEPT_S)
    findings, paths = kept
    return BehindAccounts(frozenset(findings), frozenset(paths))


def _behind() -> tuple[list[int], list[int]]:
    calculation = EscalationCalculation.objects.filter(moment="", number__gt=0)
    calculated: Mapping[str, int] = calculation.values_list("revisions", flat=True).first() or {}
    accounts = Account.objects.filter(removed_at__isnull=True).values_list(
        "pk", "account_id", "revision", "writes", "finding_run__writes"
    )
    findings: list[int] = []
    paths: list[int] = []
    for pk, number, revision, writes, writes_then in accounts:
        if writes_then is not None and writes_then != writes:
            findings.append(pk)
        if calculated.get(number, revision) != revision:
            paths.append(pk)
    return findings, paths

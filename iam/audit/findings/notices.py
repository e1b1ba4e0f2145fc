"""Tells people of new critical and high findings: one message for each account and calculation, and one
summary for the first calculation of an account.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from iam.audit.findings.models import (
    FindingEvent,
    FindingEventKind,
    FindingRun,
    FindingSeverity,
    FindingStatus,
)
from iam.audit.findings.rules import all_rules
from iam.directory.models import Person, Role
from iam.mirror.models import Account
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify

BAD: Final = (FindingSeverity.CRITICAL, FindingSeverity.HIGH)
NEW: Final = (FindingEventKind.OPENED, FindingEventKind.REOPENED)
ROLES: Final = (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)
"""Who sees accounts whole, and so may read what is found in them."""
NAMED: Final = 10


def tell_new_findings(account: Account) -> int:
    """Tell of what the last calculation opened; how many messages there are. The same calculation is told of
    once.
    """
    run = FindingRun.objects.filter(account=account, calculated_at__isnull=False).first()
    if run is None or run.calculated_at is None:
        return 0
    at = run.calculated_at
    events = FindingEvent.objects.filter(at=at, kind__in=NEW, finding__account=account)
    bad = events.filter(finding__severity__in=BAD, finding__status=FindingStatus.OPEN)
    new = [event.finding for event in bad.select_related("finding").order_by("finding__place")]
    if not new:
        return 0
    is_first = not FindingEvent.objects.filter(finding__account=account, at__lt=at).exists()
    severities = Counter(FindingSeverity(finding.severity).label.lower() for finding in new)
    counts = " and ".join(f"{number:,} {severity}" for severity, number in sorted(severities.items()))
    plural = "" if len(new) == 1 else "s"
    if is_first:
        subject = f"Findings of {account.name}: {counts}"
        text = "This account’s findings were calculated for the first time."
    else:
        subject = f"{counts} finding{plural} opened in {account.name}"
        lines = [f"{_title(finding.kind)}: {finding.name}" for finding in new[:NAMED]]
        if len(new) > NAMED:
            lines.append(f"And {len(new) - NAMED:,} more.")
        text = "\n".join(lines)
    return notify(
        NotifyEvent.FINDINGS,
        people=_people(account),
        subject=subject,
        text=text,
        path=f"{path_of(MessagePage.FINDINGS)}?account={account.account_id}",
        key=f"{account.pk}:{at.isoformat()}",
        reference=account.account_id,
    )


def _title(kind: str) -> str:
    rule = all_rules().get(kind)
    return rule.title if rule else kind


def _people(account: Account) -> list[Person]:
    numbers = ("", account.account_id)
    people = Person.objects.filter(
        is_active=True, assignments__role__in=ROLES, assignments__account_id__in=numbers
    )
    return list(people.distinct())

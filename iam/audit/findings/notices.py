"""Notifies people of new critical and high findings: one message per account and calculation, and a summary
after the first.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F

from iam.audit.findings.models import (
    FindingEvent,
    FindingEventKind,
    FindingRun,
    FindingSeverity,
    FindingStatus,
)
from iam.audit.findings.owners import owners_of
from iam.audit.findings.rules import title_of
from iam.directory.models import Person, Role
from iam.mirror.models import Account
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify

BAD: Final = (FindingSeverity.CRITICAL, FindingSeverity.HIGH)
NEW: Final = (FindingEventKind.OPENED, FindingEventKind.REOPENED)
ROLES: Final = (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)
"""Roles that see accounts whole and so can read their findings."""
NAMED: Final = 10


def untold_accounts() -> frozenset[int]:
    """Return the accounts with a calculation that no one was notified of."""
    untold = FindingRun.objects.filter(calculated_at__isnull=False).exclude(told_at=F("calculated_at"))
    return frozenset(untold.values_list("account_id", flat=True))


def tell_new_findings(account: Account) -> int:
    """Notify people of findings opened since the last notice. Returns the number of messages.

    Messages and progress are written together, so that nothing is lost or sent twice.
    """
    with transaction.atomic():
        runs = FindingRun.objects.select_for_update().filter(account=account, calculated_at__isnull=False)
        run = runs.first()
        if run is None or run.calculated_at is None or run.told_at == run.calculated_at:
            return 0
        count = _tell(account, since=run.told_at, until=run.calculated_at)
        runs.update(told_at=run.calculated_at)
        return count


def _tell(account: Account, *, since: datetime | None, until: datetime) -> int:
    events = FindingEvent.objects.filter(at__lte=until, kind__in=NEW, finding__account=account)
    if since is not None:
        events = events.filter(at__gt=since)
    bad = events.filter(finding__severity__in=BAD, finding__status=FindingStatus.OPEN)
    by_key = {event.finding.key: event.finding for event in bad.select_related("finding")}
    new = sorted(by_key.values(), key=lambda finding: finding.place)
    if not new:
        return 0
    severities = Counter(FindingSeverity(finding.severity).label.lower() for finding in new)
    counts = " and ".join(f"{number:,} {severity}" for severity, number in sorted(severities.items()))
    plural = "" if len(new) == 1 else "s"
    if since is None:
        subject = f"Findings of {account.name}: {counts}"
        text = "This account’s findings were calculated for the first time."
    else:
        subject = f"{counts} finding{plural} opened in {account.name}"
        owners = owners_of(new[:NAMED])
        lines = []
        for finding in new[:NAMED]:
            owner = owners.get(finding.pk, "")
            answers = f", owner: {owner}" if owner not in ("", finding.name) else ""
            lines.append(f"{title_of(finding.kind)}: {finding.name}{answers}")
        if len(new) > NAMED:
            lines.append(f"And {len(new) - NAMED:,} more.")
        text = "\n".join(lines)
    return notify(
        NotifyEvent.FINDINGS,
        people=_people(account),
        subject=subject,
        text=text,
        path=f"{path_of(MessagePage.FINDINGS)}?account={account.account_id}",
        key=f"{account.pk}:{until.isoformat()}",
        reference=account.account_id,
    )


def _people(account: Account) -> list[Person]:
    numbers = ("", account.account_id)
    people = Person.objects.filter(
        is_active=True, assignments__role__in=ROLES, assignments__account_id__in=numbers
    )
    return list(people.distinct())

"""Stores scores by day after each calculation of findings, and reads them for pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db.models import Avg, Count, Min, QuerySet

from iam.audit.findings.models import AuditFinding, FindingSeverity, FindingStatus
from iam.audit.findings.rules import all_rules
from iam.audit.findings.values import Row
from iam.audit.posture.models import PostureDay
from iam.audit.posture.score import PostureScore, posture_of, together
from iam.guard import Viewer
from iam.mirror.models import Account

TREND_DAYS: Final = 30
CURRENT_DAYS: Final = 2
"""A score expires after this number of days. Accounts are calculated at least hourly."""


@dataclass(frozen=True, slots=True)
class PostureTrend:
    """The posture of accounts, with pairs of day and score. Of `accounts`, only `scored` have a score."""

    posture: PostureScore
    days: tuple[tuple[date, float], ...]
    accounts: int
    scored: int


def keep_posture(account: Account, *, unread: Iterable[str], at: datetime) -> None:
    """Store the day's score from the stored open findings."""
    rows = AuditFinding.objects.filter(account=account, status=FindingStatus.OPEN).order_by()
    counted = rows.values_list("kind").annotate(number=Count("pk"), worst=Min("severity"))
    counts = {kind: (number, worst) for kind, number, worst in counted}
    posture = posture_of(counts, severities=_severities(), unread=set(unread))
    lines = [list(asdict(line).values()) for line in posture.lines]
    row = PostureDay(account=account, day=at.date(), score=posture.score, lines=lines)
    row.unread = list(posture.unread)
    PostureDay.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["account", "day"],
        update_fields=["score", "lines", "unread"],
    )


def posture_of_rows(rows: Iterable[Row], *, unread: Iterable[str]) -> PostureScore:
    """The posture from an account's open findings at a past moment."""
    counts: dict[str, tuple[int, int]] = {}
    for row in rows:
        severity = int(FindingSeverity[row["severity"].upper()])
        number, worst = counts.get(row["kind"], (0, severity))
        counts[row["kind"]] = (number + 1, min(worst, severity))
    return posture_of(counts, severities=_severities(), unread=set(unread))


def posture_trend(viewer: Viewer, *, account: Account | None, now: datetime | None = None) -> PostureTrend:
    """The posture of the accounts that a viewer sees whole, or of one of them. Four queries."""
    today = (now or datetime.now(tz=UTC)).date()
    accounts = seen_accounts(viewer, account)
    rows = PostureDay.objects.filter(account__in=accounts.values("pk"), account__removed_at__isnull=True)
    last: dict[int, PostureDay] = {}
    for row in rows.filter(day__gt=today - timedelta(days=CURRENT_DAYS)).order_by("day"):
        last[row.account_id] = row
    postures = [PostureScore.from_row(row.score, row.lines, row.unread) for row in last.values()]
    scored = sum(posture.score is not None for posture in postures)
    whole = postures[0] if account is not None and postures else together(postures)
    since = rows.filter(day__gt=today - timedelta(days=TREND_DAYS), score__isnull=False)
    means = since.order_by("day").values_list("day").annotate(mean=Avg("score"))
    days = tuple((day, round(mean, 1)) for day, mean in means)
    return PostureTrend(whole, days, accounts.count(), scored)


def posture_days(accounts: Iterable[Account], *, most: int) -> list[tuple[date, float, int]]:
    """Days with a score, newest first: day, mean score, and number of accounts."""
    rows = PostureDay.objects.filter(account__in=[account.pk for account in accounts], score__isnull=False)
    means = rows.order_by("-day").values_list("day").annotate(mean=Avg("score"), number=Count("pk"))
    return [(day, round(mean, 1), number) for day, mean, number in means[:most]]


def seen_accounts(viewer: Viewer, account: Account | None) -> QuerySet[Account]:
    """The accounts that a viewer sees whole, or one of them."""
    rows = Account.objects.filter(removed_at__isnull=True)
    if account is not None:
        rows = rows.filter(pk=account.pk)
    if not viewer.sees_accounts:
        return rows.none()
    numbers = viewer.scope.accounts
    return rows if numbers is None else rows.filter(account_id__in=numbers)


def _severities() -> Mapping[str, int]:
    return {rule.kind: int(rule.severity) for rule in all_rules().values()}

"""Provides the posture of accounts at a past moment: a page requests it, and a worker calculates it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db import transaction

from iam.audit.posture.models import PastPosture
from iam.audit.posture.score import PostureScore, together
from iam.mirror.models import Account
from iam.nudge import send_seldom

TASK: Final = "iam.audit.posture.tasks.calculate_past_postures"
NUDGE_SECONDS: Final = 2
MAX_WAITING: Final = 40
"""The maximum number of waiting accounts and moments. A page that requests it again later gets its turn."""
MAX_ACCOUNTS: Final = 20
"""The maximum number of accounts on the page. With more, one must be chosen."""


@dataclass(frozen=True, slots=True)
class PastFinding:
    """A past finding; `severity` is a FindingSeverity."""

    kind: str
    severity: int
    certainty: str
    status: str
    subject: str
    account: Account


@dataclass(frozen=True, slots=True)
class PastView:
    """The posture of accounts at a moment, and their findings, worst first, out of `count`. `scored` accounts
    have a score.
    """

    posture: PostureScore
    findings: tuple[PastFinding, ...]
    count: int
    scored: int


def past_view(accounts: Sequence[Account], at: datetime) -> PastView | None:
    """The posture of these accounts at a moment; None while a worker calculates it."""
    rows = {row.account_id: row for row in PastPosture.objects.filter(account__in=accounts, at=at)}
    missing = [account for account in accounts if account.pk not in rows]
    if missing:
        _request(missing, at)
        return None
    if any(row.calculated_at is None for row in rows.values()):
        return None
    postures = [PostureScore.from_row(row.score, row.lines, row.unread) for row in rows.values()]
    whole = postures[0] if len(postures) == 1 else together(postures)
    findings: list[PastFinding] = []
    for account in accounts:
        for kind, severity, certainty, status, subject in rows[account.pk].findings:
            findings.append(PastFinding(kind, severity, certainty, status, subject, account))
    findings.sort(key=lambda finding: finding.severity)
    count = sum(row.count for row in rows.values())
    scored = sum(posture.score is not None for posture in postures)
    return PastView(whole, tuple(findings), count, scored)


def _request(accounts: Sequence[Account], at: datetime) -> None:
    """Add a row per account for a worker to fill. Adds none while many are waiting."""
    waiting = PastPosture.objects.filter(calculated_at__isnull=True).count()
    if waiting + len(accounts) > MAX_WAITING:
        return
    now = datetime.now(tz=UTC)
    rows = [PastPosture(account=account, at=at, requested_at=now) for account in accounts]
    PastPosture.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(_nudge, robust=True)


def _nudge() -> None:
    send_seldom(TASK, seconds=NUDGE_SECONDS)

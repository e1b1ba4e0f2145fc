"""Presents the posture score: the number, the cost of each kind of finding, and the trend."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from django.urls import reverse
from django.utils.http import urlencode

from console.findings.presenters import TONES
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.queries import FindingState, kept
from iam.audit.findings.rules import title_of
from iam.audit.posture.days import PostureTrend, posture_trend
from iam.audit.posture.score import PostureLine
from iam.guard import Viewer
from iam.mirror.models import Account

SHOWN: Final = 5
WIDTH: Final = 100.0
HEIGHT: Final = 24.0
KEPT_S: Final = 60


@dataclass(frozen=True, slots=True)
class PostureLineShown:
    """The cost of a kind of finding; `url` shows its findings."""

    points: str
    words: str
    tone: str
    url: str


def posture_context(
    viewer: Viewer, account: Account | None, *, state: FindingState | None = None
) -> dict[str, Any]:
    """Return the context of `findings/_posture.html`; {} for viewers who see no whole account.

    `state` is the state of the findings, if it was loaded before.
    """
    if not viewer.sees_accounts:
        return {}
    make = partial(_shown, viewer, account)
    return {"posture": kept("posture", viewer, account, make, seconds=KEPT_S, state=state)}


def _shown(viewer: Viewer, account: Account | None) -> dict[str, Any]:
    trend = posture_trend(viewer, account=account)
    lines = [asdict(_line(line, account)) for line in trend.posture.lines]
    number = len(lines) - SHOWN
    plural = "" if number == 1 else "s"
    days_url = reverse("findings:posture")
    if account is not None:
        days_url = f"{days_url}?{urlencode({'account': account.account_id})}"
    return {
        "days_url": days_url,
        "score": trend.posture.score,
        "lines": lines[:SHOWN],
        "more_lines": lines[SHOWN:],
        "more_words": f"{number} more kind{plural}",
        "unread": len(trend.posture.unread),
        "unscored": trend.accounts - trend.scored,
        "accounts": trend.accounts,
        "points": _points(trend.days),
        "trend_words": _trend_words(trend),
    }


def _line(line: PostureLine, account: Account | None) -> PostureLineShown:
    severity = FindingSeverity(line.severity)
    title = title_of(line.kind)
    # Findings of a kind can differ in severity: the number counts all, the label is that of the worst.
    worst = "at worst " if line.count > 1 else ""
    query = {"kind": line.kind} | ({"account": account.account_id} if account else {})
    return PostureLineShown(
        points=points_words(line.points),
        words=f"{title}, {line.count:,} open, {worst}{str(severity.label).lower()}",
        tone=TONES[severity],
        url=f"{reverse('findings:list')}?{urlencode(query)}",
    )


def points_words(points: float) -> str:
    """Return the points with one decimal, or with two where one would leave nothing."""
    digits = 1 if points >= 0.1 else 2
    return f"−{points:.{digits}f}"


def _points(days: tuple[tuple[date, float], ...]) -> str:
    """Return the points of the line in a box of 100 by 24, by day; "" for a single day."""
    if len(days) < 2:
        return ""
    first, last = days[0][0], days[-1][0]
    span = (last - first).days
    places = []
    for day, score in days:
        across = WIDTH * (day - first).days / span
        places.append(f"{across:.1f},{HEIGHT * (1 - score / 100):.1f}")
    return " ".join(places)


def _trend_words(trend: PostureTrend) -> str:
    """Return the trend in words."""
    if len(trend.days) < 2:
        return "The trend begins with the second day."
    (first_day, first), (_, last) = trend.days[0], trend.days[-1]
    change = last - first
    since = f"since {first_day.day} {first_day:%b}"
    if abs(change) < 0.05:
        return f"Unchanged {since}."
    direction = "Up" if change > 0 else "Down"
    return f"{direction} {abs(change):.1f} points {since}, from {first:.1f} to {last:.1f}."

"""What needs attention, the worst first: each line with its number, its meaning, and the page that shows the
same number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.urls import reverse

from console.dashboard.waiting_counts import CRITICAL_DRIFT, DRIFT, WaitingCounts
from console.web.context import count_said
from iam.access.escalation_calculation.stored_calculation import stored_reads
from iam.access.escalation_groups import EscalationTotals, escalation_totals
from iam.access.visible_accounts import accounts_seen
from iam.audit.findings.models import FindingSeverity, FindingStatus
from iam.audit.findings.queries import FindingFilter, findings
from iam.compiled_queries import SCOPES_KEPT, CompiledCounts
from iam.guard import Right, Viewer
from iam.mirror.models import Account
from iam.people.fleet.roots import RootStanding, RootUserFacts, root_reads, roots
from iam.planned_reads import PlannedRead

UNKNOWN = "?"
MAX_FINDINGS = 1_000_000
RANK = {"bad": 0, "warn": 1, "note": 2, "": 3}


@dataclass(frozen=True, slots=True)
class AttentionLine:
    """A line; `number` is `?` if unknown, `url` shows what it counts, and `load` is the address that
    calculates a slow number.
    """

    title: str
    meaning: str
    number: str
    tone: str
    url: str = ""
    load: str = ""


def matters(
    viewer: Viewer, *, account: Account | None, waits: WaitingCounts, figures: list[AttentionLine]
) -> list[AttentionLine]:
    """Return the viewer's lines, the worst first.

    `waits` counts what waits for people, and `figures` are lines counted from the lists of the mirror.
    """
    waiting = [
        AttentionLine(line.title, line.meaning, count_said(number), line.tone, line.url)
        for line, number in waits.lines
        if number
    ]
    matters_now = [*_mirrored(viewer, account, waits), *waiting, *figures]
    return sorted(matters_now, key=lambda matter: RANK[matter.tone])


def _mirrored(viewer: Viewer, account: Account | None, waits: WaitingCounts) -> Iterator[AttentionLine]:
    kept = f"?account={account.account_id}" if account else ""
    if viewer.may(Right.SEE_ACCOUNT):
        number = account.account_id if account else ""
        totals = escalation_totals(accounts_seen(viewer, account=number), wait=False)
        yield from escalation_matter(totals, kept)
        yield from _root_matters(roots(viewer, account=account), kept)
        yield from _critical_findings(viewer, account)
    if drift := count_said(waits.count_of(DRIFT)):
        critical = count_said(waits.count_of(CRITICAL_DRIFT))
        named = f"{critical} critical. " if critical else ""
        decides = viewer.may(Right.REQUEST_CHANGE)
        what = (
            "Accept what is right, and undo the rest." if decides else "No one has accepted or undone it yet."
        )
        tone = "bad" if critical else "warn"
        yield AttentionLine(
            "Changed outside Gatehouse",
            f"{named}{what}",
            drift,
            tone,
            f"{reverse('changes:drift')}{kept}",
        )


def matters_reads(viewer: Viewer, *, account: Account | None) -> list[PlannedRead]:
    """Return most of the reads of `matters`."""
    if not viewer.may(Right.SEE_ACCOUNT):
        return []
    critical = _critical_statement(viewer, account).planned()
    return [*stored_reads(None), *root_reads(viewer, account=account), critical]


def escalation_matter(totals: EscalationTotals | None, kept: str) -> Iterator[AttentionLine]:
    """Yield the line about who can become administrator.

    Yields nothing if no one can, and an unknown number if this isn’t calculated yet or may miss someone.
    """
    title, url = "Can become administrator", f"{reverse('access:escalation')}{kept}"
    if totals is None:
        load = f"{reverse('dashboard:escalation')}{kept}"
        yield AttentionLine(title, "Not calculated yet.", UNKNOWN, "bad", url, load)
    elif totals.everyone.total:
        tone = "bad" if totals.confirmed.total else "warn"
        yield AttentionLine(title, f"{totals.words}.", f"{totals.everyone.total:,}", tone, url)
    elif totals.coverage.may_miss_someone:
        unread = [f"{text}." for text in totals.coverage.unread]
        meaning = " ".join([*unread, *totals.coverage.words("who can become administrator")])
        yield AttentionLine(title, meaning or "A policy couldn’t be read.", UNKNOWN, "warn", url)


def _root_matters(roots: list[RootUserFacts], kept: str) -> Iterator[AttentionLine]:
    without = sum(root.standing is RootStanding.NONE for root in roots)
    unknown = sum(root.standing in (RootStanding.UNREAD, RootStanding.UNCONNECTED) for root in roots)
    with_keys = sum(bool(root.keys) for root in roots)
    url = f"{reverse('mfa:root-users')}{kept}"
    if without:
        meaning = "A root user can do everything in its account, and no policy stops it."
        yield AttentionLine("Root users without MFA", meaning, f"{without:,}", "bad", url)
    if with_keys:
        meaning = "Anyone with such a key can do everything in the account."
        yield AttentionLine(
            "Root users with access keys",
            meaning,
            f"{with_keys:,}",
            "bad",
            f"{reverse('keys:root-keys')}{kept}",
        )
    if unknown:
        meaning = f"Not synced for {unknown:,} account{'' if unknown == 1 else 's'}."
        yield AttentionLine("Root users whose MFA is unknown", meaning, UNKNOWN, "note", url)


@lru_cache(maxsize=SCOPES_KEPT)
def _critical_statement(viewer: Viewer, account: Account | None) -> CompiledCounts:
    """Return the query that counts the critical findings, compiled once because every overview runs it."""
    wanted = FindingFilter(
        account=account, severities=(FindingSeverity.CRITICAL,), statuses=(FindingStatus.OPEN,)
    )
    rows = findings(viewer, wanted).order_by().values("pk")
    return CompiledCounts(lambda: [rows], most=MAX_FINDINGS)


def _critical_findings(viewer: Viewer, account: Account | None) -> Iterator[AttentionLine]:
    (critical,) = _critical_statement(viewer, account).numbers()
    if critical:
        chosen = f"&account={account.account_id}" if account else ""
        url = f"{reverse('findings:list')}?severity=critical{chosen}"
        meaning = "Each can let someone take over a whole account."
        yield AttentionLine("Critical findings", meaning, f"{critical:,}", "bad", url)

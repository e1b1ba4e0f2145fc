"""Evidence for auditors: the journal and its integrity, decisions, access review certificates, and approval
rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from iam.guard import Right, Viewer
from iam.journal.queries import JournalSize, journal_reads, journal_size
from iam.mirror.models import Account
from iam.planned_reads import PlannedRead


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """A type of evidence, what is known about it, and since when."""

    title: str
    text: str
    url: str
    icon: str
    at: datetime | None = None


def evidence_for(viewer: Viewer, *, account: Account | None = None) -> list[EvidenceLine]:
    """Return the lines for a viewer who sees the journal and can’t request changes; empty for others."""
    if not _sees_evidence(viewer):
        return []
    where = " in all accounts" if account else ""
    changes_url = (
        f"{reverse('changes:list')}?account={account.account_id}" if account else reverse("changes:list")
    )
    return [
        _journal(journal_size(), where=where),
        EvidenceLine(
            "Changes and approvals",
            "Who requested and approved what, and what AWS answered.",
            changes_url,
            "history",
        ),
        EvidenceLine(
            "Offboarding certificates",
            "When all access of a person had ended, and how that was checked.",
            reverse("offboarding:leavers"),
            "file-text",
        ),
        EvidenceLine(
            "Operators",
            "Who holds which role in Gatehouse, and since when.",
            reverse("operators"),
            "users",
        ),
        EvidenceLine(
            "Approval rules",
            "Which requests need whose approval, and since when.",
            reverse("changes:rules"),
            "list-checks",
        ),
    ]


def evidence_reads(viewer: Viewer) -> list[PlannedRead]:
    """Return the reads of `evidence_for`."""
    return journal_reads() if _sees_evidence(viewer) else []


def _sees_evidence(viewer: Viewer) -> bool:
    return viewer.may(Right.SEE_JOURNAL) and not viewer.may(Right.REQUEST_CHANGE)


def _journal(size: JournalSize, *, where: str) -> EvidenceLine:
    url = reverse("audit:journal")
    entries = f"{size.total:,} entr{'y' if size.total == 1 else 'ies'}{where}"
    if size.verified_at is None:
        return EvidenceLine("Journal", f"{entries}; not verified yet.", url, "book-open")
    if not size.holds:
        return EvidenceLine(
            "Journal", f"{entries}; altered, found at", url, "triangle-alert", size.verified_at
        )
    if size.is_record_altered:
        words = f"{entries}; a signed-off review was altered, found at"
        return EvidenceLine("Journal", words, url, "triangle-alert", size.verified_at)
    return EvidenceLine(
        "Journal", f"{entries}; unaltered when last verified at", url, "book-open", size.verified_at
    )

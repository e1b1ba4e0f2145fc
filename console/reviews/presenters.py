"""Presents rows of reviews."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from django.urls import reverse

from console.web.alike_rows import AlikeRow
from console.web.templatetags.ui import ago
from iam.audit.reviews.models import (
    ReviewCampaign,
    ReviewChange,
    ReviewDecision,
    ReviewItem,
    ReviewTrial,
    SubjectKind,
    UseState,
)
from iam.changes.models import Change, ChangeState
from iam.guard import Viewer
from iam.people.runs.models import RunState

STATES: Final[Mapping[str, tuple[str, str]]] = {
    RunState.DRAFT: ("Draft", ""),
    RunState.SUBMITTING: ("Being prepared", "info"),
    RunState.RUNNING: ("In review", "info"),
    RunState.WAITING: ("Waiting for acknowledgment", "note"),
    RunState.DONE: ("Signed off", "ok"),
    RunState.CLOSED: ("Ended without a result", ""),
}
TONES: Final[Mapping[str, str]] = {
    ReviewDecision.KEEP: "ok",
    ReviewDecision.REVOKE: "bad",
    ReviewDecision.REDUCE: "warn",
}
DONE_WORDS: Final[Mapping[str, str]] = {
    ReviewDecision.KEEP: "Keep",
    ReviewDecision.REVOKE: "Revoke",
    ReviewDecision.REDUCE: "Reduce",
}
SORTS: Final[Mapping[str, str]] = {"member": "Group", "attached": "Policy", "inline": "Inline policy"}
PAGES: Final = {
    SubjectKind.PERSON: "identities:person",
    SubjectKind.MACHINE: "identities:person",
}


def state_of(campaign: ReviewCampaign, *, now: datetime | None = None) -> tuple[str, str]:
    """Return (label, tone) of a review's status."""
    words, tone = STATES.get(campaign.state, (campaign.get_state_display(), ""))
    if campaign.state == RunState.RUNNING and campaign.due_at < (now or datetime.now(tz=UTC)):
        return "Overdue", "bad"
    return words, tone


@dataclass(frozen=True, slots=True)
class RowShown(AlikeRow):
    """A row of the page; `error` is its form's error, and `conflict` says who decided first.

    Templates look up items before attributes and format each number again, so values are also items, and
    numbers are text.
    """

    TEXTS = frozenset({
        "pk", "version", "who", "whose", "access", "sort", "sod", "used", "lines", "more", "use", "why",
        "peers", "replay", "reviewer", "decided_by", "decision_reason", "trouble", "refusal", "error",
        "conflict", "reason", "url", "label", "request_state", "request_url",
    })  # fmt: skip

    pk: str
    version: str
    who: str
    whose: str
    access: str
    sort: str
    is_unread: bool
    sod: tuple[str, ...]
    is_administrator: bool
    is_requested: bool
    used: str
    lines: tuple[str, ...]
    more: str
    use: str
    why: str
    peers: str
    replay: str
    reviewer: str
    decision: str
    tone: str
    decided_by: str
    decision_reason: str
    trouble: str
    refusal: str
    may_decide: bool
    is_chosen: bool = False
    error: str = ""
    conflict: str = ""
    reason: str = ""
    trial: ReviewTrial | None = None
    url: str = ""
    label: str = ""
    request_state: str = ""
    request_url: str = ""

    def __getitem__(self, name: str) -> Any:
        """Return the attribute; templates look up items first."""
        return getattr(self, name)


LINES: Final = 2


class RowRequest(NamedTuple):
    """The request that a row’s decision led to: its status, and its address if the viewer can open it."""

    state: str
    url: str


def requests_of(viewer: Viewer, rows: Iterable[ReviewItem]) -> dict[int, RowRequest]:
    """Return the newest request to remove or reduce each row’s access, by row. Takes one query if a row has
    one. If its changes have different statuses, it has one that isn’t “Done”.
    """
    requested = [row.pk for row in rows if row.is_requested]
    if not requested:
        return {}
    links = ReviewChange.objects.filter(row__in=requested, is_return=False).select_related("change")
    newest: dict[int, list[Change]] = {}
    for link in links.order_by("pk"):
        changes = newest.setdefault(link.row_id, [])
        if changes and changes[0].change_set_id != link.change.change_set_id:
            changes.clear()
        changes.append(link.change)
    return {row: _request_of(viewer, changes) for row, changes in newest.items()}


def _request_of(viewer: Viewer, changes: list[Change]) -> RowRequest:
    change = min(changes, key=lambda change: change.state == ChangeState.APPLIED)
    url = reverse("changes:request", args=[change.pk]) if viewer.sees_accounts else ""
    return RowRequest(change.get_state_display().lower(), url)


def shown(
    row: ReviewItem,
    *,
    campaign: ReviewCampaign,
    may_decide: bool,
    is_own: bool = False,
    is_chosen: bool = False,
    error: str = "",
    conflict: str = "",
    reason: str = "",
    lines: int = LINES,
    base: str = "",
    request: RowRequest | None = None,
) -> RowShown:
    """Return the row in words."""
    replay, _ = replay_words(row)
    if not row.replay and campaign.state != RunState.RUNNING:
        replay = "Unknown: not calculated before the sign-off"
    sentences = row.access.lines
    more = max(0, len(sentences) - lines) + row.access.more
    kind = f"{row.get_subject_kind_display().lower()} in {row.account.name}"
    whose = f"{row.subject}, {kind}" if row.person_name else kind
    used = ago(row.last_used_at) if row.last_used_at else ""
    refusal = "This is your own access: someone else decides." if is_own else ""
    request_state, request_url = request or ("", "")
    return RowShown(
        pk=str(row.pk),
        version=str(row.version),
        who=row.who,
        whose=whose,
        access=row.target_name,
        sort=row.get_sort_display(),
        is_unread=bool(row.access.unread),
        sod=tuple(row.sod),
        is_administrator=row.is_administrator,
        is_requested=row.is_requested,
        used=used,
        lines=tuple(sentences[:lines]),
        more=str(more or ""),
        use=use_words(row)[0],
        why=why_words(row),
        peers=peer_words(row),
        replay=replay,
        reviewer=row.reviewer_name,
        decision=DONE_WORDS.get(row.decision, ""),
        tone=TONES.get(row.decision, ""),
        decided_by=row.decided_name,
        decision_reason=row.decision_reason,
        trouble=row.trouble,
        refusal=refusal,
        may_decide=may_decide and campaign.state == RunState.RUNNING and not is_own,
        is_chosen=is_chosen,
        error=error,
        conflict=conflict,
        reason=reason,
        trial=getattr(row, "trial", None),
        url=f"{base or reverse('reviews:campaign', args=[campaign.pk])}rows/{row.pk}/",
        label=row.title,
        request_state=request_state,
        request_url=request_url,
    )


def use_words(row: ReviewItem) -> tuple[str, str]:
    """Return what is known about its use; the date is shown beside it."""
    if row.use == UseState.USED:
        return "Last used", ""
    if row.use == UseState.UNUSED:
        return "No use recorded", "warn"
    return "Unknown", "note"


def why_words(row: ReviewItem) -> str:
    """Return why the access exists."""
    if not row.why:
        return "No grant explains it"
    titles = [reason["title"] for reason in row.why]
    more = len(titles) - 1
    return f"{titles[0]}; {more} more" if more else str(titles[0])


def peer_words(row: ReviewItem) -> str:
    """Return how many peers have it."""
    if not row.peers_of:
        return "Unknown: in no team"
    if not row.peers:
        return f"No one else of {row.peers_of} in this account"
    return f"{row.peers_with:,} of {row.peers:,} others in {row.peers_of}"


def replay_words(row: ReviewItem) -> tuple[str, str]:
    """Return what recorded calls say about removing it."""
    replay: dict[str, Any] = row.replay
    if not replay:
        return "Being calculated", ""
    if replay.get("state") != "known":
        return "Unknown: no recorded calls of this account", "note"
    if not replay["calls"]:
        return "No calls recorded in 90 days", ""
    denied, undecided = replay["denied"], replay["undecided"]
    calls = "1 call" if replay["calls"] == 1 else f"{replay['calls']:,} calls"
    if denied:
        return f"{denied:,} of {calls} would be denied", "bad"
    if undecided:
        return f"{undecided:,} of {calls} can’t be decided", "warn"
    return f"None of {calls} would be denied", "ok"

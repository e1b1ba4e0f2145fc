"""Rows of reviews in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.urls import reverse

from iam.audit.reviews.models import (
    ReviewCampaign,
    ReviewDecision,
    ReviewItem,
    ReviewTrial,
    SubjectKind,
    UseState,
)
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
    """The status of a review in words, and its tone."""
    words, tone = STATES.get(campaign.state, (campaign.get_state_display(), ""))
    if campaign.state == RunState.RUNNING and campaign.due_at < (now or datetime.now(tz=UTC)):
        return "Overdue", "bad"
    return words, tone


@dataclass(frozen=True, slots=True)
class RowShown:
    """A row of the page. `error` is what is wrong with its form, `conflict` who decided first.

    A page has 25 of them with some sixty values each. Templates look for an item before an attribute, and
    format each number anew: so values are items too, and numbers texts.
    """

    row: ReviewItem
    pk: str
    version: str
    who: str
    whose: str
    access: str
    sort: str
    unread: int
    sod: list[str]
    is_administrator: bool
    is_requested: bool
    used_at: datetime | None
    lines: list[str]
    more: int
    use: str
    use_tone: str
    why: str
    peers: str
    replay: str
    replay_tone: str
    decision: str
    tone: str
    refusal: str
    may_decide: bool
    is_own: bool
    error: str = ""
    conflict: str = ""
    reason: str = ""
    trial: ReviewTrial | None = None
    url: str = ""
    label: str = ""

    def __getitem__(self, name: str) -> Any:
        """The same as the attribute."""
        return getattr(self, name)


LINES: Final = 2


def shown(
    row: ReviewItem,
    *,
    campaign: ReviewCampaign,
    may_decide: bool,
    is_own: bool = False,
    error: str = "",
    conflict: str = "",
    reason: str = "",
    lines: int = LINES,
    base: str = "",
) -> RowShown:
    """A row in words."""
    use, use_tone = use_words(row)
    replay, replay_tone = replay_words(row)
    if not row.replay and campaign.state != RunState.RUNNING:
        replay = "Unknown: not calculated before the sign-off"
    sentences = list(row.access.lines)
    refusal = "This is your own access: someone else decides." if is_own else ""
    kind = f"{row.get_subject_kind_display().lower()} in {row.account.name}"
    whose = f"{row.subject}, {kind}" if row.person_name else kind
    return RowShown(
        row=row,
        pk=str(row.pk),
        version=str(row.version),
        who=row.who,
        whose=whose,
        access=row.target_name,
        sort=row.get_sort_display(),
        unread=row.access.unread,
        sod=row.sod,
        is_administrator=row.is_administrator,
        is_requested=row.is_requested,
        used_at=row.last_used_at,
        lines=sentences[:lines],
        more=max(0, len(sentences) - lines) + row.access.more,
        use=use,
        use_tone=use_tone,
        why=why_words(row),
        peers=peer_words(row),
        replay=replay,
        replay_tone=replay_tone,
        decision=DONE_WORDS.get(row.decision, ""),
        tone=TONES.get(row.decision, ""),
        refusal=refusal,
        may_decide=may_decide and campaign.state == RunState.RUNNING and not is_own,
        is_own=is_own,
        error=error,
        conflict=conflict,
        reason=reason,
        trial=getattr(row, "trial", None),
        url=f"{base or reverse('reviews:campaign', args=[campaign.pk])}rows/{row.pk}/",
        label=row.title,
    )


def use_words(row: ReviewItem) -> tuple[str, str]:
    """What is known of its use; the date stands beside it."""
    if row.use == UseState.USED:
        return "Last used", ""
    if row.use == UseState.UNUSED:
        return "No use recorded", "warn"
    return "Unknown", "note"


def why_words(row: ReviewItem) -> str:
    """Why it exists."""
    if not row.why:
        return "No grant explains it"
    titles = [reason["title"] for reason in row.why]
    more = len(titles) - 1
    return f"{titles[0]}; {more} more" if more else str(titles[0])


def peer_words(row: ReviewItem) -> str:
    """How many peers have it."""
    if not row.peers_of:
        return "Unknown: in no team"
    if not row.peers:
        return f"No one else of {row.peers_of} in this account"
    return f"{row.peers_with:,} of {row.peers:,} others in {row.peers_of}"


def replay_words(row: ReviewItem) -> tuple[str, str]:
    """What recorded calls say of taking it away."""
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

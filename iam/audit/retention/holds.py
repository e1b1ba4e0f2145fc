"""Finds reasons to keep entries older than the setting: open matters, and data that is stored
nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Min, Q

from iam.audit.approval_requests.requests import RequestState
from iam.audit.evidence.models import EvidencePack
from iam.audit.evidence.packs import FINAL
from iam.audit.findings.models import FindingAcceptance
from iam.audit.frameworks.models import DecisionState, RequirementDecision
from iam.audit.reviews.models import ReviewCampaign
from iam.audit.siem.models import ExportPosition
from iam.audit.siem.receivers import configured_receivers
from iam.changes.models import OPEN, Change, ChangeState
from iam.journal.verify import ACKNOWLEDGED
from iam.mirror.queries.past_accounts import CAME, LEFT
from iam.people.runs.models import RunState

PRUNED: Final = "journal.prune"
KEPT_KINDS: Final = (PRUNED, ACKNOWLEDGED, LEFT, *CAME, "leaving.certified")
"""Kinds of entries that are never removed, because pages about the past, certificates and verifications read
them.
"""
_OPEN_REVIEWS: Final = (RunState.SUBMITTING, RunState.RUNNING, RunState.WAITING)


@dataclass(frozen=True, slots=True)
class RetentionHold:
    """A reason to keep entries from a moment on."""

    since: datetime
    reason: str


def holds(*, now: datetime) -> list[RetentionHold]:
    """Return the reasons to keep entries, oldest first."""
    return sorted(_holds(now), key=lambda hold: hold.since)


def _holds(now: datetime) -> Iterator[RetentionHold]:
    undecided = Change.objects.filter(state__in=(*OPEN, ChangeState.UNKNOWN))
    change = undecided.select_related("change_set").order_by("change_set__created_at").first()
    if change:
        yield RetentionHold(change.change_set.created_at, f"the open request {change.reference}")
    campaign = ReviewCampaign.objects.filter(state__in=_OPEN_REVIEWS).order_by("created_at").first()
    if campaign:
        yield RetentionHold(campaign.created_at, f"the open review {campaign.reference}")
    in_force = Q(state=DecisionState.IN_FORCE, until__gt=now)
    decision = (
        RequirementDecision.objects.filter(in_force | Q(state=DecisionState.REQUESTED))
        .order_by("requested_at")
        .first()
    )
    if decision:
        yield RetentionHold(decision.requested_at, f"the {decision.kind} of {decision.requirement}")
    accepted = Q(state=RequestState.APPROVED, until__gt=now)
    requested = FindingAcceptance.objects.filter(accepted | Q(state=RequestState.REQUESTED))
    earliest = requested.aggregate(at=Min("requested_at"))["at"]
    if earliest:
        yield RetentionHold(earliest, "an accepted finding")
    pack = EvidencePack.objects.exclude(state__in=FINAL).order_by("since").first()
    if pack:
        yield RetentionHold(pack.since, f"the evidence pack {pack.reference}, which is being built")


def last_sent_block() -> int | None:
    """The last block that every configured SIEM has completely; None if there is none."""
    keys = [receiver.key for receiver in configured_receivers()]
    if not keys:
        return None
    positions = list(ExportPosition.objects.filter(receiver__in=keys).values_list("block", flat=True))
    if len(positions) < len(keys):
        return 0
    return max(0, min(positions) - 1)

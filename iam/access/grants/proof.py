"""Proves that the access of a grant was removed: when AWS removed each permission, which reads confirmed it,
and which sessions ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.access.grants.models import CUTTING, ENDING, GrantPart, GrantState
from iam.access.grants.verify import has_come_back
from iam.changes.models import Change, ChangeState
from iam.changes.operations.role_sessions import RevokeSessions
from iam.mirror.models import Section
from iam.mirror.pull.sections import GROUPS, ROLES, USERS
from iam.moments import second_words
from iam.phrases import counted

HOLDING: Final = (USERS, GROUPS, ROLES)
"""The mirror sections that show what users, groups and roles hold."""


@dataclass(frozen=True, slots=True)
class ProvenRemoval:
    """The removal of one permission or of sessions.

    `removed_at` is when AWS accepted the call, `seen_at` when a read no longer showed the permission.
    """

    change: Change
    title: str
    removed_at: datetime | None
    seen_at: datetime | None
    reads: int
    was_gone: bool
    is_of_sessions: bool

    @property
    def sentence(self) -> str:
        """The removal in one sentence."""
        if self.change.state != ChangeState.APPLIED:
            return f"{self.title}: {self.change.get_state_display().lower()}."
        if self.was_gone or self.removed_at is None:
            return f"{self.title}: already gone, confirmed {_at(self.seen_at)}."
        reads = counted(self.reads, "reading")
        return (
            f"{self.title}: removed {_at(self.removed_at)}, confirmed by {reads}, the last "
            f"{_at(self.seen_at)}."
        )


@dataclass(frozen=True, slots=True)
class RemovalProof:
    """The removals of one part.

    `is_whole`: every call succeeded and was confirmed. `again_at`: a later sync of the whole account
    confirmed all of it. `kept` counts permissions that stay for other reasons. `cuts` are sessions that were
    ended in addition.
    """

    removals: tuple[ProvenRemoval, ...]
    is_whole: bool
    removed_at: datetime | None
    reads: int
    kept: int
    again_at: datetime | None = None
    cuts: tuple[ProvenRemoval, ...] = ()

    @property
    def sentence(self) -> str:
        """The proof in one sentence; "" while there is nothing to say."""
        if not self.removals:
            return (
                (
                    "Nothing had to be removed: the access was already gone, other grants need it, or it was "
                    "there before."
                )
                if self.kept
                else ""
            )
        if not self.is_whole:
            return "Not everything is removed yet."
        if self.removed_at is None:
            return "Everything was already gone."
        again = f", and by a sync of the whole account {_at(self.again_at)}" if self.again_at else ""
        return f"Removed {_at(self.removed_at)}, confirmed by {counted(self.reads, 'reading')}{again}."


def proof_of(part: GrantPart) -> RemovalProof:
    """Build the proof from the changes that removed the part's access. A few queries."""
    removals = tuple(_removal(change) for change in [*_undoing(part), *_taking(part)])
    moments = [removal.removed_at for removal in removals if removal.removed_at]
    ended = part.entries.filter(until__isnull=False, since__isnull=False).count()
    return RemovalProof(
        removals=removals,
        is_whole=bool(removals) and all(removal.change.state == ChangeState.APPLIED for removal in removals),
        removed_at=max(moments, default=None),
        reads=sum(removal.reads for removal in removals),
        kept=max(0, ended - sum(not removal.is_of_sessions for removal in removals)),
        again_at=_seen_again(part, removals),
        cuts=tuple(_removal(change) for change in _cutting(part)),
    )


def _seen_again(part: GrantPart, removals: tuple[ProvenRemoval, ...]) -> datetime | None:
    """The time of a later sync of the whole account that confirms the removal; None if there is none.

    IAM is eventually consistent, so one read that no longer shows a permission is weak evidence.
    """
    seen = max((removal.seen_at for removal in removals if removal.seen_at), default=None)
    if seen is None or part.state != GrantState.ENDED:
        return None
    read = Section.objects.filter(account=part.account_id, name__in=HOLDING, observed_at__gt=seen)
    moments = [at for at in read.values_list("observed_at", flat=True) if at]
    if len(moments) < len(HOLDING) or has_come_back(part):
        return None
    return min(moments)


def _taking(part: GrantPart) -> QuerySet[Change]:
    """Every change that removes access of the part; of retried changes, only the newest attempt."""
    sets = Q(change_set__cause_id=part.grant_id, change_set__cause_kind=ENDING)
    changes = Change.objects.filter(sets, lane=part.lane).order_by("created_at", "position")
    newest = Q(change_set=part.ending_set_id) | Q(state=ChangeState.APPLIED)
    return changes.filter(newest) if part.ending_set_id else changes.none()


def _undoing(part: GrantPart) -> QuerySet[Change]:
    """Every change that reverted one that gave access, unless it was reverted itself."""
    requested = [pk for pk in (part.change_set_id, part.retry_set_id) if pk]
    undone = Change.objects.filter(
        reverts__change_set__in=requested, reverts__lane=part.lane, state=ChangeState.APPLIED
    )
    redone = Change.objects.filter(reverts=OuterRef("pk"), state=ChangeState.APPLIED)
    return undone.exclude(Exists(redone)).order_by("created_at", "position")


def _cutting(part: GrantPart) -> QuerySet[Change]:
    """Every approved change that ended sessions after the grant."""
    of_part = Change.objects.filter(
        change_set__cause_id=part.grant_id, change_set__cause_kind=CUTTING, lane=part.lane
    )
    return of_part.filter(queued_at__isnull=False).order_by("created_at", "position")


def _removal(change: Change) -> ProvenRemoval:
    removed_at = None if change.already_so else change.confirming_at
    return ProvenRemoval(
        change=change,
        title=change.title,
        removed_at=removed_at,
        seen_at=change.ended_at,
        reads=change.reads,
        was_gone=change.already_so,
        is_of_sessions=change.operation == RevokeSessions.spec.slug,
    )


def _at(moment: datetime | None) -> str:
    return f"on {second_words(moment)}" if moment else "at an unknown time"

"""People who are stuck after an onboarding: invited but not finished, with expired invitations or failed
steps. All of them can be invited again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from iam.changes.errors import RefusedError
from iam.guard import Viewer
from iam.people.blueprints.queries import may_run
from iam.people.links.models import OneTimeLink
from iam.people.onboarding.checklist import OPEN_INVITATION, PersonChecklist, StepStatus, checklists
from iam.people.onboarding.invitation import invitations
from iam.people.onboarding.models import OnboardedPerson
from iam.people.onboarding.queries import visible_runs
from iam.people.onboarding.repeat_invitation import invite_again
from iam.people.runs.models import RowStatus, RunState

RECENT: Final = timedelta(days=60)
"""Age up to which onboardings are checked. Unfinished people of older ones are in the list of onboardings."""
MAX_NEWCOMERS: Final = 200
REMINDER_PAUSE: Final = timedelta(hours=20)
"""Minimum time between invitations, unless the person requested another one or their invitation expired."""
_ORDER: Final = {"bad": 0, "warn": 1, "note": 2, "": 3}


@dataclass(frozen=True, slots=True)
class StuckNewcomer:
    """A person who hasn't finished, and why. `to_remind` means that another invitation can be sent now."""

    newcomer: OnboardedPerson
    trouble: str
    tone: str
    to_remind: bool


@dataclass(frozen=True, slots=True)
class StuckNewcomers:
    """Stuck people, the worst first. `more` is the number not shown; `to_remind` counts all who can be
    invited again now.
    """

    people: list[StuckNewcomer]
    more: int
    to_remind: int

    @property
    def total(self) -> int:
        """The number of stuck people."""
        return len(self.people) + self.more


@dataclass(slots=True)
class ReminderResult:
    """The result of inviting all again: the number of invitations sent and of passwords set first, and the
    refusals.
    """

    sent: int = 0
    resets: int = 0
    refused: list[str] = field(default_factory=list)


def stuck_newcomers(viewer: Viewer, *, most: int = 8) -> StuckNewcomers:
    """Return the stuck people in onboardings that the viewer can see. The number of queries is small and
    constant.
    """
    stuck = _all(viewer)
    return StuckNewcomers(
        stuck[:most], max(0, len(stuck) - most), sum(newcomer.to_remind for newcomer in stuck)
    )


def remind_all(viewer: Viewer) -> ReminderResult:
    """Invite everyone again who can be. A refusal doesn't stop the others."""
    done = ReminderResult()
    for newcomer in _all(viewer):
        if not newcomer.to_remind:
            continue
        try:
            if invite_again(newcomer.newcomer, actor=viewer).link is None:
                done.resets += 1
            else:
                done.sent += 1
        except RefusedError as refused:
            done.refused.append(f"{newcomer.newcomer.name}: {refused.message}")
    return done


def _all(viewer: Viewer) -> list[StuckNewcomer]:
    now = datetime.now(tz=UTC)
    runs = visible_runs(viewer).filter(
        state__in=(RunState.RUNNING, RunState.DONE, RunState.PARTLY), created_at__gt=now - RECENT
    )
    rows = OnboardedPerson.objects.filter(run__in=runs.values("pk"), standing=RowStatus.READY)
    people = list(
        rows.select_related("run__version__blueprint__team").order_by("-run__created_at", "position")[
            :MAX_NEWCOMERS
        ]
    )
    links = invitations(people)
    stuck = []
    for checklist in checklists(people):
        stuck_newcomer = _stuck(checklist, links.get(checklist.newcomer.pk), viewer=viewer, now=now)
        if stuck_newcomer is not None:
            stuck.append(stuck_newcomer)
    return sorted(stuck, key=lambda newcomer: _ORDER[newcomer.tone])


def _stuck(
    checklist: PersonChecklist, link: OneTimeLink | None, *, viewer: Viewer, now: datetime
) -> StuckNewcomer | None:
    if checklist.standing not in (StepStatus.FAILED, StepStatus.PERSON, StepStatus.INVITE):
        return None
    newcomer = checklist.newcomer
    trouble, tone = _missing_and_tone(checklist)
    needs_link = any(item.standing is StepStatus.INVITE for item in checklist.items)
    is_due = needs_link or link is None or link.created_at < now - REMINDER_PAUSE
    invites = checklist.may_be_invited and may_run(viewer, newcomer.run.version.blueprint.team)
    return StuckNewcomer(newcomer, trouble, tone, invites and is_due)


def _missing_and_tone(checklist: PersonChecklist) -> tuple[str, str]:
    """Return what is missing, in words, and its severity."""
    failed = [item for item in checklist.items if item.standing is StepStatus.FAILED]
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        return f"Failed: {failed[0].what}{more}", "bad"
    for item in checklist.items:
        if item.standing is StepStatus.INVITE:
            return item.note, "warn"
    missing = [item.words for item in checklist.items if item.standing is StepStatus.PERSON]
    if missing and missing[0] == OPEN_INVITATION:
        return "Invitation not opened yet", "note"
    return f"Not done yet: {_listed([words.to_do for words in missing])}", "note"


def _listed(texts: list[str], *, most: int = 2) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more

"""Who is stuck after an onboarding: people who were invited and have not finished, expired invitations,
failed steps; and inviting all of them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from iam.changes.errors import RefusedError
from iam.guard import Viewer
from iam.people.blueprints.queries import may_run
from iam.people.links.models import OneTimeLink
from iam.people.onboarding.checklist import PersonChecklist, StepStatus, checklists
from iam.people.onboarding.invitation import invitations
from iam.people.onboarding.models import OnboardedPerson
from iam.people.onboarding.queries import visible_runs
from iam.people.onboarding.repeat_invitation import invite_again
from iam.people.runs.models import RowStatus, RunState

RECENT: Final = timedelta(days=60)
"""Older onboardings are not looked through: who has not finished by then is found in the list of
onboardings.
"""
MAX_NEWCOMERS: Final = 200
REMINDER_PAUSE: Final = timedelta(hours=20)
"""Nobody is invited again sooner than this, unless they asked for it or their invitation expired."""
_ORDER: Final = {"bad": 0, "warn": 1, "note": 2, "": 3}


@dataclass(frozen=True, slots=True)
class StuckNewcomer:
    """Someone who has not finished, and why; `to_remind` if another invitation can be sent now."""

    newcomer: OnboardedPerson
    trouble: str
    tone: str
    to_remind: bool


@dataclass(frozen=True, slots=True)
class StuckNewcomers:
    """Those who are stuck, the worst first. `more` are not shown; `to_remind` counts all who can be invited
    again now.
    """

    people: list[StuckNewcomer]
    more: int
    to_remind: int

    @property
    def total(self) -> int:
        """How many are stuck."""
        return len(self.people) + self.more


@dataclass(slots=True)
class ReminderResult:
    """The result of inviting all again: invitations sent, passwords that are set first, and why others were
    not invited.
    """

    sent: int = 0
    resets: int = 0
    refused: list[str] = field(default_factory=list)


def stuck_newcomers(viewer: Viewer, *, most: int = 8) -> StuckNewcomers:
    """Who is stuck in the onboardings that the viewer sees; the same few queries for any number of people."""
    stuck = _all(viewer)
    return StuckNewcomers(
        stuck[:most], max(0, len(stuck) - most), sum(newcomer.to_remind for newcomer in stuck)
    )


def remind_all(viewer: Viewer) -> ReminderResult:
    """Invite again everyone who can be; one refusal stops no other."""
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
    """What is missing, in words, and how bad it is."""
    failed = [item for item in checklist.items if item.standing is StepStatus.FAILED]
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        return f"Failed: {failed[0].what}{more}", "bad"
    for item in checklist.items:
        if item.standing is StepStatus.INVITE:
            return item.note, "warn"
    missing = [item.what for item in checklist.items if item.standing is StepStatus.PERSON]
    if missing and missing[0] == "Invitation opened":
        return "Invitation not opened yet", "note"
    return f"Not done yet: {_listed(missing)}", "note"


def _listed(texts: list[str], *, most: int = 2) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more

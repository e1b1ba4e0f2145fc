"""The events of which people are notified, their descriptions, and the defaults for people without
preferences.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NotifyEvent(StrEnum):
    """An event of which people are notified."""

    WAITING = "change.waiting"
    DECIDED = "change.decided"
    APPLIED = "change.applied"
    TROUBLE = "change.trouble"
    COMMENTED = "change.commented"
    REMINDER = "approval.reminder"
    ESCALATION = "approval.escalation"
    BREAK_GLASS = "break_glass.used"
    GRANT_BEGAN = "grant.began"
    GRANT_ENDING = "grant.ending"
    GRANT_ENDED = "grant.ended"
    RESTORED = "leaving.restored"
    ENROL = "mfa.enrol"
    CAMPAIGN = "mfa.campaign"
    REPLACED = "mfa.replaced"
    INVITED = "onboarding.invited"
    INVITATION_WANTED = "onboarding.invitation_wanted"
    ROTATION = "keys.rotation"
    FINDINGS = "findings.new"
    REVIEW = "review.waiting"
    TEST = "notify.test"


@dataclass(frozen=True, slots=True)
class EventSpec:
    """An event's description. `is_fixed` ones are always mailed; `is_private` ones never go to a room and
    can't be chosen; `is_opt_in` ones only go to people who chose them. `headline` is all that a room
    receives.
    """

    event: NotifyEvent
    label: str
    headline: str
    is_fixed: bool = False
    is_private: bool = False
    is_opt_in: bool = False


SPECS: tuple[EventSpec, ...] = (
    EventSpec(
        NotifyEvent.WAITING, "A request is waiting for my approval", "A request is waiting for approval"
    ),
    EventSpec(
        NotifyEvent.REMINDER,
        "A request is still waiting for my approval",
        "A request is still waiting for approval",
    ),
    EventSpec(
        NotifyEvent.ESCALATION,
        "An unanswered request is escalated to me",
        "An unanswered request was escalated",
    ),
    EventSpec(NotifyEvent.DECIDED, "My request was approved, rejected or expired", "A request was decided"),
    EventSpec(
        NotifyEvent.COMMENTED,
        "Someone commented on a request that I made or answered",
        "Someone commented on a request",
    ),
    EventSpec(NotifyEvent.APPLIED, "My request is done", "A change in AWS is done"),
    EventSpec(
        NotifyEvent.TROUBLE,
        "A change that I requested failed, or its outcome is unknown",
        "A change failed, or its outcome is unknown",
    ),
    EventSpec(NotifyEvent.GRANT_BEGAN, "I receive access that someone else requested", "A grant has started"),
    EventSpec(NotifyEvent.GRANT_ENDING, "Access of mine ends soon", "A grant ends soon"),
    EventSpec(NotifyEvent.GRANT_ENDED, "Access of mine has ended", "A grant has ended"),
    EventSpec(
        NotifyEvent.RESTORED,
        "Someone restores access that I had removed or suspended",
        "Access was restored",
    ),
    EventSpec(
        NotifyEvent.BREAK_GLASS,
        "Someone changed AWS without approval in an emergency",
        "Break-glass: AWS was changed without approval",
        is_fixed=True,
    ),
    EventSpec(
        NotifyEvent.INVITED,
        "My access to AWS is set up",
        "Someone is invited to AWS",
        is_fixed=True,
        is_private=True,
    ),
    EventSpec(
        NotifyEvent.INVITATION_WANTED,
        "Someone I onboarded needs another invitation",
        "Someone needs another invitation",
    ),
    EventSpec(
        NotifyEvent.ENROL,
        "I need to add an MFA device",
        "Someone needs to add an MFA device",
        is_fixed=True,
        is_private=True,
    ),
    EventSpec(
        NotifyEvent.CAMPAIGN,
        "A campaign of mine is due, and someone has no MFA",
        "A campaign for MFA is due",
    ),
    EventSpec(
        NotifyEvent.REPLACED,
        "Someone reported that I lost an MFA device",
        "A lost MFA device needs replacing",
        is_fixed=True,
        is_private=True,
    ),
    EventSpec(
        NotifyEvent.ROTATION,
        "An access key of mine is rotated",
        "An access key is rotated",
        is_fixed=True,
        is_private=True,
    ),
    EventSpec(
        NotifyEvent.FINDINGS,
        "A critical or high finding is new, or an assertion is broken",
        "There are new findings",
        is_opt_in=True,
    ),
    EventSpec(NotifyEvent.REVIEW, "An access review waits for me", "An access review is waiting"),
    EventSpec(NotifyEvent.TEST, "A test", "A test of notifications", is_fixed=True),
)
OFFERED: tuple[EventSpec, ...] = tuple(
    spec for spec in SPECS if not spec.is_private and spec.event is not NotifyEvent.TEST
)
_BY_EVENT = {spec.event: spec for spec in SPECS}


def spec_of(event: NotifyEvent | str) -> EventSpec:
    """Return the spec of an event. Raises ValueError for an unknown one."""
    return _BY_EVENT[NotifyEvent(event)]

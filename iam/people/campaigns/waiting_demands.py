"""Withdraws requests from the end of a campaign that still wait for approval when a participant no longer
needs them.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.changes.operations.mfa_device import EnableMfaDevice
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.people.campaigns.models import OF_CAMPAIGN, Campaign, CampaignState, Participant
from iam.people.campaigns.queries import ParticipantStatus, participants

FINAL_STATUSES: Final = (ParticipantStatus.ENROLLED, ParticipantStatus.EXCUSED, ParticipantStatus.GONE)


def waiting_sets() -> QuerySet[ChangeSet]:
    """Return the change sets of campaigns that are not decided yet."""
    waits = Change.objects.filter(change_set=OuterRef("pk"), state=ChangeState.AWAITING)
    return ChangeSet.objects.filter(Exists(waits), cause_kind=OF_CAMPAIGN)


def waits_for_approval(campaign: Campaign) -> bool:
    """Return True if a request of the campaign is not decided yet."""
    return waiting_sets().filter(cause_id=campaign.pk).exists()


def change_ended(change: Change) -> None:
    """Reconsider campaigns when a device was enrolled, so that its user isn't restricted for having none. It
    is safe to run twice.
    """
    if change.operation == EnableMfaDevice.spec.slug and change.state == ChangeState.APPLIED:
        theirs = Participant.objects.filter(user=change.entity_id, asked__in=waiting_sets())
        for campaign in Campaign.objects.filter(participants__in=theirs).distinct():
            reconsider(campaign)


def reconsider(campaign: Campaign) -> int:
    """Withdraw each waiting set that concerns a participant who has enrolled, is exempt or deleted, and
    return how many. The next run requests it again for the others.

    A set that was decided meanwhile is left as it is.
    """
    author = viewer_for(campaign.begun_by)
    waiting = waiting_sets().filter(cause_id=campaign.pk)
    over = participants(campaign).filter(asked__in=waiting, standing__in=FINAL_STATUSES)
    names: dict[UUID, list[str]] = {}
    for group, name in over.values_list("asked", "user__name").order_by("user__name"):
        names.setdefault(group, []).append(name)
    return sum(
        _take_back(campaign, group, author=author, names=group_names) for group, group_names in names.items()
    )


def _take_back(campaign: Campaign, group: UUID, *, author: Viewer, names: list[str]) -> bool:
    first = Change.objects.filter(change_set=group).order_by("position").first()
    assert first is not None
    try:
        with transaction.atomic():
            changes.withdraw(first, actor=author)
            Participant.objects.filter(campaign=campaign, asked=group).update(handled_at=None, asked=None)
            closed = Campaign.objects.filter(pk=campaign.pk, state=CampaignState.CLOSED)
            closed.update(state=CampaignState.DUE, closed_at=None)
            record(
                kind="campaign.take_back",
                actor=None,
                subject=campaign.name,
                account_id=first.account.account_id,
                data={"campaign": campaign.pk, "change": first.reference, "users": ", ".join(names[:20])},
            )
    except RefusedError:
        return False
    campaign.refresh_from_db(fields=["state", "closed_at"])
    return True

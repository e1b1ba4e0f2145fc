"""The periodic task of campaigns: it adds new users, sends invitations and reminders, and requests the action
at the end once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F, Q

from iam.access.enforcement.scope import PolicyScope
from iam.access.enforcement.services import holders_of, notes_for, operations_for, situations_of
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.changes.operations import Operation
from iam.changes.operations.attachment import ATTACH_POLICY
from iam.changes.operations.login_profile import DeleteLoginProfile
from iam.changes.operations.managed_policy import CreatePolicy
from iam.changes.services import SetCause
from iam.changes.services.plans import MAX_CHANGES, check_account
from iam.changes.services.requests import SetLane, already_requested
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.linking.ownership import confirmed
from iam.mirror.models import Account
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify
from iam.people.campaigns.models import OF_CAMPAIGN, Campaign, CampaignEnding, CampaignState, Participant
from iam.people.campaigns.queries import ParticipantStatus, participants
from iam.people.campaigns.services import enlist, send_link
from iam.people.campaigns.waiting_demands import reconsider, waiting_sets

logger = structlog.get_logger(__name__)
LOOK_EVERY: Final = timedelta(hours=1)
BATCH_SIZE: Final = 200
"""Maximum number of messages per run and campaign. The next run continues."""


def reconcile_campaigns() -> int:
    """Advance each open campaign as far as possible, and return their number. It is safe to run again."""
    asked = waiting_sets().values("cause_id")
    for campaign in Campaign.objects.filter(pk__in=asked).select_related("begun_by"):
        reconsider(campaign)
    open_campaigns = list(
        Campaign.objects.exclude(state=CampaignState.CLOSED)
        .select_related("account", "team", "begun_by")
        .order_by("begun_at")
    )
    for campaign in open_campaigns:
        tend_one(campaign)
    return len(open_campaigns)


def tend_one(campaign: Campaign) -> None:
    """Advance one campaign."""
    now = datetime.now(tz=UTC)
    author = viewer_for(campaign.begun_by)
    if campaign.state == CampaignState.RUNNING and now.date() <= campaign.due:
        if campaign.looked_at is None or campaign.looked_at <= now - LOOK_EVERY:
            enlist(campaign, viewer=author)
        _invite_and_remind(campaign, today=now.date())
        return
    if campaign.state == CampaignState.RUNNING:
        Campaign.objects.filter(pk=campaign.pk, state=CampaignState.RUNNING).update(state=CampaignState.DUE)
        campaign.state = CampaignState.DUE
    _end(campaign, author)


def _invite_and_remind(campaign: Campaign, *, today: date) -> None:
    """Invite participants who were not invited, and on reminder days remind those who got no message since
    that day began.
    """
    missing = participants(campaign).filter(confirmed("user__arn"), standing=ParticipantStatus.MISSING)
    wanted = Q(invited_at__isnull=True)
    left = (campaign.due - today).days
    day = next((days for days in sorted(campaign.remind) if days >= left), None)
    if day is not None:
        since = datetime.combine(campaign.due - timedelta(days=day), datetime.min.time(), tzinfo=UTC)
        wanted |= Q(told_at__lt=since)
    rows = missing.filter(wanted).select_related("user__account", "campaign__begun_by")
    for row in rows.order_by(F("told_at").asc(nulls_first=True), "pk")[:BATCH_SIZE]:
        send_link(row, actor=None, is_reminder=row.invited_at is not None)


def _end(campaign: Campaign, author: Viewer) -> None:
    """Request the action for participants who are missing and not exempt, and close the campaign when none
    are left.
    """
    rows = participants(campaign).select_related("user__account")
    missing = list(
        rows.filter(standing=ParticipantStatus.MISSING, handled_at__isnull=True).order_by("user__name", "pk")
    )
    trouble: list[str] = []
    if missing and campaign.ending == CampaignEnding.NOTIFY:
        _handle(missing, None)
    elif missing:
        by_account: dict[Account, list[Participant]] = defaultdict(list)
        for participant in missing:
            by_account[participant.user.account].append(participant)
        for account, account_participants in by_account.items():
            if message := _ask(campaign, author, account=account, participants=account_participants):
                trouble.append(message)
    with transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).exclude(trouble=" ".join(trouble)[:1024]).update(
            trouble=" ".join(trouble)[:1024]
        )
        if missing:
            _told_author(campaign, missing, trouble)
        waits = rows.filter(
            standing__in=[ParticipantStatus.MISSING, ParticipantStatus.EXCUSED, ParticipantStatus.UNREAD],
            handled_at__isnull=True,
        )
        if not waits.exists():
            _close(campaign)


def _ask(campaign: Campaign, author: Viewer, *, account: Account, participants: Sequence[Participant]) -> str:
    """Request one change set for an account. Returns why none was requested, or who was left out."""
    try:
        check_account(account)
        asked = _disabling if campaign.ending == CampaignEnding.DISABLE else _restricting
        with transaction.atomic():
            operations, notes, reached, message = asked(
                author, account, list(participants)[: MAX_CHANGES - 1]
            )
            if reached:
                made = _requested(
                    campaign,
                    author,
                    operations=operations,
                    notes=notes,
                    account=account,
                    participants=reached,
                )
                _handle(reached, made)
    except RefusedError as refused:
        return f"{account.name}: {refused.message}"
    return f"{account.name}: {message}" if message else ""


Asked = tuple[list[Operation], list[str], list[Participant], str]
"""Operations, notes for the approver, the participants they cover, and a message about the others."""


def _disabling(author: Viewer, account: Account, part: list[Participant]) -> Asked:
    wanted = [(participant, DeleteLoginProfile.of(participant.user)) for participant in part]
    possible, message = _possible(author, wanted, earlier=())
    return [operation for _, operation in possible], [], [participant for participant, _ in possible], message


def _restricting(author: Viewer, account: Account, part: list[Participant]) -> Asked:
    """Return the changes that require MFA. Users who have the policy already are done; those who would be
    locked out are left out.
    """
    has = holders_of(account, denies_keys=False)
    _handle([participant for participant in part if participant.user_id in has], None)
    scope = PolicyScope(account, path="/")
    users = {participant.user_id: participant.user for participant in part if participant.user_id not in has}
    seen = situations_of(scope, users=users, denies_keys=False)
    barred = {standing.number for standing in seen.locked_out} | {entity.pk for entity in seen.outside}
    left = {pk: user for pk, user in users.items() if pk not in barred}
    words = f"{len(barred)} would be locked out by the policy and were not included." if barred else ""
    if not left:
        return [], [], [], words
    if barred:
        seen = situations_of(scope, users=left, denies_keys=False)
    operations = operations_for(seen)
    first = [operation for operation in operations if operation.spec is not ATTACH_POLICY]
    by_arn = {participant.user.arn: participant for participant in part}
    wanted = [
        (by_arn[operation.inputs.holder_arn], operation)
        for operation in operations
        if operation.spec is ATTACH_POLICY
    ]
    possible, message = _possible(author, wanted, earlier=first)
    all_operations = [*first, *(operation for _, operation in possible)]
    return (
        all_operations,
        notes_for(seen),
        [participant for participant, _ in possible],
        " ".join(filter(None, [words, message])),
    )


def _possible(
    author: Viewer, wanted: Sequence[tuple[Participant, Operation]], *, earlier: Sequence[Operation]
) -> tuple[list[tuple[Participant, Operation]], str]:
    """Return the operations that can be requested, planned one by one so that a refused one doesn't block
    others. If another request already does the same, it counts as requested.
    """
    possible: list[tuple[Participant, Operation]] = []
    problems: list[str] = []
    for participant, operation in wanted:
        try:
            changes.plan(operation, viewer=author, earlier=earlier)
        except RefusedError as refused:
            if refused.change is not None:
                _handle([participant], refused.change)
            else:
                problems.append(f"{participant.user.name}: {refused.message}")
            continue
        possible.append((participant, operation))
    return possible, " ".join(problems[:3])


def _requested(
    campaign: Campaign,
    author: Viewer,
    *,
    operations: Sequence[Operation],
    notes: Sequence[str],
    account: Account,
    participants: Sequence[Participant],
) -> Change:
    """Request the set and return its first change. Each user's change waits only for the creation of the
    policy, if there is one.
    """
    earlier = ChangeSet.objects.filter(cause_kind=OF_CAMPAIGN, cause_id=campaign.id).count()
    key = f"campaign-{campaign.id.hex[:12]}-{earlier}-{account.pk}"
    if standing := already_requested(operations, actor=author, idempotency_key=key):
        return standing[0]
    what = (
        "Require MFA for" if campaign.ending == CampaignEnding.RESTRICT else "Delete the console password of"
    )
    who = participants[0].user.name if len(participants) == 1 else f"{len(participants):,} IAM users"
    lanes = []
    for at, operation in enumerate(operations, 1):
        branch = 0 if isinstance(operation, CreatePolicy) else at
        lanes.append(SetLane(branch=branch))
    return changes.request_changes(
        changes.plan_set(operations, viewer=author),
        actor=author,
        reason=campaign.reason,
        idempotency_key=key,
        title=f"{what} {who} in {account.name}: campaign {campaign.name} is due",
        cause=SetCause(OF_CAMPAIGN, campaign.id),
        notes=notes,
        lanes=lanes,
    )[0]


def _handle(participants: Sequence[Participant], made: Change | None) -> None:
    rows = Participant.objects.filter(
        pk__in=[participant.pk for participant in participants], handled_at__isnull=True
    )
    change_set = made.change_set if made else None
    rows.update(handled_at=datetime.now(tz=UTC), asked=change_set)


def _told_author(campaign: Campaign, missing: Sequence[Participant], trouble: Sequence[str]) -> None:
    """Notify the author, at most once a day because of the key."""
    names = ", ".join(participant.user.name for participant in missing[:20])
    more = f" and {len(missing) - 20} more" if len(missing) > 20 else ""
    today = datetime.now(tz=UTC).date()
    notify(
        NotifyEvent.CAMPAIGN,
        people=[campaign.begun_by],
        subject=f"{campaign.name} is due: {len(missing)} IAM "
        f"{'user has' if len(missing) == 1 else 'users have'} no MFA",
        text="\n\n".join([f"Without MFA: {names}{more}.", *trouble]),
        path=path_of(MessagePage.CAMPAIGN, campaign.pk),
        key=f"{campaign.pk}:{today.isoformat()}",
    )


def _close(campaign: Campaign) -> None:
    living = Campaign.objects.filter(pk=campaign.pk, state=CampaignState.DUE)
    if living.update(state=CampaignState.CLOSED, closed_at=datetime.now(tz=UTC)):
        number = campaign.account.account_id if campaign.account else ""
        record(
            kind="campaign.end",
            actor=None,
            subject=campaign.name,
            account_id=number,
            data={"campaign": campaign.pk},
        )

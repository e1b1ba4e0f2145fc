"""Starts and closes campaigns, sends invitations and reminders, and exempts participants until a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from iam.changes.errors import FieldChecks, RefusedError
from iam.directory.models import Person, Team
from iam.guard import Viewer
from iam.journal.services import Actor, record
from iam.mirror.models import Account, Entity
from iam.moments import moment_words
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify
from iam.people.campaigns.models import Campaign, CampaignEnding, CampaignState, Participant
from iam.people.campaigns.queries import ParticipantStatus, may_begin, may_run, participants, users_of
from iam.people.campaigns.waiting_demands import reconsider, waits_for_approval
from iam.people.enrolment.invitation import person_of
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link

LASTS: Final = timedelta(days=7)
MAX_EXCEPTION_DAYS: Final = 365
MAX_PARTICIPANTS: Final = 5_000
REMINDERS: Final = (14, 7, 3, 1)
REMINDER_PAUSE: Final = timedelta(hours=20)
"""Minimum time between two messages to a person."""


@dataclass(frozen=True, slots=True)
class CampaignTerms:
    """The terms of a new campaign."""

    name: str
    due: date
    ending: CampaignEnding
    reason: str
    account: Account | None = None
    team: Team | None = None
    remind: tuple[int, ...] = REMINDERS
    listed: tuple[int, ...] = ()
    """The ids of the only users who take part; empty for everyone in the account or team."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with fields of the form that have no value here, by field."""


def begin(viewer: Viewer, terms: CampaignTerms) -> Campaign:
    """Start a campaign: everyone in its scope with a console password takes part, and those without MFA are
    invited. Raises RefusedError.
    """
    check(viewer, terms)
    with transaction.atomic():
        made = draft(viewer, terms)
        made.save(force_insert=True)
        count = enlist(made, viewer=viewer)
        if not count:
            raise RefusedError("No one there signs in with a console password.")
        if count > MAX_PARTICIPANTS:
            raise RefusedError(
                f"That is {count:,} IAM users. A campaign can hold {MAX_PARTICIPANTS:,}. Start one for each "
                "account or team."
            )
        _record("begin", made, viewer, people=count, due=terms.due.isoformat(), ending=terms.ending.value)
    return made


def draft(viewer: Viewer, terms: CampaignTerms) -> Campaign:
    """Return the campaign without saving it."""
    return Campaign(
        name=terms.name.strip(),
        account=terms.account,
        team=terms.team,
        listed=list(terms.listed),
        due=terms.due,
        remind=sorted(set(terms.remind), reverse=True),
        ending=terms.ending,
        reason=terms.reason.strip(),
        begun_by=Person.objects.get(pk=viewer.person_id),
        begun_at=datetime.now(tz=UTC),
    )


def enlist(campaign: Campaign, *, viewer: Viewer) -> int:
    """Add users in scope who don't take part yet. Returns how many take part then."""
    now = datetime.now(tz=UTC)
    there = campaign.participants.values("user")
    new = users_of(campaign, viewer=viewer).exclude(pk__in=there)
    rows = [Participant(campaign=campaign, user=user, joined_at=now) for user in new[: MAX_PARTICIPANTS + 1]]
    Participant.objects.bulk_create(rows, ignore_conflicts=True)
    Campaign.objects.filter(pk=campaign.pk).update(looked_at=now)
    return campaign.participants.count()


def send_link(participant: Participant, *, actor: Actor | None, is_reminder: bool) -> OneTimeLink | None:
    """Send a participant their own link. Returns None if they got a message recently, have no linked person,
    or no mail server is configured. `actor` None is Gatehouse.
    """
    campaign, user, now = participant.campaign, participant.user, datetime.now(tz=UTC)
    person = person_of(user)
    if person is None or not settings.MAIL_IS_CONFIGURED:
        return None
    with transaction.atomic():
        untold = Participant.objects.filter(pk=participant.pk).exclude(told_at__gt=now - REMINDER_PAUSE)
        if not untold.update(
            told_at=now, messages=F("messages") + 1, invited_at=participant.invited_at or now
        ):
            return None
        link = make_link(
            LinkPurpose.MFA,
            person=person,
            user_arn=user.arn,
            actor=actor or campaign.begun_by,
            lasts=LASTS,
            cause_id=participant.pk,
        )
        subject, text = message(campaign, user=user, until=link.expires_at, is_reminder=is_reminder)
        notify(
            NotifyEvent.ENROL,
            people=[person],
            subject=subject,
            text=text,
            path=path_of(MessagePage.LINK, link.pk),
            key=str(link.pk),
        )
    return link


def message(campaign: Campaign, *, user: Entity, until: datetime, is_reminder: bool) -> tuple[str, str]:
    """Return (subject, text) of the mail to the person of an IAM user, with a link that is valid until
    `until`. The campaign can be unsaved.
    """
    begins = "Reminder: add MFA" if is_reminder else "Add MFA"
    return (
        f"{begins} to {user.name} by {campaign.due:%-d %B}",
        f"{campaign.begun_by.name} asks you to add multi-factor authentication (MFA) by "
        f"{campaign.due:%-d %B %Y}. With MFA, you sign in to AWS with "
        f"your password and a code from an app on your phone. Your AWS user {user.name} in "
        f"{user.account.name} doesn’t have it yet. It takes about two "
        f"minutes.\n\n{_after(campaign)}\n\nThe link works once, in one browser, until "
        f"{moment_words(until)}. It never needs your password.",
    )


def remind(viewer: Viewer, *, campaign: Campaign, wanted: Sequence[Participant] | None = None) -> int:
    """Remind the missing participants, or those in `wanted` among them, and return how many got a message.
    Raises RefusedError.
    """
    _check_runs(viewer, campaign)
    missing = (
        participants(campaign)
        .filter(standing=ParticipantStatus.MISSING)
        .select_related("user__account", "campaign__begun_by")
    )
    if wanted is not None:
        missing = missing.filter(pk__in=[participant.pk for participant in wanted])
    sent = sum(
        send_link(participant, actor=viewer, is_reminder=participant.invited_at is not None) is not None
        for participant in missing
    )
    if sent:
        _record("remind", campaign, viewer, people=sent)
    return sent


def excuse(viewer: Viewer, participant: Participant, *, until: date | None, why: str) -> None:
    """Exempt a participant until the end of a day, after which the campaign includes them again. Without a
    day it is refused. Raises RefusedError.
    """
    campaign = participant.campaign
    # What was requested at its end can still be withdrawn until it is decided.
    _check_runs(viewer, campaign, is_open=waits_for_approval(campaign))
    checks, today = FieldChecks(), datetime.now(tz=UTC).date()
    if until is None or not today <= until <= today + timedelta(days=MAX_EXCEPTION_DAYS):
        checks.add("until", "Choose an end date from today to a year from now.")
    if not why.strip():
        checks.add("why", "Enter a reason.")
    checks.finish()
    with transaction.atomic():
        Participant.objects.filter(pk=participant.pk).update(
            excused_until=until, excused_why=why.strip()[:300], excused_by=viewer.name[:128]
        )
        _record(
            "excuse",
            campaign,
            viewer,
            user=participant.user.arn,
            until=str(until),
            reason=why.strip()[:300],
        )
    reconsider(campaign)


def end_exception(viewer: Viewer, participant: Participant) -> None:
    """End an exemption. Raises RefusedError."""
    _check_runs(viewer, participant.campaign)
    with transaction.atomic():
        excepted = Participant.objects.filter(pk=participant.pk, excused_until__isnull=False)
        if excepted.update(excused_until=None, excused_why="", excused_by=""):
            _record("unexcuse", participant.campaign, viewer, user=participant.user.arn)


def close(viewer: Viewer, campaign: Campaign) -> bool:
    """Close a campaign: no more messages, and no action at its end. Returns False if it is closed already.
    Raises RefusedError.
    """
    if not may_run(viewer, campaign):
        raise RefusedError("You can view this campaign, but you can’t change it.")
    with transaction.atomic():
        living = Campaign.objects.filter(pk=campaign.pk).exclude(state=CampaignState.CLOSED)
        if not living.update(state=CampaignState.CLOSED, closed_at=datetime.now(tz=UTC)):
            return False
        _record("close", campaign, viewer)
    return True


def check(viewer: Viewer, terms: CampaignTerms) -> None:
    """Raise RefusedError if the viewer can't start the campaign or its terms are incomplete."""
    checks = FieldChecks(terms.unreadable)
    today = datetime.now(tz=UTC).date()
    if not terms.name.strip() or len(terms.name) > 80:
        checks.add("name", "Enter a name of up to 80 characters.")
    if not terms.reason.strip() or len(terms.reason) > 1000:
        checks.add("reason", "Enter a reason of up to 1,000 characters.")
    if not today < terms.due <= today + timedelta(days=MAX_EXCEPTION_DAYS):
        checks.add("due", "Choose a due date after today, within a year.")
    if "place" not in checks.errors:
        _check_place(viewer, terms)
    checks.finish()


def _check_place(viewer: Viewer, terms: CampaignTerms) -> None:
    if not may_begin(viewer, account=terms.account, team=terms.team):
        raise RefusedError("You can start a campaign only for your own teams and accounts.")
    number = terms.account.account_id if terms.account else ""
    whole = viewer.asks.sees_account(number) if number else viewer.asks.sees_everything
    if terms.ending is CampaignEnding.RESTRICT and not whole:
        raise RefusedError("Only someone who can see the whole account can request a policy for it.")


def _check_runs(viewer: Viewer, campaign: Campaign, *, is_open: bool = False) -> None:
    if not may_run(viewer, campaign):
        raise RefusedError("You can view this campaign, but you can’t change it.")
    if campaign.state == CampaignState.CLOSED and not is_open:
        raise RefusedError("This campaign is closed.")


def _after(campaign: Campaign) -> str:
    """Return the sentences that tell a participant what happens after the due date."""
    return {
        CampaignEnding.NOTIFY: f"Reason: {campaign.reason}",
        CampaignEnding.RESTRICT: (
            f"Reason: {campaign.reason}\nAfter that day you may not be able to do anything in AWS except "
            "add MFA."
        ),
        CampaignEnding.DISABLE: (
            f"Reason: {campaign.reason}\nAfter that day your AWS console password may be deleted."
        ),
    }[CampaignEnding(campaign.ending)]


def _record(act: str, campaign: Campaign, actor: Actor | None, **data: object) -> None:
    number = campaign.account.account_id if campaign.account else ""
    record(
        kind=f"campaign.{act}",
        actor=actor,
        subject=campaign.name,
        account_id=number,
        data={"campaign": campaign.pk, **data},
    )

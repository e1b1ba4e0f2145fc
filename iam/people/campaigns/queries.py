"""Who takes part in a campaign and their current status, from the mirror, the links and the campaign's own
rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)

from iam.directory.models import Person, Team
from iam.guard import Right, Viewer
from iam.linking.ownership import confirmed, owners
from iam.mirror.mfa import mfa_is_unknown
from iam.mirror.models import Account, Entity, Kind, UserCredentials, valid_at
from iam.mirror.queries.visibility import visible, visible_entities
from iam.people.campaigns.models import Campaign, CampaignState, Participant
from iam.people.fleet.demands import TeamUserRule, people_under
from iam.people.links.queries import newest_by_cause


class ParticipantStatus(StrEnum):
    """The status of a participant, ordered by what remains to be done."""

    MISSING = "1"
    ENROLLING = "2"
    EXCUSED = "3"
    UNREAD = "4"
    ENROLLED = "5"
    GONE = "6"


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """The progress of a campaign. Exempt participants are counted as missing too. `gone` are deleted users
    and those without a password, who need no MFA any more.
    """

    enrolled: int
    excused: int
    missing: int
    unread: int
    gone: int

    @property
    def total(self) -> int:
        """The number of participants who need MFA."""
        return self.enrolled + self.missing + self.unread


def may_begin(viewer: Viewer, *, account: Account | None, team: Team | None) -> bool:
    """Return True if the viewer can start a campaign there: they can request changes in the whole account or
    in all accounts, or lead the team.
    """
    if team is not None and team.slug in viewer.leads:
        return viewer.may(Right.REQUEST_CHANGE)
    number = account.account_id if account else ""
    sees = viewer.asks.sees_account(number) if account else viewer.asks.sees_everything
    return sees and viewer.may(Right.REQUEST_CHANGE, account_id=number)


def may_run(viewer: Viewer, campaign: Campaign) -> bool:
    """Return True if the viewer can remind, exempt and close: those who could start the campaign."""
    return may_begin(viewer, account=campaign.account, team=campaign.team)


def visible_campaigns(viewer: Viewer) -> QuerySet[Campaign]:
    """Return the campaigns that the viewer can see: those of teams that they lead, and with access to
    accounts, those of these accounts and of every team.
    """
    rows = Campaign.objects.select_related("account", "team", "begun_by")
    mine = Q(team__slug__in=viewer.leads)
    if viewer.scope.sees_everything:
        return rows
    if viewer.sees_accounts and viewer.scope.accounts:
        mine |= Q(account__account_id__in=viewer.scope.accounts)
    return rows.filter(mine)


def users_of(campaign: Campaign, *, viewer: Viewer) -> QuerySet[Entity]:
    """Return the IAM users that the campaign covers today: those with a console password for which its author
    can request changes.
    """
    reach = replace(viewer, scope=viewer.asks)
    users = visible_entities(reach).filter(kind=Kind.USER, gone_at__isnull=True)
    if campaign.account is not None:
        users = users.filter(account=campaign.account)
    if campaign.team is not None:
        rules = [TeamUserRule(rule.kind, rule.account_id, rule.value) for rule in campaign.team.rules.all()]
        users = users.filter(pk__in=people_under(rules))
    if campaign.listed:
        users = users.filter(pk__in=campaign.listed)
    return users.filter(
        Exists(UserCredentials.objects.filter(valid_at(None), user=OuterRef("pk"), has_password=True))
    )


def participants(campaign: Campaign, *, viewer: Viewer | None = None) -> QuerySet[Any, Any]:
    """Return the campaign's participants annotated with `standing`, limited to those that the
    viewer can see.
    """
    return _standing(Participant.objects.filter(campaign=campaign), viewer)


def _standing(rows: QuerySet[Any, Any], viewer: Viewer | None) -> QuerySet[Any, Any]:
    """Annotate the status. Today's credentials are joined once; subqueries would run three times for each of
    10,000 participants.
    """
    today = datetime.now(tz=UTC).date()
    if viewer is not None and viewer.scope.sees_everything:
        rows = rows.filter(user__account__removed_at__isnull=True)
    elif viewer is not None:
        seen = visible(Entity.objects.all(), viewer, entity="pk", kinds=(Kind.USER,))
        rows = rows.filter(user__in=seen.values("pk"))
    credentials_of_user = FilteredRelation(
        "user__credential_states", condition=Q(user__credential_states__valid_to__isnull=True)
    )
    shown: QuerySet[Any, Any] = rows.annotate(held=credentials_of_user).annotate(
        standing=Case(
            When(
                Q(user__gone_at__isnull=False) | Q(held__has_password=False),
                then=Value(ParticipantStatus.GONE),
            ),
            When(Q(held__isnull=True) | mfa_is_unknown("held__mfa"), then=Value(ParticipantStatus.UNREAD)),
            When(~Q(held__mfa="none"), then=Value(ParticipantStatus.ENROLLED)),
            When(excused_until__gte=today, then=Value(ParticipantStatus.EXCUSED)),
            default=Value(ParticipantStatus.MISSING),
            output_field=CharField(),
        )
    )
    return shown


def progress(campaign: Campaign, *, viewer: Viewer | None = None) -> CampaignProgress:
    """Return the progress of a campaign, with one query."""
    return progresses([campaign], viewer=viewer)[campaign.pk]


def progresses(campaigns: Sequence[Campaign], *, viewer: Viewer | None = None) -> dict[Any, CampaignProgress]:
    """Return the progress of several campaigns, with one query."""
    rows = _standing(Participant.objects.filter(campaign__in=[campaign.pk for campaign in campaigns]), viewer)
    counted = rows.order_by().values("campaign", "standing").annotate(n=Count("pk"))
    counts = {(pk, standing): n for pk, standing, n in counted.values_list("campaign", "standing", "n")}
    return {
        campaign.pk: _progress({s: counts.get((campaign.pk, s), 0) for s in ParticipantStatus})
        for campaign in campaigns
    }


def _progress(counts: dict[ParticipantStatus, int]) -> CampaignProgress:
    excused = counts[ParticipantStatus.EXCUSED]
    missing = counts[ParticipantStatus.MISSING] + excused
    return CampaignProgress(
        enrolled=counts[ParticipantStatus.ENROLLED],
        excused=excused,
        missing=missing,
        unread=counts[ParticipantStatus.UNREAD],
        gone=counts[ParticipantStatus.GONE],
    )


def linked_to_nobody(campaign: Campaign, *, viewer: Viewer) -> int:
    """Return how many of the missing participants have no person to mail."""
    missing = participants(campaign, viewer=viewer).filter(standing=ParticipantStatus.MISSING)
    return missing.exclude(confirmed("user__arn")).count()


@dataclass(frozen=True, slots=True)
class ParticipantRow:
    """A participant as shown on a page. `standing` also reflects an opened link."""

    participant: Participant
    person: Person | None
    standing: ParticipantStatus
    opened_at: datetime | None
    link_until: datetime | None


def rows_of(participants: Sequence[Any]) -> list[ParticipantRow]:
    """Return the rows of a page with persons and links, with two queries."""
    people = owners(participant.user.arn for participant in participants)
    links = newest_by_cause(participant.pk for participant in participants)
    shown, now = [], datetime.now(tz=UTC)
    for participant in participants:
        link = links.get(participant.pk)
        standing = ParticipantStatus(participant.standing)
        is_inside = bool(link and link.session_until and link.session_until > now and not link.ended_at)
        if standing is ParticipantStatus.MISSING and is_inside:
            standing = ParticipantStatus.ENROLLING
        opened_at = link.used_at if link else None
        usable = bool(link and not link.used_at and not link.ended_at and link.expires_at > now)
        link_until = link.expires_at if link and usable else None
        shown.append(
            ParticipantRow(participant, people.get(participant.user.arn), standing, opened_at, link_until)
        )
    return shown


def own_due(arns: frozenset[str]) -> date | None:
    """Return the day by which a person must add MFA to one of their users, or None."""
    today = datetime.now(tz=UTC).date()
    lacking = UserCredentials.objects.filter(
        valid_at(None), user=OuterRef("user"), mfa="none", has_password=True
    )
    mine = Participant.objects.filter(
        Exists(lacking), user__arn__in=arns, user__gone_at__isnull=True, campaign__state=CampaignState.RUNNING
    ).exclude(excused_until__gte=today)
    return mine.order_by("campaign__due").values_list("campaign__due", flat=True).first()

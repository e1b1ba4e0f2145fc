"""The audience of a campaign before it starts (who gets mail and who can't be reached), and the people
without MFA in running campaigns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from iam.directory.models import Person, Team
from iam.guard import Viewer
from iam.linking.ownership import confirmed, owners
from iam.mirror.mfa import has_mfa
from iam.mirror.models import Account, Entity, UserCredentials, valid_at
from iam.people.campaigns.models import Campaign, CampaignState
from iam.people.campaigns.queries import (
    CampaignProgress,
    ParticipantRow,
    ParticipantStatus,
    may_run,
    participants,
    progresses,
    rows_of,
    users_of,
    visible_campaigns,
)

MAX_STUCK: Final = 10


@dataclass(frozen=True, slots=True)
class CampaignAudience:
    """The IAM users of a campaign that hasn't started. `mailed` are (user, person). The `unlinked` have no
    person to mail. The devices of the `unknown` were not synced.
    """

    mailed: list[tuple[Entity, Person]]
    unlinked: list[Entity]
    unknown: list[Entity]
    enrolled: int

    @property
    def total(self) -> int:
        """The number of IAM users that take part."""
        return len(self.mailed) + len(self.unlinked) + len(self.unknown) + self.enrolled


def audience(
    viewer: Viewer, *, account: Account | None, team: Team | None, users: Sequence[int] = ()
) -> CampaignAudience:
    """Return who would take part, among the users that the viewer can request changes for, with a few
    queries.
    """
    draft = Campaign(account=account, team=team, listed=list(users))
    there = list(users_of(draft, viewer=viewer).select_related("account").order_by("name", "pk"))
    words = dict(UserCredentials.objects.filter(valid_at(None), user__in=there).values_list("user", "mfa"))
    people = owners(user.arn for user in there)
    reached = CampaignAudience([], [], [], 0)
    enrolled = 0
    for user in there:
        known = has_mfa(words.get(user.pk))
        person = people.get(user.arn)
        if known is None:
            reached.unknown.append(user)
        elif known:
            enrolled += 1
        elif person is None or not person.email:
            reached.unlinked.append(user)
        else:
            reached.mailed.append((user, person))
    return CampaignAudience(reached.mailed, reached.unlinked, reached.unknown, enrolled)


@dataclass(frozen=True, slots=True)
class StuckCampaign:
    """A running campaign with people who still have no MFA. `people` are the first of them. `to_remind` of
    them can be mailed, `unlinked` can't.
    """

    campaign: Campaign
    progress: CampaignProgress
    people: list[ParticipantRow]
    to_remind: int
    unlinked: int
    days_left: int
    may_remind: bool

    @property
    def more(self) -> int:
        """The number of people without MFA who are not listed."""
        return max(0, self.progress.missing - self.progress.excused - len(self.people))


def stuck_campaigns(viewer: Viewer, *, most: int = MAX_STUCK) -> list[StuckCampaign]:
    """Return the running campaigns that the viewer can see and that still have people without MFA, by due
    date.
    """
    running = visible_campaigns(viewer).filter(state=CampaignState.RUNNING).order_by("due", "pk")
    campaigns = list(running[:most])
    known = progresses(campaigns, viewer=viewer)
    today = datetime.now(tz=UTC).date()
    stuck = []
    for campaign in campaigns:
        progress = known[campaign.pk]
        missing = progress.missing - progress.excused
        if not missing:
            continue
        rows = participants(campaign, viewer=viewer).filter(standing=ParticipantStatus.MISSING)
        unlinked = rows.exclude(confirmed("user__arn")).count()
        first: Sequence[object] = list(
            rows.select_related("user__account").order_by("user__name", "pk")[:most]
        )
        stuck.append(
            StuckCampaign(
                campaign,
                progress,
                rows_of(first),
                missing - unlinked,
                unlinked,
                max(0, (campaign.due - today).days),
                may_run(viewer, campaign),
            )
        )
    return stuck

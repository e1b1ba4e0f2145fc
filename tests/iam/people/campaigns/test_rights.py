"""Who may do what with a campaign, and what a day or a state forbids: each guard alone, with everything else
in order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, EdgeKind, Entity, UserCredentials
from iam.notify.models import OutgoingMessage
from iam.people.campaigns import reconcile, services
from iam.people.campaigns.models import Campaign, CampaignEnding, CampaignState, Participant
from iam.people.campaigns.queries import participants, visible_campaigns
from iam.people.campaigns.services import CampaignTerms
from tests import factories
from tests.iam.people.campaigns.conftest import BEGIN, DUE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def ines() -> Viewer:
    return factories.viewer(Role.ADMINISTRATOR)


def lead_of(name: str, group: Entity) -> Viewer:
    team = Team.objects.create(slug=name, name=name.title())
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=group.name)
    person = factories.person(f"Lead of {name}", email=f"{name}@example.com")
    factories.assign(person, Role.TEAM_LEAD, team=team)
    return viewer_for(person)


def user(account: Account, name: str, *groups: Entity, is_linked: bool = True) -> Entity:
    made = factories.user(account, name, credentials={"mfa": "none"})
    for group in groups:
        factories.edge(EdgeKind.MEMBER, made, group)
    if is_linked:
        factories.person(name.title(), arns=(made.arn,))
    return made


def begun(viewer: Viewer, ending: CampaignEnding = CampaignEnding.NOTIFY, **terms: Any) -> Campaign:
    params = {"name": "Everyone", "due": DUE, "ending": ending, "reason": "PCI 8.4.2"} | terms
    return services.begin(viewer, CampaignTerms(**params))


def excuse(viewer: Viewer, participant: Participant) -> None:
    services.excuse(viewer, participant, until=date(2026, 11, 20), why="On leave")


def remind(viewer: Viewer, participant: Participant) -> None:
    services.remind(viewer, campaign=participant.campaign)


def close(viewer: Viewer, participant: Participant) -> None:
    services.close(viewer, participant.campaign)


ACTS: list[Callable[[Viewer, Participant], None]] = [excuse, services.end_exception, remind, close]


def test_only_whoever_could_begin_it_acts_on_it(ines: Viewer, account: Account) -> None:
    mine, others = factories.group(account, "payments-dev"), factories.group(account, "data-dev")
    user(account, "kwame", mine)
    lead, stranger = lead_of("payments", mine), lead_of("data", others)
    auditor = factories.viewer(Role.AUDITOR, name="Otto Audit")
    participant = begun(ines, team=Team.objects.get(slug="payments")).participants.get()
    for viewer in (stranger, auditor):
        for act in ACTS:
            with pytest.raises(RefusedError, match="can’t change it"):
                act(viewer, participant)
    assert (Participant.objects.get().excused_until, OutgoingMessage.objects.count()) == (None, 0)
    for act in ACTS:
        act(lead, participant)
    assert Campaign.objects.get().state == CampaignState.CLOSED
    over = Participant.objects.get()
    for act in ACTS[:3]:
        with pytest.raises(RefusedError, match="is closed"):
            act(lead, over)


def test_a_lead_sees_their_own_campaigns_and_people_and_enlists_nobody_else(
    ines: Viewer, account: Account
) -> None:
    mine, others = factories.group(account, "payments-dev"), factories.group(account, "data-dev")
    user(account, "kwame", mine), user(account, "maya", others)
    lead, stranger = lead_of("payments", mine), lead_of("data", others)
    payments, data = Team.objects.get(slug="payments"), Team.objects.get(slug="data")
    whole, own = begun(ines, account=account), begun(lead, team=payments)
    with pytest.raises(RefusedError, match="your own teams and accounts"):
        begun(lead, team=data)
    # What a team's rules take in beyond its people, such as a group that somebody else leads, is not the
    # lead's.
    assert [participant.user.name for participant in own.participants.all()] == ["kwame"]
    assert list(visible_campaigns(lead)) == [own]
    assert list(visible_campaigns(stranger)) == []
    assert [participant.user.name for participant in participants(whole, viewer=lead)] == ["kwame"]
    assert participants(whole, viewer=ines).count() == 2


@pytest.mark.parametrize(
    "due", [BEGIN.date(), BEGIN.date() - timedelta(days=1), BEGIN.date() + timedelta(days=366)]
)
def test_the_day_lies_ahead_and_within_a_year(ines: Viewer, account: Account, due: date) -> None:
    user(account, "kwame")
    with pytest.raises(RefusedError, match="after today, within a year"):
        begun(ines, due=due)


def test_on_its_day_it_still_runs_and_the_end_comes_after(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    user(account, "kwame")
    begun(ines, CampaignEnding.DISABLE)
    clock.move_to(datetime(2026, 12, 5, 23, 59, tzinfo=UTC))
    reconcile.reconcile_campaigns()
    assert (Campaign.objects.get().state, Change.objects.count()) == (CampaignState.RUNNING, 0)
    clock.move_to(datetime(2026, 12, 6, 0, 1, tzinfo=UTC))
    for _ in range(3):
        reconcile.reconcile_campaigns()
    assert Change.objects.count() == 1


def test_it_stays_open_for_whoever_is_excused_or_not_read(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    excused, unread = user(account, "on-leave"), user(account, "unread")
    campaign = begun(ines)
    services.excuse(ines, campaign.participants.get(user=excused), until=date(2026, 12, 20), why="On leave")
    clock.move_to(datetime(2026, 12, 6, 1, tzinfo=UTC))
    reconcile.reconcile_campaigns()
    assert Campaign.objects.get().state == CampaignState.DUE
    Participant.objects.update(excused_until=None)
    UserCredentials.objects.filter(user=excused).update(mfa="virtual")
    UserCredentials.objects.filter(user=unread).update(mfa="unread")
    Participant.objects.update(handled_at=None)
    reconcile.reconcile_campaigns()
    assert Campaign.objects.get().state == CampaignState.DUE
    UserCredentials.objects.update(mfa="virtual")
    reconcile.reconcile_campaigns()
    assert Campaign.objects.get().state == CampaignState.CLOSED

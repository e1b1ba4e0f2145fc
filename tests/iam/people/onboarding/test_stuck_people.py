"""Who is stuck after an onboarding: failed steps, expired and unopened invitations, people who have not
finished; and reminding all at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console.onboarding.presenters import MARKS
from iam.changes.models import Change, ChangeState
from iam.directory.models import Role, Team
from iam.guard import viewer_for
from iam.people.links.models import LinkEndReason, OneTimeLink
from iam.people.onboarding import stuck_people
from iam.people.onboarding.checklist import StepStatus, checklists
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun
from iam.people.onboarding.stuck_people import remind_all, stuck_newcomers
from tests import factories
from tests.iam.people.onboarding.conftest import Squad
from tests.iam.people.onboarding.test_repeat_invitation import links, onboarded

pytestmark = pytest.mark.django_db


def earlier(**ago: Any) -> None:
    OneTimeLink.objects.update(created_at=datetime.now(tz=UTC) - timedelta(**ago))


def troubles(squad: Squad) -> dict[str, str]:
    return {
        stuck_newcomer.newcomer.user_name: stuck_newcomer.trouble
        for stuck_newcomer in stuck_newcomers(squad.lead).people
    }


def test_who_has_not_opened_the_invitation_is_shown_and_not_reminded_at_once(squad: Squad) -> None:
    onboarded(squad)
    stuck_now = stuck_newcomers(squad.lead)
    assert troubles(squad) == dict.fromkeys((squad.yuki, squad.bo), "Invitation not opened yet")
    assert stuck_now.to_remind == 0
    assert remind_all(squad.lead) == stuck_people.ReminderResult()
    earlier(hours=21)
    assert stuck_newcomers(squad.lead).to_remind == 2


def test_an_expired_invitation_can_be_sent_again_at_once(squad: Squad) -> None:
    _, newcomer, _ = onboarded(squad)
    link = links(newcomer)[0]
    OneTimeLink.objects.filter(pk=link.pk).update(expires_at=datetime.now(tz=UTC) - timedelta(minutes=1))
    assert troubles(squad)[squad.yuki] == "The invitation expired"
    done = remind_all(squad.lead)
    assert (done.sent, done.resets, done.refused) == (1, 0, [])
    assert len(links(newcomer)) == 2
    assert troubles(squad)[squad.yuki] == "Invitation not opened yet"


def test_who_asked_for_another_invitation_comes_before_who_only_waits(squad: Squad) -> None:
    run, _, _ = onboarded(squad)
    run.people.filter(user_name=squad.bo).update(wants_link_at=datetime.now(tz=UTC))
    first = stuck_newcomers(squad.lead).people[0]
    assert (first.newcomer.user_name, first.trouble) == (squad.bo, "Requested another invitation")
    assert first.to_remind


@pytest.mark.parametrize(
    ("link", "newcomer", "trouble"),
    [
        ({"used": True, "ended_why": LinkEndReason.REVOKED}, {}, "The invitation no longer works"),
        ({"ended_why": LinkEndReason.REVOKED}, {}, "The invitation no longer works"),
        ({"expires_at": -1}, {}, "The invitation expired"),
        ({}, {"wants_link_at": 0}, "Requested another invitation"),
    ],
)
def test_what_the_lead_has_to_send_again_is_not_told_to_wait_for_the_person(
    squad: Squad, link: dict[str, Any], newcomer: dict[str, int], trouble: str
) -> None:
    run, person, _ = onboarded(squad)
    now = datetime.now(tz=UTC)
    values = {key: now + timedelta(hours=value) for key, value in link.items() if key == "expires_at"}
    if "ended_why" in link:
        values |= {"ended_at": now, "ended_why": link["ended_why"]}
    if "used" in link:
        values |= {"used_at": now, "session_until": now, "browser": "b"}
    OneTimeLink.objects.filter(pk=links(person)[0].pk).update(**values)
    run.people.filter(pk=person.pk).update(**dict.fromkeys(newcomer, now))
    (checklist,) = (checklist for checklist in checklists([run.people.get(pk=person.pk)]))
    assert checklist.standing is StepStatus.INVITE
    assert MARKS[checklist.standing][0] == "Needs another invitation"
    first = stuck_newcomers(squad.lead).people[0]
    assert (first.newcomer.pk, first.trouble, first.tone, first.to_remind) == (
        person.pk,
        trouble,
        "warn",
        True,
    )


def test_a_failed_step_comes_first_and_is_named(squad: Squad) -> None:
    _, _, place = onboarded(squad)
    change = Change.objects.filter(lane=place.lane, operation__startswith="group.").first()
    change = change or Change.objects.filter(lane=place.lane).last()
    assert change is not None
    Change.objects.filter(pk=change.pk).update(state=ChangeState.FAILED)
    first = stuck_newcomers(squad.lead).people[0]
    assert first.newcomer.user_name == squad.yuki
    assert first.trouble.startswith("Failed: ")
    assert first.tone == "bad"


def test_others_see_no_one_and_old_runs_are_left_out(squad: Squad) -> None:
    onboarded(squad)
    other = Team.objects.create(slug="other", name="Other")
    stranger = factories.person("Omar Haddad")
    factories.assign(stranger, Role.TEAM_LEAD, team=other)
    assert stuck_newcomers(viewer_for(stranger)).total == 0
    assert remind_all(viewer_for(stranger)) == stuck_people.ReminderResult()
    OnboardingRun.objects.update(created_at=datetime.now(tz=UTC) - timedelta(days=61))
    assert stuck_newcomers(squad.lead).total == 0


def test_it_takes_the_same_queries_for_few_people_and_for_many(squad: Squad) -> None:
    run, _, _ = onboarded(squad)
    counts = []
    for size in (0, 30):
        for number in range(size):
            other = OnboardingRun.objects.create(
                version=run.version,
                state=run.state,
                requested_by=run.requested_by,
                requested_label="Elif Kaya",
            )
            OnboardedPerson.objects.create(
                run=other, position=1, line=1, name=f"N {number}", user_name=f"n{number}"
            )
        with CaptureQueriesContext(connection) as queries:
            stuck_newcomers(squad.lead)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_overview_of_the_lead_names_them_and_reminds_all(squad: Squad) -> None:
    onboarded(squad)
    earlier(hours=21)
    client = Client()
    client.force_login(factories.operator(Role.TEAM_LEAD, name="Pia Lind", team=squad.team))
    page = " ".join(client.get(reverse("dashboard:overview")).content.decode().split())
    assert "Who is stuck" in page
    assert "Remind all 2" in page
    answer = client.post(reverse("onboarding:remind"), {"next": "overview"}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("dashboard:overview")
    assert "2 invitations were sent again" in answer.content.decode()
    assert "Remind all" not in answer.content.decode()
    again = client.post(reverse("onboarding:remind"), {"next": "overview"}, follow=True)
    assert "No invitation was sent" in again.content.decode()

"""A review is opened with a roster that the system makes, and asks the reviewers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.reviews.campaigns import REVIEW, begin_next, escalate_rows, open_campaign
from iam.audit.reviews.models import ReviewCampaign, ReviewItem, SubjectKind, UseState
from iam.changes.errors import RefusedError
from iam.directory.models import Person, Role
from iam.mirror.models import Section, SectionState, TagSet
from iam.people.runs.models import RunState
from tests import factories
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def test_the_roster_has_administrators_machines_and_service_roles() -> None:
    world = made.world()
    campaign = made.opened(world)
    assert (campaign.state, campaign.trouble) == (RunState.RUNNING, "")
    rows = {(row.subject, row.target_name): row for row in campaign.rows.select_related("access")}
    assert set(rows) == {
        ("maya", "payments"),
        ("maya", "everything"),
        ("tomas", "payments"),
        ("ci", "DeployPayments"),
        ("app", "read"),
    }
    assert {name for (name, _), row in rows.items() if row.is_administrator} == {"maya"}
    assert rows["ci", "DeployPayments"].subject_kind == SubjectKind.MACHINE
    assert rows["app", "read"].subject_kind == SubjectKind.WORKLOAD
    assert rows["tomas", "payments"].access.lines
    assert rows["tomas", "payments"].use == UseState.UNKNOWN
    assert (rows["tomas", "payments"].peers, rows["tomas", "payments"].peers_with) == (1, 1)


def test_people_are_called_as_everywhere() -> None:
    world = made.world()
    moment, tags = factories.FIRST_READ, {"DisplayName": "Tomáš Lind"}
    TagSet.objects.create(
        account=world.account, entity=world.tomas, tags=tags, valid_from=moment, observed_at=moment
    )
    rows = made.opened(world).rows
    assert set(rows.filter(entity=world.tomas).values_list("person_name", "person_id")) == {
        ("Tomáš Lind", None)
    }
    assert set(rows.filter(entity=world.maya).values_list("person_name", flat=True)) == {"Maya"}
    assert set(rows.filter(entity=world.machine).values_list("person_name", flat=True)) == {""}


def test_nobody_is_the_reviewer_of_their_own_access() -> None:
    world = made.world()
    campaign = made.opened(world)
    assert made.row(campaign, world.tomas).reviewer_name == "Elif"
    named = made.opened(world, reviewers="named")
    assert made.row(named, world.tomas).reviewer_name == "Maya"
    assert {row.reviewer_name for row in named.rows.filter(entity=world.maya)} == {"Hana"}


def test_it_refuses_to_open_when_the_administrators_are_not_known() -> None:
    world = made.world()
    Section.objects.filter(account=world.account, name="policies").update(state=SectionState.DENIED)
    campaign = made.drafted(world)
    with pytest.raises(RefusedError, match=r"who the administrators are.*production \(policies\).*Sync"):
        open_campaign(campaign, actor=world.administrator, by_worker=False)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.rows.count()) == (RunState.DRAFT, 0)


def test_an_empty_list_asks_nobody() -> None:
    world = made.world()
    campaign = made.opened(world, kinds=("third",))
    assert campaign.state == RunState.CLOSED
    assert "nothing to review" in campaign.trouble


def test_what_a_killed_process_left_is_continued_and_nothing_is_written_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = made.world()
    campaign = made.drafted(world)
    monkeypatch.setattr("iam.audit.reviews.roster.BATCH", 2)
    monkeypatch.setattr("iam.nudge.send", lambda *_, **__: True)
    campaign = open_campaign(campaign, actor=world.administrator)
    from iam.audit.reviews import roster

    write, batches = roster._write, []

    def dying(*args: object) -> None:
        if batches:
            raise KeyboardInterrupt
        batches.append(args)
        write(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(roster, "_write", dying)
        with pytest.raises(KeyboardInterrupt):
            REVIEW.request_by_id(campaign.pk)
    first = set(ReviewItem.objects.values_list("pk", flat=True))
    assert 0 < len(first) < 5
    REVIEW.request_by_id(campaign.pk)
    REVIEW.request_by_id(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == RunState.RUNNING
    assert first < set(ReviewItem.objects.values_list("pk", flat=True))
    assert campaign.rows.count() == 5


def following(campaign: ReviewCampaign) -> ReviewCampaign:
    """The next review of a series."""
    ReviewCampaign.objects.filter(pk=campaign.pk).update(next_at=datetime.now(tz=UTC))
    campaign.refresh_from_db()
    after = begin_next(campaign, now=datetime.now(tz=UTC))
    assert after is not None
    REVIEW.request_by_id(after.pk)
    after.refresh_from_db()
    return after


def lose_role(person_id: object) -> Person:
    person = Person.objects.get(pk=person_id)
    person.assignments.all().delete()
    person.assignments.create(role=Role.MEMBER)
    return person


def test_who_lost_their_role_is_not_asked_by_the_next_review_and_it_says_so() -> None:
    world = made.world()
    campaign = made.opened(world, reviewers="named", months=6)
    assert made.row(campaign, world.tomas).reviewer_name == "Maya"
    lose_role(world.administrator.person_id)
    after = following(campaign)
    reviewers = dict(after.rows.values_list("subject", "reviewer_name"))
    assert reviewers == {"maya": "Hana", "tomas": "Hana", "ci": "Hana", "app": "Hana"}
    assert after.facts["unable"] == ["Maya"]
    assert after.owner_id == world.approver.person_id
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR))
    page = " ".join(client.get(reverse("reviews:campaign", args=[after.pk])).content.decode().split())
    assert "can’t review any more: Maya" in page
    assert "any more" not in client.get(reverse("reviews:campaign", args=[campaign.pk])).content.decode()


def test_where_both_reviewers_lost_their_role_who_looks_after_it_is_asked() -> None:
    world = made.world()
    campaign = made.opened(world, reviewers="named")
    of_lead, of_approver = world.lead.person_id, world.approver.person_id
    ReviewCampaign.objects.filter(pk=campaign.pk).update(reviewer_id=of_lead, second_reviewer_id=of_approver)
    for person_id in (of_lead, of_approver):
        lose_role(person_id)
    after = following(campaign)
    reviewers = dict(after.rows.values_list("subject", "reviewer_name"))
    # Nobody is left who could review the access of who looks after it.
    assert reviewers == {"maya": "", "tomas": "Maya", "ci": "Maya", "app": "Maya"}
    assert after.facts["unable"] == ["Elif", "Hana"]


def test_a_lead_who_lost_their_role_is_not_asked_and_rows_are_not_escalated_to_who_lost_theirs() -> None:
    world = made.world()
    campaign = made.opened(world)
    assert made.row(campaign, world.tomas).reviewer_name == "Elif"
    lose_role(world.lead.person_id)
    assert made.row(following(campaign), world.tomas).reviewer_name == "Maya"
    lose_role(world.approver.person_id)
    escalate_rows(campaign)
    assert not campaign.rows.filter(reviewer_id=world.approver.person_id, subject="tomas").exists()

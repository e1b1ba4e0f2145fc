"""What a review is about: accounts, teams, templates, kinds, what changed or is unused; and who is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.access.grants.models import LedgerEntry
from iam.audit.reviews.campaigns import CampaignDraft, may_start, months_later, start
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.notices import remind
from iam.audit.reviews.terms import InvalidCampaignError, ReviewTerms
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.mirror.models import InlinePolicy
from iam.notify.models import OutgoingMessage
from iam.people.runs.models import RunState
from tests import factories
from tests.console.access.grants import made as grants
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def subjects(campaign: ReviewCampaign) -> set[tuple[str, str]]:
    return set(campaign.rows.values_list("subject", "target_name"))


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"teams": ("payments",)}, {("maya", "payments"), ("maya", "everything"), ("tomas", "payments")}),
        ({"kinds": ("machine",)}, {("ci", "DeployPayments")}),
        ({"kinds": ("workload",)}, {("app", "read"), ("app-2", "read")}),
        ({"kinds": ("third",)}, {("partner", "read")}),
        ({"accounts": ("222222222222",)}, {("app-2", "read")}),
    ],
)
def test_the_scope_chooses_whose_access(terms: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    world = made.world()
    second = factories.account("222222222222", name="second")
    factories.synced(second)
    factories.inline(factories.role(second, "app-2"), "read")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    partner = factories.role(world.account, "partner", trust=trust, category="cross-account")
    factories.inline(partner, "read")
    own = factories.role(
        world.account,
        "cross",
        trust={**trust, "Statement": [{**trust["Statement"][0], "Principal": {"AWS": "222222222222"}}]},  # type: ignore[dict-item]
        category="cross-account",
    )
    factories.inline(own, "inside")
    campaign = made.opened(world, **terms)
    if campaign.state == RunState.CLOSED:
        assert expected == set()
    assert subjects(campaign) == expected


def test_a_role_that_only_aws_changes_is_left_out() -> None:
    world = made.world()
    linked = factories.role(world.account, "AWSServiceRoleForX", category="service-linked")
    factories.inline(linked, "x")
    assert not made.opened(world).rows.filter(entity=linked).exists()


def test_only_what_a_template_gave() -> None:
    world = made.world()
    grant = grants.grant(world.account, world.tomas, asked_by=made.person("Asker", Role.APPROVER))
    LedgerEntry.objects.filter(part__grant=grant).delete()
    LedgerEntry.objects.create(
        part=grant.parts.get(),
        account=world.account,
        entity=world.tomas,
        target_entity=world.group,
        holder_arn=world.tomas.arn,
        sort="member",
        target=world.group.arn,
        since=factories.FIRST_READ,
    )
    type(grant).objects.filter(pk=grant.pk).update(template="deploy")
    campaign = made.opened(world, templates=("deploy",))
    assert subjects(campaign) == {("tomas", "payments")}
    (reason,) = campaign.rows.get().why
    assert (reason["grant"], reason["title"]) == (str(grant.pk), grant.title)


def test_only_what_changed_since_its_last_finished_review() -> None:
    world = made.world()
    first = made.opened(world)
    first.rows.update(decision="keep")
    ReviewCampaign.objects.filter(pk=first.pk).update(state=RunState.DONE, acknowledged_at=first.opened_at)
    later = datetime.now(tz=UTC) + timedelta(hours=1)
    InlinePolicy.objects.filter(owner=world.role).update(valid_from=later)
    factories.inline(world.tomas, "new", since=later)
    second = made.opened(world, which="changed")
    assert subjects(second) == {("app", "read"), ("tomas", "new")}


def test_what_is_unknown_is_asked_about_as_well_as_what_is_unused() -> None:
    world = made.world()
    assert made.opened(world, which="unused").rows.count() == 5


def draft_of(world: made.World, **changes: Any) -> CampaignDraft:
    terms = changes.pop("terms", ReviewTerms())
    values: dict[str, Any] = {
        "name": "Review",
        "reason": "PCI",
        "terms": terms,
        "due_at": datetime.now(tz=UTC) + timedelta(days=9),
        "reviewer_id": world.administrator.person_id,
        "second_reviewer_id": world.approver.person_id,
    }
    return CampaignDraft(**values | changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"due_at": datetime(2020, 1, 1, tzinfo=UTC)}, "due"),
        ({"due_at": datetime(2099, 1, 1, tzinfo=UTC)}, "due"),
        ({"terms": ReviewTerms(kinds=("pet",))}, "kinds"),
        ({"terms": ReviewTerms(which="some")}, "which"),
        ({"terms": ReviewTerms(reviewers="anybody")}, "reviewers"),
        ({"terms": ReviewTerms(overdue="ignore")}, "overdue"),
        ({"terms": ReviewTerms(months=25)}, "months"),
        ({"terms": ReviewTerms(trial_days=31)}, "trial_days"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(changes: dict[str, Any], field: str) -> None:
    world = made.world()
    with pytest.raises(InvalidCampaignError) as error:
        start(draft_of(world, **changes), actor=world.administrator, now=datetime.now(tz=UTC))
    assert error.value.field == field
    assert not ReviewCampaign.objects.exists()


def test_reviewers_are_two_people_who_can_review() -> None:
    world = made.world()
    now = datetime.now(tz=UTC)
    same = draft_of(world, second_reviewer_id=world.administrator.person_id)
    member = draft_of(world, reviewer_id=made.person("Ann", Role.MEMBER).pk)
    for draft, field in ((same, "second_reviewer"), (member, "reviewer")):
        with pytest.raises(InvalidCampaignError) as error:
            start(draft, actor=world.administrator, now=now)
        assert error.value.field == field


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.ADMINISTRATOR, True),
        (Role.APPROVER, True),
        (Role.AUDITOR, False),
        (Role.MEMBER, False),
    ],
)
def test_who_may_start_a_review(role: Role, *, may: bool) -> None:
    viewer = viewer_for(made.person("Somebody", role))
    assert may_start(viewer, ReviewTerms()) is may
    of_one = viewer_for(made.person("Else", role, account="111111111111"))
    assert not may_start(of_one, ReviewTerms())
    assert may_start(of_one, ReviewTerms(accounts=("111111111111",))) is may


def test_reviewers_are_told_once_and_reminded_once_a_day(settings: Any) -> None:
    settings.MAIL_IS_CONFIGURED = True
    world = made.world()
    campaign = made.opened(world)
    told = OutgoingMessage.objects.filter(event="review.waiting")
    assert set(told.values_list("name", flat=True)) == {"Elif", "Maya"}
    before = told.count()
    morning = (campaign.due_at - timedelta(days=2)).replace(hour=9)
    remind(campaign, now=morning)
    remind(campaign, now=morning + timedelta(hours=14))
    assert told.count() == 2 * before
    remind(campaign, now=morning + timedelta(hours=16))
    assert told.count() == 3 * before
    ReviewItem.objects.update(decision="keep")
    assert remind(campaign, now=morning + timedelta(days=2)) == 0


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2026, 8, 31), 6, (2027, 2, 28)),
        ((2026, 11, 30), 6, (2027, 5, 30)),
        ((2027, 12, 31), 2, (2028, 2, 29)),
    ],
)
def test_months_later(day: tuple[int, int, int], months: int, expected: tuple[int, int, int]) -> None:
    assert months_later(datetime(*day, tzinfo=UTC), months) == datetime(*expected, tzinfo=UTC)

"""What decisions come to: changes, trials that give access back, sign-off, and what is overdue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from iam.activity.models import CallerDay, TrailCaller, TrailEvent
from iam.activity.partitions import add_months
from iam.audit.reviews.campaigns import begin_next
from iam.audit.reviews.decisions import decide
from iam.audit.reviews.latest import latest_reviews
from iam.audit.reviews.models import ReviewCampaign, ReviewChange, ReviewItem, ReviewTrial
from iam.audit.reviews.periodic import follow_change, run_due
from iam.audit.reviews.removals import request_changes_of
from iam.audit.reviews.replays import fill_replays
from iam.audit.reviews.sign_off import acknowledge, digest_of, sign, why_not_acknowledge
from iam.audit.reviews.trials import begin_trial, check_trials, give_back
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.people.runs.models import RunState
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def now() -> datetime:
    return datetime.now(tz=UTC)


def decided(
    world: made.World, decision: str = "revoke", **terms: object
) -> tuple[ReviewCampaign, ReviewItem]:
    """A review in which one row is revoked and all others are kept."""
    campaign = made.opened(world, **terms)
    row = made.row(campaign, world.machine)
    ReviewItem.objects.filter(campaign=campaign).exclude(pk=row.pk).update(
        decision="keep", decided_by=world.lead.person_id, decided_name="Elif", decided_at=now()
    )
    decide(campaign, {row.pk: 0}, decision, reason="Unused", actor=world.administrator, now=now())
    return campaign, ReviewItem.objects.select_related(
        "campaign", "entity__account", "account", "access"
    ).get(pk=row.pk)


def applied(row: ReviewItem, at: datetime | None = None) -> Change:
    """Its change was approved and carried out."""
    change = Change.objects.get(pk=ReviewChange.objects.get(row=row, is_return=False).change_id)
    moment = at or now()
    Change.objects.filter(pk=change.pk).update(
        state=ChangeState.APPLIED, queued_at=moment, ended_at=moment, before={"attached": True}
    )
    change.refresh_from_db()
    follow_change(change)
    return change


def test_revocations_are_requested_together_as_changes_that_wait_for_approval() -> None:
    world = made.world()
    campaign, row = decided(world)
    ReviewItem.objects.filter(entity=world.tomas).update(
        decision="revoke", decision_reason="Moved", decided_by=world.administrator.person_id
    )
    done = request_changes_of(campaign, actor=world.administrator)
    assert (done.rows, done.refused) == (2, 0)
    assert len({change.change_set_id for change in done.changes}) == 1
    assert {change.state for change in done.changes} == {ChangeState.AWAITING}
    assert {change.operation for change in done.changes} == {"attachment.detach", "group_membership.remove"}
    assert all(change.receipt for change in done.changes)
    # Once for each, however often it is clicked.
    assert request_changes_of(campaign, actor=world.administrator).rows == 0
    result = decide(campaign, {row.pk: 1}, "keep", reason="", actor=world.administrator, now=now())
    assert "requested already" in result.refused[0]


def test_what_was_rejected_can_be_decided_again() -> None:
    world = made.world()
    campaign, row = decided(world)
    request_changes_of(campaign, actor=world.administrator)
    change = Change.objects.get()
    Change.objects.update(state=ChangeState.REJECTED)
    change.refresh_from_db()
    follow_change(change)
    row.refresh_from_db()
    assert not row.is_requested
    assert "rejected" in row.trouble


def test_what_can_not_be_requested_says_why_and_the_rest_is_requested() -> None:
    world = made.world()
    campaign, _row = decided(world)
    ReviewItem.objects.filter(entity=world.tomas).update(
        decision="reduce", decision_reason="x", decided_by=world.administrator.person_id
    )
    done = request_changes_of(campaign, actor=world.administrator)
    assert (done.rows, done.refused) == (1, 1)
    assert "No CloudTrail events" in ReviewItem.objects.get(entity=world.tomas).trouble


def denied(world: made.World, action: str, at: datetime) -> None:
    caller, _ = TrailCaller.objects.get_or_create(
        kind="user",
        account_id=world.account.account_id,
        unique_id=world.machine.aws_id,
        arn=world.machine.arn,
        digest="d",
    )
    add_months([at])
    TrailEvent.objects.create(
        at=at,
        event_id=f"00000000-0000-0000-0000-{TrailEvent.objects.count():012d}",
        account_id=world.account.account_id,
        service="s3",
        action=action,
        caller=caller,
        is_denied=True,
        error_code="AccessDenied",
        file_id=1,
    )


@pytest.mark.parametrize(
    ("action", "after", "comes_back"),
    [
        ("GetObject", timedelta(hours=1), True),
        ("GetObject", timedelta(hours=-1), False),
        ("GetObject", timedelta(days=8), False),
        ("DeleteBucket", timedelta(hours=1), False),
    ],
)
def test_access_on_trial_comes_back_when_what_it_allowed_is_denied(
    action: str, after: timedelta, comes_back: bool
) -> None:
    world = made.world()
    campaign, row = decided(world, trial_days=7)
    request_changes_of(campaign, actor=world.administrator)
    began = now() - timedelta(hours=3)
    applied(row, began)
    trial = ReviewTrial.objects.get(row=row)
    assert trial.until == began + timedelta(days=7)
    denied(world, action, began + after)
    row.entity.edges_out.update(valid_to=began)
    assert check_trials(now=now()) == comes_back
    assert check_trials(now=now()) == 0
    returns = ReviewChange.objects.filter(row=row, is_return=True)
    assert returns.count() == comes_back
    if comes_back:
        link = returns.get()
        # Under the approval of the revocation: nobody has to approve it again.
        assert (link.change.operation, link.change.state) == ("attachment.attach", ChangeState.QUEUED)
        trial.refresh_from_db()
        assert trial.returned_name == "Gatehouse"
        assert trial.denied.startswith("s3:GetObject")


def test_one_click_gives_it_back_but_not_to_oneself() -> None:
    world = made.world()
    campaign, row = decided(world, trial_days=7)
    request_changes_of(campaign, actor=world.administrator)
    applied(row)
    row.entity.edges_out.update(valid_to=now())
    with pytest.raises(RefusedError, match="Only its reviewer"):
        give_back(row, actor=world.approver)
    give_back(row, actor=world.administrator)
    with pytest.raises(RefusedError, match="already"):
        give_back(row, actor=world.administrator)
    own = made.row(campaign, world.maya, "payments")
    ReviewTrial.objects.create(row=own, began_at=now(), until=now() + timedelta(days=1))
    with pytest.raises(RefusedError, match="your own access"):
        give_back(own, actor=world.administrator)


def test_without_a_trial_nothing_comes_back() -> None:
    world = made.world()
    campaign, row = decided(world)
    request_changes_of(campaign, actor=world.administrator)
    applied(row)
    begin_trial(row)
    assert not ReviewTrial.objects.exists()


def signed(world: made.World) -> ReviewCampaign:
    campaign, _row = decided(world, "keep")
    sign(campaign, note="All of it", actor=world.administrator, now=now())
    campaign.refresh_from_db()
    return campaign


def test_sign_off_waits_for_all_decisions_and_for_somebody_else() -> None:
    world = made.world()
    campaign, row = decided(world)
    with pytest.raises(RefusedError, match="1 of its decisions has not been requested"):
        sign(campaign, note="", actor=world.administrator, now=now())
    ReviewItem.objects.filter(pk=row.pk).update(decision="")
    with pytest.raises(RefusedError, match="1 of its access items is not decided"):
        sign(campaign, note="", actor=world.administrator, now=now())
    ReviewItem.objects.filter(pk=row.pk).update(decision="keep")
    sign(campaign, note="", actor=world.administrator, now=now())
    campaign.refresh_from_db()
    for viewer, why in ((world.administrator, "reviewed nothing"), (world.lead, "approver or administrator")):
        assert why in why_not_acknowledge(campaign, viewer)
    acknowledge(campaign, is_accepted=True, note="Seen", actor=world.approver, now=now())
    campaign.refresh_from_db()
    assert (campaign.state, campaign.acknowledged_name) == (RunState.DONE, "Hana")


def test_it_is_sent_back_with_a_reason() -> None:
    world = made.world()
    campaign = signed(world)
    with pytest.raises(RefusedError, match="Say what"):
        acknowledge(campaign, is_accepted=False, note="", actor=world.approver, now=now())
    acknowledge(campaign, is_accepted=False, note="Look at ci again", actor=world.approver, now=now())
    campaign.refresh_from_db()
    assert campaign.state == RunState.RUNNING


def test_a_frozen_review_never_changes() -> None:
    world = made.world()
    campaign = signed(world)
    acknowledge(campaign, is_accepted=True, note="", actor=world.approver, now=now())
    campaign.refresh_from_db()
    row = campaign.rows.select_related("access").first()
    assert row is not None
    assert campaign.digest == digest_of(campaign)
    with pytest.raises(RefusedError, match="isn’t open"):
        decide(campaign, {row.pk: row.version}, "", reason="", actor=world.administrator, now=now())
    for write in (
        lambda: campaign.rows.update(decision=""),
        lambda: campaign.accesses.update(lines=[]),
        lambda: row.delete(),
        lambda: ReviewItem.objects.create(
            campaign=campaign, account=row.account, entity=row.entity, sort="inline", target="x",
            target_name="x", subject="x", subject_kind="person", access=row.access, use="unknown",
        ),
    ):  # fmt: skip
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            write()


def test_the_latest_review_of_a_user_is_told() -> None:
    world = made.world()
    numbers = [world.machine.pk, world.tomas.pk, world.group.pk]
    campaign = signed(world)
    assert latest_reviews(numbers) == {}
    acknowledge(campaign, is_accepted=True, note="", actor=world.approver, now=now())
    reviews = latest_reviews(numbers)
    assert set(reviews) == {world.machine.pk, world.tomas.pk}
    review = reviews[world.machine.pk]
    assert (review.reviewers, review.outcome, review.acknowledged_by) == (("Maya",), {"keep": 1}, "Hana")
    assert latest_reviews(numbers, at=now() - timedelta(days=1)) == {}


def overdue(world: made.World, action: str) -> ReviewCampaign:
    campaign = made.opened(world, overdue=action)
    ReviewCampaign.objects.filter(pk=campaign.pk).update(due_at=now() - timedelta(hours=1))
    run_due(now=now())
    run_due(now=now())
    campaign.refresh_from_db()
    return campaign


@pytest.mark.parametrize("action", ["remind", "escalate", "revoke"])
def test_what_happens_when_it_is_overdue(action: str) -> None:
    world = made.world()
    campaign = overdue(world, action)
    assert campaign.overdue_at is not None
    rows = campaign.rows
    if action == "remind":
        assert rows.filter(decision="").count() == 5
    if action == "escalate":
        assert set(rows.values_list("reviewer_name", flat=True)) == {"Hana"}
    if action == "revoke":
        assert set(rows.values_list("decision", "decided_name")) == {("revoke", "Gatehouse")}
        assert Change.objects.filter(state=ChangeState.AWAITING).count() == 5


def test_the_next_review_of_a_series_begins_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = made.world()
    monkeypatch.setattr("iam.nudge.send", lambda *_, **__: True)
    campaign = made.opened(world, months=6)
    assert campaign.next_at is not None
    assert begin_next(campaign, now=campaign.next_at) is not None
    assert begin_next(campaign, now=campaign.next_at) is None
    following = ReviewCampaign.objects.exclude(pk=campaign.pk).get()
    assert (following.series, following.state) == (campaign.series, RunState.SUBMITTING)


def test_replay_says_what_would_be_denied_and_is_unknown_without_a_trail() -> None:
    world = made.world()
    campaign = made.opened(world)
    assert fill_replays() == 5
    assert {row.replay["state"] for row in campaign.rows.all()} == {"unknown"}
    assert fill_replays() == 0
    recorded(world, "GetObject")
    other = made.opened(world)
    fill_replays()
    replay = made.row(other, world.machine).replay
    assert (replay["calls"], replay["denied"]) == (1, 1)
    assert replay["examples"][0]["action"] == "s3:GetObject"
    # Maya's other policy allows everything.
    assert made.row(other, world.maya, "payments").replay["calls"] == 0


def test_use_is_told_for_each_access_and_reduced_to_what_was_used() -> None:
    world = made.world()
    recorded(world, "GetObject")
    campaign = made.opened(world)
    row = made.row(campaign, world.machine)
    assert (row.use, made.row(campaign, world.tomas).use) == ("used", "unused")
    decide(campaign, {row.pk: 0}, "reduce", reason="Too wide", actor=world.administrator, now=now())
    done = request_changes_of(campaign, actor=world.administrator)
    assert [change.operation for change in done.changes] == ["inline_policy.put", "attachment.detach"]
    assert done.changes[0].change_set.title.endswith(": reduce 1 access item")
    assert "s3:GetObject" in done.changes[0].params["document"]


def recorded(world: made.World, action: str) -> None:
    """A call that the machine user made yesterday."""
    denied(world, action, now() - timedelta(days=1))
    TrailEvent.objects.update(is_denied=False, error_code="", resource="arn:aws:s3:::b/a")
    event = TrailEvent.objects.get()
    CallerDay.objects.create(
        caller=event.caller,
        account_id=event.account_id,
        day=event.at.date(),
        service="s3",
        action=action,
        calls=1,
        errors=0,
        denied=0,
        first_at=event.at,
        last_at=event.at,
    )

"""Decisions, by whom, of two at once, and undone; nobody decides about themselves by any route."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from iam.audit.reviews.campaigns import assign
from iam.audit.reviews.decisions import decide, may_decide
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.changes.errors import RefusedError
from iam.directory.models import Identity, Role
from iam.guard import Viewer, viewer_for
from iam.journal.models import Entry
from iam.linking.models import UserMatch
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def now() -> datetime:
    return datetime.now(tz=UTC)


def keep(row: ReviewItem, actor: Viewer, decision: str = "keep", reason: str = "") -> list[str]:
    """What is said against it; nothing if it was decided."""
    result = decide(row.campaign, {row.pk: row.version}, decision, reason=reason, actor=actor, now=now())
    return [*result.refused, *(conflict.words for conflict in result.conflicts)]


def test_the_reviewer_decides_and_the_journal_has_it() -> None:
    world = made.world()
    row = made.row(made.opened(world), world.tomas)
    assert keep(row, world.lead, "revoke", "Left the project") == []
    row.refresh_from_db()
    assert (row.decision, row.decided_name, row.version) == ("revoke", "Elif", 1)
    entry = Entry.objects.get(kind="review.decide")
    assert (entry.subject, entry.actor_label) == (world.tomas.arn, "Elif")
    assert keep(row, world.lead, "") == []
    row.refresh_from_db()
    assert (row.decision, row.decided_by, row.version) == ("", None, 2)
    assert Entry.objects.filter(kind="review.undo").count() == 1
    assert ReviewCampaign.objects.get().decided == 0


def test_what_is_decided_is_counted_once() -> None:
    world = made.world()
    campaign = made.opened(world)
    row = made.row(campaign, world.tomas)
    for step, (decision, decided) in enumerate((("keep", 1), ("revoke", 1), ("", 0), ("", 0), ("reduce", 1))):
        row.version = step
        assert keep(row, world.lead, decision, "x") == []
        assert ReviewCampaign.objects.get().decided == decided
    row.version = 0
    assert keep(row, world.lead) != []
    assert ReviewCampaign.objects.get().decided == 1


def test_of_two_reviewers_the_first_decides_and_the_second_learns_who() -> None:
    world = made.world()
    row = made.row(made.opened(world), world.tomas)
    assert keep(row, world.lead) == []
    # The owner of the review saw the row before.
    (words,) = keep(row, world.administrator, "revoke", "Unused")
    assert words == "tomas, payments: Elif decided “keep” first."
    assert ReviewItem.objects.get(pk=row.pk).decision == "keep"


@pytest.mark.parametrize(
    ("decision", "count", "reason", "why"),
    [
        ("revoke", 1, "", "Give a reason"),
        ("reduce", 1, " ", "Give a reason"),
        ("keep", 2, "", "Give a reason"),
        ("approve", 1, "x", "Choose keep"),
        ("keep", 0, "x", "Select at least one"),
        ("keep", 501, "x", "at most 500"),
        ("keep", 1, "x" * 1001, "1,001 characters"),
    ],
)
def test_what_can_not_be_decided(decision: str, count: int, reason: str, why: str) -> None:
    world = made.world()
    campaign = made.opened(world)
    with pytest.raises(RefusedError, match=why):
        decide(campaign, dict.fromkeys(range(count), 0), decision, reason=reason, actor=world.lead, now=now())


def test_nobody_decides_about_themselves_by_any_route() -> None:
    world = made.world()
    campaign = made.opened(world)
    own = made.row(campaign, world.maya, "payments")
    elif_arn = made.factories.user(world.account, "elif").arn
    routes = {
        "owner of the review, user linked by hand": (world.administrator, own),
        "assigned by a row": (world.administrator, own),
    }
    ReviewItem.objects.filter(pk=own.pk).update(reviewer_id=world.administrator.person_id)
    for actor, row in routes.values():
        (words,) = keep(row, actor)
        assert "your own access" in words
        assert not may_decide(actor, row)
    # By a link that was made after the review had opened.
    tomas = made.row(campaign, world.tomas)
    Identity.objects.create(person_id=world.lead.person_id, user_arn=world.tomas.arn)
    assert keep(tomas, world.lead) == ["tomas, payments: you can’t decide about your own access."]
    Identity.objects.filter(user_arn=world.tomas.arn).delete()
    # By what only a matching method says.
    UserMatch.objects.create(
        user=world.tomas,
        account=world.account,
        standing="ambiguous",
        said=[{"person": str(world.lead.person_id), "how": "name", "words": "name"}],
    )
    assert keep(tomas, world.lead) == ["tomas, payments: you can’t decide about your own access."]
    assert elif_arn
    assert not campaign.rows.exclude(decision="").exists()


def test_others_decide_nothing() -> None:
    world = made.world()
    row = made.row(made.opened(world), world.tomas)
    stranger = viewer_for(made.person("Jonas", Role.APPROVER))
    assert keep(row, stranger) == ["tomas, payments: only its reviewer can decide."]


def test_rows_are_delegated_with_a_reason() -> None:
    world = made.world()
    campaign = made.opened(world)
    rows = campaign.rows.filter(entity=world.tomas)
    other = made.person("Jonas", Role.APPROVER)
    with pytest.raises(RefusedError, match="Give a reason"):
        assign(campaign, rows, to=other.pk, actor=world.lead, reason="")
    member = made.person("Ann", Role.MEMBER)
    with pytest.raises(RefusedError, match="Choose an administrator"):
        assign(campaign, rows, to=member.pk, actor=world.lead, reason="Away")
    assert assign(campaign, rows, to=other.pk, actor=world.lead, reason="Away") == (1, 0)
    assert keep(made.row(campaign, world.tomas), viewer_for(other)) == []

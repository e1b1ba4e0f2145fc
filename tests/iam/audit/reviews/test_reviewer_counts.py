"""How much each reviewer has left: who decides or assigns sees it at once, and what others do within a
minute.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from iam.audit.reviews.campaigns import assign, escalate_rows
from iam.audit.reviews.decisions import decide
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.periodic import revoke_undecided
from iam.audit.reviews.reviewer_counts import KEPT_SECONDS, reviewer_counts
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def counted(campaign: ReviewCampaign) -> dict[str, tuple[int, int]]:
    return {each.name: (each.rows, each.left) for each in reviewer_counts(campaign)}


def really(campaign: ReviewCampaign) -> dict[str, tuple[int, int]]:
    """Counted row by row."""
    counts: dict[str, tuple[int, int]] = {}
    for row in campaign.rows.all():
        rows, left = counts.get(row.reviewer_name or "No reviewer", (0, 0))
        counts[row.reviewer_name or "No reviewer"] = (rows + 1, left + (row.decision == ""))
    return counts


def test_own_decisions_and_their_undoing_count_at_once(
    django_capture_on_commit_callbacks: Any, django_assert_num_queries: Any
) -> None:
    world = made.world()
    campaign = made.opened(world)
    assert counted(campaign) == really(campaign)
    row = made.row(campaign, world.tomas)
    for version, decision in enumerate(("revoke", "keep", "", "keep")):
        with django_capture_on_commit_callbacks(execute=True):
            decide(
                campaign, {row.pk: version}, decision, reason="x", actor=world.lead, now=datetime.now(tz=UTC)
            )
        expected = really(campaign)
        with django_assert_num_queries(0):
            assert counted(campaign) == expected
    assert really(campaign)["Elif"][1] == counted(campaign)["Elif"][1] < counted(campaign)["Elif"][0]


def test_rows_that_are_given_to_others_count_for_them_at_once(
    django_capture_on_commit_callbacks: Any,
) -> None:
    world = made.world()
    campaign = made.opened(world)
    before = counted(campaign)
    with django_capture_on_commit_callbacks(execute=True):
        assign(
            campaign,
            ReviewItem.objects.filter(campaign=campaign, entity=world.tomas),
            to=world.approver.person_id,
            actor=world.administrator,
            reason="Elif is away",
        )
    assert counted(campaign) == really(campaign) != before


@pytest.mark.parametrize("by_itself", [escalate_rows, None])
def test_what_gatehouse_does_with_overdue_rows_counts_at_once(
    by_itself: Any, django_capture_on_commit_callbacks: Any
) -> None:
    world = made.world()
    campaign = made.opened(world)
    ReviewCampaign.objects.filter(pk=campaign.pk).update(second_reviewer_id=world.approver.person_id)
    campaign.refresh_from_db()
    before = counted(campaign)
    with django_capture_on_commit_callbacks(execute=True):
        if by_itself:
            by_itself(campaign)
        else:
            revoke_undecided(campaign, now=datetime.now(tz=UTC))
    assert counted(campaign) == really(campaign) != before


def test_what_others_do_is_seen_after_a_minute_however_much_one_decides(
    django_capture_on_commit_callbacks: Any,
) -> None:
    world = made.world()
    campaign = made.opened(world)
    began = datetime.now(tz=UTC)
    counted(campaign)
    # Another process decides, whose memory is its own.
    other = made.row(campaign, world.role)
    ReviewItem.objects.filter(pk=other.pk).update(decision="keep")
    row = made.row(campaign, world.tomas)
    with time_machine.travel(began + timedelta(seconds=KEPT_SECONDS / 2), tick=False):
        with django_capture_on_commit_callbacks(execute=True):
            decide(campaign, {row.pk: 0}, "keep", reason="", actor=world.lead, now=began)
        assert counted(campaign) != really(campaign)
    with time_machine.travel(began + timedelta(seconds=KEPT_SECONDS + 1), tick=False):
        assert counted(campaign) == really(campaign)

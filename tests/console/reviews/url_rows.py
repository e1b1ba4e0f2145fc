"""The rows that the addresses of reviews name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from iam.audit.reviews.duties import SodTerms
from iam.audit.reviews.models import ReviewAccess, ReviewCampaign, ReviewItem, SodRule
from iam.audit.reviews.terms import ReviewTerms
from iam.directory.models import Person
from iam.mirror.models import Entity
from iam.people.runs.models import RunState


def _review(owner: Person, state: RunState) -> ReviewCampaign:
    return ReviewCampaign.objects.create(
        name="Half-yearly review",
        reason="PCI DSS 7.2.4",
        state=state,
        terms=ReviewTerms().to_json(),
        requested_by=owner.pk,
        requested_label=owner.name,
        owner_id=owner.pk,
        reviewer_id=owner.pk,
        second_reviewer_id=owner.pk,
        due_at=datetime.now(tz=UTC) + timedelta(days=9),
    )


def _row(campaign: ReviewCampaign, user: Entity, reviewer: Person) -> dict[str, Any]:
    row = ReviewItem.objects.create(
        campaign=campaign,
        account=user.account,
        entity=user,
        subject_kind="person",
        subject=user.name,
        sort="inline",
        target="read",
        target_name="read",
        access=ReviewAccess.objects.create(campaign=campaign, key=user.name[:32]),
        use="unknown",
        replay={"state": "unknown"},
        reviewer_id=reviewer.pk,
        reviewer_name=reviewer.name,
    )
    return {"pk": campaign.pk, "number": row.pk}


def review_arguments(own: Entity, other: Entity, operators: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A review in which the team lead reviews, one in which they don’t, a draft, and a rule."""
    administrator, lead = operators["administrator"].person, operators["team-lead"].person
    review, unseen = _review(administrator, RunState.RUNNING), _review(administrator, RunState.RUNNING)
    rule = SodRule.objects.create(
        name="Apart",
        reason="Audit",
        status="active",
        terms=SodTerms(("iam:CreateUser",), ("s3:GetObject",)).to_json(),
        requested_by=administrator.pk,
        requested_name=administrator.name,
        requested_at=datetime.now(tz=UTC),
        created_at=datetime.now(tz=UTC),
    )
    return {
        "review": {"pk": review.pk},
        "other review": {"pk": unseen.pk},
        "review draft": {"pk": _review(administrator, RunState.DRAFT).pk},
        "review csv": {"pk": review.pk, "form": "csv"},
        "other review csv": {"pk": unseen.pk, "form": "csv"},
        "review row": _row(review, own, lead),
        "other review row": _row(unseen, other, administrator),
        "duties": {"pk": rule.pk},
    }

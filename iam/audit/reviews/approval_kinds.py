"""Separation-of-duties requests, and sign-offs to acknowledge, as kinds of audit requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.audit.approval_requests.kinds import (
    RequestKind,
    accounts_in,
    in_own_interest,
    within_terms,
)
from iam.audit.reviews.duties import SodTerms, breakers
from iam.audit.reviews.models import ReviewCampaign, ReviewItem, SodRule, SodStatus
from iam.mirror.models import Entity
from iam.mirror.snapshot import snapshot
from iam.notify.pages import MessagePage, path_of
from iam.people.runs.models import RunState


def _waiting_rules() -> QuerySet[SodRule]:
    retiring = Q(status=SodStatus.ACTIVE) & ~Q(retirement_reason="")
    return SodRule.objects.filter(Q(status=SodStatus.REQUESTED) | retiring).order_by("requested_at", "pk")


def _rule_title(rule: SodRule) -> str:
    act = "Create" if rule.status == SodStatus.REQUESTED else "Retire"
    return f"{act} separation-of-duties rule: {rule.name}"


def _waiting_reviews() -> QuerySet[ReviewCampaign]:
    return ReviewCampaign.objects.filter(state=RunState.WAITING).order_by("signed_at", "pk")


def _reviewed(person: UUID) -> Q:
    """People who signed a review off or decided on a row can't acknowledge it."""
    decided = ReviewItem.objects.filter(campaign=OuterRef("pk"), decided_by=person)
    return Q(signed_by=person) | Q(Exists(decided))


def _reviewers(campaign: ReviewCampaign) -> Collection[UUID | None]:
    deciders = campaign.rows.order_by().values_list("decided_by", flat=True).distinct()
    return [campaign.signed_by, *deciders]


def _signed(campaign: ReviewCampaign) -> tuple[str, datetime]:
    return campaign.signed_name, campaign.signed_at or campaign.created_at


def _outcome_of_rule(rule: SodRule) -> tuple[str, str]:
    tones = {SodStatus.ACTIVE: "ok", SodStatus.DECLINED: "bad"}
    return rule.get_status_display(), tones.get(SodStatus(rule.status), "")


def _outcome_of_review(campaign: Any) -> tuple[str, str]:
    """Return the viewer's decision on a row of `decided_by` in words, with its tone."""
    if campaign.own_decision_at == campaign.returned_at:
        return "Sent back", "warn"
    return "Acknowledged", "ok"


def _own_interest(rule: SodRule, own: Sequence[Entity]) -> str:
    """Return why the viewer can't approve: the rule exempts their own users or roles, or they break the rule
    to be retired. "" if they can.
    """
    terms = SodTerms.from_json(rule.terms)
    covered = [entity for entity in own if terms.covers(entity.account.account_id)]
    if rule.status == SodStatus.REQUESTED:
        for entity in covered:
            if terms.exempts(entity.name):
                return in_own_interest(entity, "this rule leaves it out")
        return ""
    numbers = {entity.account.account_id for entity in covered}
    if not numbers:
        return ""
    with snapshot(None, accounts=numbers) as index:
        broken: set[int] = set()
        for number in numbers:
            broken |= breakers(index, number, terms).keys()
    for entity in covered:
        if entity.pk in broken:
            return in_own_interest(entity, "it breaks this rule")
    return ""


DUTIES_REQUEST: Final[RequestKind[SodRule]] = RequestKind(
    name="duties",
    label="Separation of duties",
    waiting=_waiting_rules,
    within=within_terms(("rule", "terms")),
    accounts_of=lambda rule: accounts_in(rule.terms),
    title=_rule_title,
    reason=lambda rule: rule.retirement_reason or rule.reason,
    path=lambda rule: path_of(MessagePage.DUTIES_RULE, rule.pk),
    decided=lambda: SodRule.objects.filter(decided_at__isnull=False),
    own_interest=_own_interest,
    outcome=_outcome_of_rule,
    decided_title=lambda rule: f"Separation-of-duties rule: {rule.name}",
)
SIGN_OFF_REQUEST: Final[RequestKind[ReviewCampaign]] = RequestKind(
    name="sign-off",
    label="Access review",
    waiting=_waiting_reviews,
    within=within_terms(("review", "terms")),
    accounts_of=lambda campaign: accounts_in(campaign.terms),
    title=lambda campaign: f"Acknowledge access review: {campaign.name}",
    reason=lambda campaign: campaign.signed_note or campaign.reason,
    path=lambda campaign: path_of(MessagePage.REVIEW, campaign.pk),
    asked=_signed,
    decided=lambda: ReviewCampaign.objects.exclude(state=RunState.DRAFT),
    decided_columns=(("acknowledged_by", "acknowledged_at"), ("returned_by", "returned_at")),
    outcome=_outcome_of_review,
    asked_by="signed_by",
    own=_reviewed,
    barred=_reviewers,
    alone=False,
)

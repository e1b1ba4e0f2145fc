"""Creates sample access reviews (completed, running and overdue) and separation-of-duties rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.samples import viewer_of
from iam.audit.reviews.campaigns import CampaignDraft, open_campaign, start
from iam.audit.reviews.decisions import decide
from iam.audit.reviews.duties import SodTerms
from iam.audit.reviews.models import OverdueAction, ReviewCampaign, ReviewerRule, SodRule
from iam.audit.reviews.replays import replay_rows
from iam.audit.reviews.roster import accounts_of, why_not_open
from iam.audit.reviews.rule_requests import RuleDraft, request_rule
from iam.audit.reviews.rule_requests import decide as decide_rule
from iam.audit.reviews.sign_off import acknowledge, sign
from iam.audit.reviews.terms import ReviewTerms
from iam.guard import Viewer

OWNER: Final = "ines.duarte"
REVIEWER: Final = "hana.sato"
SECOND: Final = "jonas.berg"
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class SampleReview:
    """A sample review. `opened` is how many days ago it was opened, `days` is its duration in days."""

    name: str
    reason: str
    terms: ReviewTerms
    opened: int
    days: int
    is_finished: bool = False


SAMPLES: Final = (
    SampleReview(
        "Data, first half of 2026",
        "PCI DSS 7.2.4: everyone’s access, every six months.",
        ReviewTerms(accounts=(ACCOUNT_IDS["data"],), reviewers=ReviewerRule.NAMED, months=0),
        opened=150,
        days=14,
        is_finished=True,
    ),
    SampleReview(
        "Payments, second half of 2026",
        "PCI DSS 7.2.4: everyone’s access, every six months.",
        ReviewTerms(teams=("payments",), months=6, trial_days=7),
        opened=3,
        days=14,
    ),
    SampleReview(
        "Service roles and machine users",
        "PCI DSS 7.2.5.1: access of applications and systems.",
        ReviewTerms(
            accounts=(ACCOUNT_IDS["production"],),
            kinds=("machine", "workload", "third"),
            reviewers=ReviewerRule.OWNER,
            overdue=OverdueAction.REMIND,
        ),
        opened=30,
        days=21,
    ),
)
RULES: Final = (
    RuleDraft(
        "No one creates IAM users and stops CloudTrail",
        "Who gives access must not be able to remove its record.",
        SodTerms(
            ("iam:CreateUser", "iam:AttachUserPolicy"),
            ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail"),
            exempt=("break-glass", "OrganizationAccountAccessRole"),
        ),
    ),
    RuleDraft(
        "No one deploys and deletes backups",
        "A mistake in production must stay recoverable.",
        SodTerms(
            ("ecs:UpdateService", "lambda:UpdateFunctionCode"),
            ("backup:DeleteRecoveryPoint",),
            exempt=("break-glass", "OrganizationAccountAccessRole"),
        ),
    ),
)


def write_rules() -> None:
    """Create the rules if there are none. The last one waits for approval."""
    owner, approver = viewer_of(OWNER), viewer_of(REVIEWER)
    if owner is None or approver is None or SodRule.objects.exists():
        return
    now = timezone.now()
    for number, draft in enumerate(RULES):
        rule = request_rule(draft, actor=owner, now=now)
        if number < len(RULES) - 1:
            decide_rule(rule, is_approved=True, actor=approver, now=now)


def create_sample_reviews() -> int:
    """Create the sample reviews once all accounts are synced, if there are none. Returns their number."""
    if not settings.EMBEDDED or ReviewCampaign.objects.exists():
        return 0
    people = [viewer_of(login) for login in (OWNER, REVIEWER, SECOND)]
    owner, reviewer, second = people
    if owner is None or reviewer is None or second is None or why_not_open(accounts_of(ReviewTerms())):
        return 0
    for sample in SAMPLES:
        _hold(sample, owner, reviewer, second)
    return len(SAMPLES)


def _hold(sample: SampleReview, owner: Viewer, reviewer: Viewer, second: Viewer) -> None:
    """Open the review now and backdate it."""
    now = timezone.now()
    draft = CampaignDraft(
        sample.name,
        sample.reason,
        sample.terms,
        now + timedelta(days=sample.days),
        reviewer.person_id,
        second.person_id,
    )
    campaign = open_campaign(start(draft, actor=owner, now=now), actor=owner, by_worker=False)
    opened = now - timedelta(days=sample.opened)
    rows = ReviewCampaign.objects.filter(pk=campaign.pk)
    rows.update(created_at=opened, opened_at=opened, due_at=opened + timedelta(days=sample.days))
    campaign.refresh_from_db()
    _decide_rows(campaign, opened + timedelta(days=2), is_all=sample.is_finished)
    replay_rows(list(campaign.rows.select_related("entity__account")))
    if sample.is_finished:
        sign(campaign, note="Everything was reviewed.", actor=reviewer, now=opened + timedelta(days=9))
        campaign.refresh_from_db()
        moment = opened + timedelta(days=10)
        acknowledge(campaign, is_accepted=True, note="Acknowledged.", actor=owner, now=moment)


def _decide_rows(campaign: ReviewCampaign, at: datetime, *, is_all: bool) -> None:
    """Decide as its reviewers: keep all rows or (`is_all` False) a third of them."""
    for login in (REVIEWER, SECOND, "elif.kaya"):
        viewer = viewer_of(login)
        if viewer is None:
            continue
        rows = campaign.rows.filter(reviewer_id=viewer.person_id, decision="").order_by("pk")
        versions = dict(rows.values_list("pk", "version"))
        numbers = list(versions) if is_all else list(versions)[: len(versions) // 3]
        for start_at in range(0, len(numbers), BATCH):
            batch = {number: versions[number] for number in numbers[start_at : start_at + BATCH]}
            decide(campaign, batch, "keep", reason="Needed for their work", actor=viewer, now=at)

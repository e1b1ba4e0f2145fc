"""The first steps of an installation: what an administrator does before other people can use Gatehouse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from iam.compiled_queries import SCOPES_KEPT, CompiledCounts
from iam.directory.models import Identity
from iam.directory.rules import APPROVERS_NEEDED, who_approve
from iam.guard import Right, Viewer
from iam.linking.proposals import has_proposals
from iam.mirror.models.accounts import AccountSource
from iam.mirror.queries.accounts import visible_accounts


@dataclass(frozen=True, slots=True)
class FirstStep:
    """A step, why it matters, and the page where it is done."""

    title: str
    why: str
    url: str
    is_done: bool


def first_steps(viewer: Viewer) -> list[FirstStep]:
    """Return the steps for an administrator of all accounts; empty for others, and once all steps are
    done.
    """
    if not viewer.may(Right.MANAGE_OPERATORS, account_id=""):
        return []
    connected, approvers, writable, matched = _done_steps(
        viewer, is_single=settings.SINGLE_OPERATOR
    ).numbers()
    if connected and approvers >= APPROVERS_NEEDED and writable and matched:
        return []
    matching_page = "linking:review" if has_proposals(viewer) else "linking:links"
    return [
        FirstStep(
            "Connect an AWS account",
            "Or upload an export, to look around without credentials.",
            reverse("setup:connect"),
            bool(connected),
        ),
        FirstStep(
            "Appoint two approvers",
            _why_two_approvers(),
            reverse("set-up"),
            approvers >= APPROVERS_NEEDED,
        ),
        FirstStep(
            "Let approved changes through",
            "Give an account a write role. Without one, Gatehouse only reads.",
            reverse("setup:accounts"),
            bool(writable),
        ),
        FirstStep(
            "Match IAM users to people",
            "Then people see their own access, and offboarding finds all of it.",
            reverse(matching_page),
            bool(matched),
        ),
    ]


def _why_two_approvers() -> str:
    if settings.SINGLE_OPERATOR:
        return "Until then you approve your own requests: single-operator mode is on."
    return "No one approves their own request, so changes need two people."


@lru_cache(maxsize=SCOPES_KEPT)
def _done_steps(viewer: Viewer, *, is_single: bool) -> CompiledCounts:
    """Return the query that counts connected accounts, approvers, writable accounts and matched users.

    `is_single` is part of the cache key, because the number of approvers depends on the settings.
    """
    accounts = visible_accounts(viewer)
    can_write = accounts.filter(~Q(write_role_arn="") | Q(source=AccountSource.ENVIRONMENT)).exclude(
        source=AccountSource.EXPORT
    )
    rows = (accounts.values("pk"), who_approve(), can_write.values("pk"), Identity.objects.values("pk"))
    return CompiledCounts(lambda: rows, most=APPROVERS_NEEDED)

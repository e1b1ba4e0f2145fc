"""The page “Least privilege” of a user, role or policy: the smallest policy that allows what was used, as a
draft.
"""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.activity.services_report import services_context
from console.identities.details.frame import SECTIONS, ShownEntity, frame_of, shown_or_404
from console.web.access import ViewerRequest, require
from console.web.address_choices import leave_out_invalid
from console.web.render import render_page
from iam.access.least_privilege import PolicyReduction, ReductionError, reduction_of
from iam.access.policy_draft import begin
from iam.guard import Right
from iam.mirror.models import Kind
from iam.policy.least_privilege import StatementReduction

PERIODS: Final = (
    ("30", "Last 30 days"),
    ("90", "Last 90 days"),
    ("180", "Last 180 days"),
    ("365", "Last year"),
)
USUAL: Final = "90"


class PeriodForm(forms.Form):
    """The number of days to consider."""

    days = forms.ChoiceField(required=False, choices=PERIODS)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.GET)
        leave_out_invalid(request, self)

    @property
    def chosen(self) -> str:
        """The chosen period, or the default if it is missing or invalid."""
        return str(self.cleaned_data.get("days") or USUAL)

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Return the periods, and which one is chosen."""
        return [(value, label, value == self.chosen) for value, label in PERIODS]


@require_safe
@require(Right.SEE_ACCOUNT)
def least_privilege(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what was used in the chosen period, what is kept, and what is removed."""
    shown = shown_or_404(request, pk, kinds=[Kind.USER, Kind.ROLE, Kind.POLICY])
    form = PeriodForm(request)
    context = (
        frame_of(request, shown)
        | services_context(shown)
        | {
            "form": form,
            "days": form.chosen,
            "entity_url": reverse(SECTIONS[shown.entity.kind][2], args=[shown.entity.pk]),
        }
    )
    return render_page(request, "access/least_privilege.html", context | _suggestion(shown, form.chosen))


def _suggestion(shown: ShownEntity, days: str) -> dict[str, Any]:
    """Return the smallest policy, or why there is none."""
    if shown.at is not None:
        return {"why_not": "You’re viewing a past moment. Go back to now to reduce permissions."}
    if shown.state is None:
        return {"why_not": f"{shown.entity.name} no longer exists in AWS, as of the last sync."}
    try:
        reduction = reduction_of(shown.entity, days=int(days))
    except ReductionError as error:
        return {"why_not": str(error)}
    parts = reduction.reduced.statements
    return {
        "reduction": reduction,
        "text": reduction.reduced.text,
        "kept": [part for part in parts if not part.is_removed],
        "removed": [part for part in parts if part.is_removed],
        "unrecorded": _unrecorded(parts),
        "request_form": _request(shown, reduction),
    }


def _unrecorded(parts: tuple[StatementReduction, ...]) -> list[str]:
    """Return what is kept because no event would record its use, without duplicates."""
    names: dict[str, None] = {}
    for part in parts:
        names.update(dict.fromkeys(part.unrecorded))
    return sorted(names)


def _request(shown: ShownEntity, reduction: PolicyReduction) -> dict[str, str] | None:
    """Return where the policy is edited and requested, for viewers who can request changes in the account."""
    if not shown.edits_all or not reduction.reduced.text:
        return None
    if shown.entity.kind == Kind.POLICY:
        url = reverse("access:policy-edit", args=[shown.entity.pk])
        return {"url": url, "base": begin(shown.entity)[1]}
    return {"url": f"{reverse('changes:act', args=['reduce'])}?on={shown.entity.pk}", "base": ""}

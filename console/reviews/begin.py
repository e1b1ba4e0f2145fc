"""Starts a review: its form, and views to open or discard the draft."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from console.reviews.campaign import campaign_or_404, campaign_shown
from console.reviews.review_list import can_start
from console.web.access import ViewerRequest, require, require_present
from console.web.form_fields import add_service_error, name_field
from console.web.moments import day_end
from console.web.render import render_page
from console.web.text import reads_as_stored
from iam.access.templates.models import TemplateVersion
from iam.audit.reviews.campaigns import MAX_NAME, MAX_REASON, CampaignDraft, open_campaign, start
from iam.audit.reviews.models import OverdueAction, ReviewerRule, ReviewScope, SubjectKind
from iam.audit.reviews.reviewers import possible_reviewers
from iam.audit.reviews.terms import MAX_MONTHS, MAX_TRIAL_DAYS, InvalidCampaignError, ReviewTerms
from iam.changes.errors import RefusedError
from iam.directory.models import Team
from iam.guard import Right, Viewer
from iam.mirror.queries.accounts import visible_accounts
from iam.people.runs.drafts import discard

DUE_DAYS: Final = 14
CHOSEN: Final = ("accounts", "teams", "templates", "kinds")


class CampaignForm(forms.Form):
    """What is reviewed, by whom, until when, and what happens afterwards."""

    name = name_field(max_length=MAX_NAME, hint="Such as “Production, second half of 2026”.")
    reason = forms.CharField(
        max_length=MAX_REASON,
        validators=[reads_as_stored],
        error_messages={"required": "Enter a reason. Reviewers and auditors read it."},
        widget=forms.Textarea(attrs={"class": "input", "rows": 2}),
    )
    which = forms.ChoiceField(choices=ReviewScope.choices, label="Which access")
    reviewers = forms.ChoiceField(
        choices=ReviewerRule.choices,
        label="Reviewed by",
        help_text="No one reviews their own access, whichever you choose.",
    )
    due = forms.DateField(
        label="Due date",
        error_messages={"required": "Choose a day.", "invalid": "Choose a day."},
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}),
    )
    overdue = forms.ChoiceField(choices=OverdueAction.choices, label="When it is overdue")
    months = forms.IntegerField(
        min_value=0,
        max_value=MAX_MONTHS,
        initial=6,
        label="Repeat every (months)",
        help_text="0 for once. PCI DSS 7.2.4 requires every six months.",
        widget=forms.NumberInput(attrs={"class": "input"}),
    )
    trial_days = forms.IntegerField(
        min_value=0,
        max_value=MAX_TRIAL_DAYS,
        initial=7,
        label="Trial revocation (days)",
        help_text="Revoked access comes back when it’s missed within these days. 0 to switch it off.",
        widget=forms.NumberInput(attrs={"class": "input"}),
    )

    def __init__(self, data: Any = None, *, viewer: Viewer) -> None:
        super().__init__(data)
        people = [(str(person.pk), person.name) for person in possible_reviewers()]
        for name, label, hint in (
            ("reviewer", "Reviewer", "Reviews what no team lead can, and everything if one person reviews."),
            ("second_reviewer", "Second reviewer", "Reviews the reviewer’s own access, and what is overdue."),
        ):
            self.fields[name] = forms.ChoiceField(
                choices=[("", "Choose a person"), *people],
                label=label,
                help_text=hint,
                error_messages={"required": "Choose a person.", "invalid_choice": "Choose a person."},
            )
        accounts = visible_accounts(viewer).order_by("name").values_list("account_id", "name")
        teams = Team.objects.order_by("name").values_list("slug", "name")
        of_templates = "If you select any, only access that was granted by them."
        for name, label, hint, choices in (
            ("accounts", "Accounts", "If you select none, all accounts.", accounts),
            ("teams", "Teams", "If you select any, only their IAM users.", teams),
            ("kinds", "Whose access", "If you select none, everyone’s.", SubjectKind.choices),
            ("templates", "Templates", of_templates, _templates()),
        ):
            self.fields[name] = forms.MultipleChoiceField(
                choices=list(choices),
                label=label,
                help_text=hint,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                error_messages={"invalid_choice": "Choose from the list."},
            )
        self.fields["due"].initial = (datetime.now(tz=UTC) + timedelta(days=DUE_DAYS)).date()
        for name in ("which", "reviewers", "overdue", "reviewer", "second_reviewer"):
            self.fields[name].widget.attrs["class"] = "input"

    @property
    def draft(self) -> CampaignDraft:
        """Return the draft of a valid form; a date includes the whole day in the reader's time zone."""
        data = self.cleaned_data
        terms = ReviewTerms(
            **{name: tuple(data[name]) for name in CHOSEN},
            which=data["which"],
            reviewers=data["reviewers"],
            overdue=data["overdue"],
            months=data["months"],
            trial_days=data["trial_days"],
        )
        return CampaignDraft(
            data["name"].strip(),
            data["reason"].strip(),
            terms,
            day_end(data["due"]),
            UUID(data["reviewer"]),
            UUID(data["second_reviewer"]),
        )


def _templates() -> list[tuple[str, str]]:
    offered = TemplateVersion.objects.filter(number=F("template__current"), template__retired_at__isnull=True)
    return list(offered.order_by("title", "template__slug").values_list("template__slug", "title"))


@require(Right.REQUEST_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: ViewerRequest) -> HttpResponse:
    """Save the draft of a review."""
    require_present(request)
    if not can_start(request.viewer):
        raise Http404
    form = CampaignForm(request.POST or None, viewer=request.viewer)
    if request.method == "POST" and form.is_valid():
        try:
            campaign = start(form.draft, actor=request.viewer, now=datetime.now(tz=UTC))
        except InvalidCampaignError as error:
            add_service_error(form, error)
        else:
            return redirect("reviews:campaign", campaign.pk)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "section": "reviews"}
    return render_page(request, "reviews/new.html", context, status=status)


@require(Right.REQUEST_CHANGE)
@require_POST
def open_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Open a draft: a worker creates its rows, then the reviewers are notified."""
    campaign = campaign_or_404(request, pk)
    try:
        open_campaign(campaign, actor=request.viewer)
    except RefusedError as refused:
        return campaign_shown(request, campaign, errors={"open": refused.message})
    messages.success(request, "The list is being prepared. Reviewers are asked when it’s ready.")
    return redirect("reviews:campaign", pk)


@require(Right.REQUEST_CHANGE)
@require_POST
def discard_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Discard a draft."""
    campaign = campaign_or_404(request, pk)
    try:
        discard(request.viewer, run=campaign)
    except RefusedError as refused:
        return campaign_shown(request, campaign, errors={"open": refused.message})
    messages.success(request, "Draft discarded.")
    return redirect("reviews:list")

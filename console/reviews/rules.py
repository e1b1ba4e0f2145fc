"""Separation-of-duties rules: the list, a rule, and requests about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.web.access import ViewerRequest, found_or_404, require, require_present
from console.web.address_choices import choice
from console.web.audit_decisions import decision_in, reason_in, say_decided
from console.web.form_fields import (
    add_service_error,
    errors_by_field,
    lines_field,
    name_field,
    reason_field,
)
from console.web.kept_text import keep_text
from console.web.render import render_page
from console.web.text import distinct_lines
from iam.audit.reviews import rule_requests
from iam.audit.reviews.approval_kinds import DUTIES_REQUEST
from iam.audit.reviews.duties import InvalidDutiesError, SodTerms, check
from iam.audit.reviews.models import SodRule, SodStatus
from iam.audit.reviews.rule_requests import MAX_NAME, RuleDraft, RuleRefusedError
from iam.directory.approval_words import waits_for_approval
from iam.guard import Right, Viewer
from iam.mirror.models import Account
from iam.mirror.queries.accounts import visible_accounts

TONES: Final = {
    SodStatus.ACTIVE: "ok",
    SodStatus.REQUESTED: "note",
    SodStatus.RETIRED: "",
    SodStatus.DECLINED: "",
}
ENDED: Final = (SodStatus.RETIRED, SodStatus.DECLINED)
ENDED_TAB: Final = "ended"
TABS: Final = (("", "Active"), (ENDED_TAB, "Retired and declined"))


class DutiesForm(forms.Form):
    """A rule that no one may have both kinds of access."""

    name = name_field(max_length=MAX_NAME, hint="Such as “No one creates users and approves payments”.")
    first = lines_field(
        "No one can do one of these",
        "Actions such as iam:CreateUser or iam:Put*.",
        missing="Enter at least one action.",
    )
    second = lines_field("And one of these", "Actions.", missing="Enter at least one action.")
    exempt = lines_field("Except", "Names of IAM users and roles. * and ? are wildcards.")
    reason = reason_field()

    def __init__(self, data: Any = None, *, viewer: Viewer) -> None:
        super().__init__(data)
        self.fields["accounts"] = forms.MultipleChoiceField(
            choices=list(visible_accounts(viewer).order_by("name").values_list("account_id", "name")),
            label="Accounts checked",
            help_text="If you select none, all accounts are checked.",
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )

    def clean(self) -> dict[str, Any]:
        """Check the actions together with the fields themselves."""
        cleaned = super().clean() or {}
        try:
            check(self._terms)
        except InvalidDutiesError as error:
            add_service_error(self, error)
        return cleaned

    @property
    def _terms(self) -> SodTerms:
        """The terms; a field with an error counts as empty."""
        data = self.cleaned_data
        return SodTerms(
            distinct_lines(data.get("first", "")),
            distinct_lines(data.get("second", "")),
            tuple(data.get("accounts", ())),
            distinct_lines(data.get("exempt", "")),
        )

    @property
    def draft(self) -> RuleDraft:
        """Return the request of a valid form."""
        data = self.cleaned_data
        return RuleDraft(data["name"].strip(), data["reason"].strip(), self._terms)


@require(Right.SEE_ACCOUNT)
@require_safe
def rules_page(request: ViewerRequest) -> HttpResponse:
    """List the rules by name."""
    require_present(request)
    tab = choice(request, "tab", dict(TABS))
    rows = SodRule.objects.order_by("name", "pk")
    rows = rows.filter(status__in=ENDED) if tab == ENDED_TAB else rows.exclude(status__in=ENDED)
    seen = [rule for rule in rows if rule_requests.is_visible(request.viewer, rule)]
    context: dict[str, Any] = {
        "rows": [(rule, TONES[SodStatus(rule.status)], SodTerms.from_json(rule.terms)) for rule in seen],
        "tab": tab,
        "tabs": TABS,
        "may_request": request.viewer.may(Right.REQUEST_CHANGE),
        "section": "reviews",
    }
    return render_page(request, "reviews/rules.html", context)


def rule_or_404(request: ViewerRequest, pk: UUID) -> SodRule:
    """Return the rule. Raises Http404 unless the viewer sees one of its accounts."""
    require_present(request)
    rule = found_or_404(SodRule.objects.filter(pk=pk).first())
    if not rule_requests.is_visible(request.viewer, rule):
        raise Http404
    return rule


@require(Right.SEE_ACCOUNT)
@require_safe
def rule_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show a rule."""
    return _shown(request, rule_or_404(request, pk))


def _shown(
    request: ViewerRequest, rule: SodRule, *, errors: dict[str, str] | None = None, reason: str = ""
) -> HttpResponse:
    terms, viewer = SodTerms.from_json(rule.terms), request.viewer
    names = dict(Account.objects.filter(account_id__in=terms.accounts).values_list("account_id", "name"))
    waiting = rule_requests.is_waiting(rule)
    is_single = settings.SINGLE_OPERATOR
    may_decide = waiting and rule_requests.may_decide(viewer, rule, is_single=is_single)
    refusal = DUTIES_REQUEST.why_not_approve(rule, viewer, is_single=is_single) if may_decide else ""
    context: dict[str, Any] = {
        "rule": rule,
        "tone": TONES[SodStatus(rule.status)],
        "terms": terms,
        "accounts": ", ".join(names.get(number, number) for number in terms.accounts) or "All accounts",
        "waiting": waiting,
        "is_retiring": waiting and rule.status == SodStatus.ACTIVE,
        "may_decide": may_decide,
        "refusal_to_approve": refusal,
        "is_own_request": waiting and rule.requested_by == viewer.person_id,
        "may_request": rule.status == SodStatus.ACTIVE
        and not waiting
        and rule_requests.may_request(viewer, terms),
        "errors": errors or {},
        "reason": reason,
        "section": "reviews",
    }
    status = 422 if errors else 200
    return render_page(request, "reviews/rule.html", context, status=status)


@require(Right.REQUEST_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: ViewerRequest) -> HttpResponse:
    """Request a rule."""
    require_present(request)
    if not request.viewer.sees_accounts:
        raise Http404
    form = DutiesForm(request.POST or None, viewer=request.viewer)
    if request.method == "POST" and form.is_valid():
        try:
            rule = rule_requests.request_rule(form.draft, actor=request.viewer, now=datetime.now(tz=UTC))
        except RuleRefusedError as error:
            add_service_error(form, error)
        else:
            messages.success(request, waits_for_approval())
            return redirect("reviews:rule", rule.pk)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "section": "reviews"}
    return render_page(request, "reviews/rule_form.html", context, status=status)


@require(Right.REQUEST_CHANGE)
@require_POST
def retire(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Request to retire a rule."""
    rule = rule_or_404(request, pk)
    reason = reason_in(request)
    try:
        rule_requests.request_retirement(rule, reason=reason, actor=request.viewer, now=datetime.now(tz=UTC))
    except RuleRefusedError as error:
        if not error.field:
            keep_text(request, reason)
        return _shown(request, rule, errors=errors_by_field(error), reason=reason)
    messages.success(request, waits_for_approval())
    return redirect("reviews:rule", pk)


@require(Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
@require_POST
def decide(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Approve or decline the waiting request."""
    rule = rule_or_404(request, pk)
    try:
        rule_requests.decide(rule, **decision_in(request))
    except RuleRefusedError as error:
        messages.error(request, error.message)
        return redirect("reviews:rule", pk)
    say_decided(request)
    return redirect("reviews:rule", pk)

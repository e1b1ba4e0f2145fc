"""Approval rules: the current ones, a draft of new ones, and proposals that someone else decides."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.changes.rule_form import RuleForm
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, require
from console.web.kept_text import keep_text
from console.web.render import render_page
from console.web.shortened_lists import first_rows
from iam.changes.approval import proposals
from iam.changes.approval.models import RuleSet, RulesState
from iam.changes.approval.needs import rules_in_force
from iam.changes.approval.rule_names import names_for
from iam.changes.approval.rule_texts import applies_when, differences, lines_of
from iam.changes.approval.rules import MAX_STAGES, SHIPPED, ApprovalRule, problems_of
from iam.changes.errors import RefusedError
from iam.guard import Right

PAST_VERSIONS = 20
"""Maximum number of former versions and decided proposals listed."""
DECIDES = (Right.MANAGE_OPERATORS, Right.APPROVE_CHANGE)


@require_GET
@require(Right.SEE_ACCOUNT)
def rules(request: ViewerRequest) -> HttpResponse:
    """Show the current rules, who approved them, and former versions."""
    number, rules = rules_in_force()
    current = RuleSet.objects.filter(state=RulesState.ACTIVE).first()
    past = RuleSet.objects.filter(
        state__in=[RulesState.SUPERSEDED, RulesState.REJECTED, RulesState.WITHDRAWN]
    )
    context = {
        "number": number,
        "current": current,
        "cards": _cards(request, rules),
        "waiting": list(RuleSet.objects.filter(state=RulesState.PROPOSED).order_by("proposed_at")),
        "past": first_rows(request, past.order_by("-decided_at"), most=PAST_VERSIONS),
        "draft": _own_draft(request),
        "administers": _administers(request),
        "section": "rules",
    }
    return render_page(request, "changes/rules.html", context)


def _administers(request: ViewerRequest) -> bool:
    """Return whether the viewer can change the rules; they apply to all accounts, so this needs
    administration of all.
    """
    return request.at is None and request.viewer.may(Right.MANAGE_OPERATORS, account_id="")


def _cards(request: ViewerRequest, rules: tuple[ApprovalRule, ...]) -> list[dict[str, Any]]:
    names = names_for(rules, viewer=request.viewer)
    return [
        {"rule": rule, "when": applies_when(rule, names=names), "lines": lines_of(rule, names=names)[1:]}
        for rule in rules
    ]


def _own_draft(request: ViewerRequest) -> RuleSet | None:
    return RuleSet.objects.filter(author_id=request.viewer.person_id, state=RulesState.DRAFT).first()


def _draft_or_404(request: ViewerRequest) -> RuleSet:
    draft = _own_draft(request)
    if draft is None or not _administers(request):
        raise Http404
    return draft


@require_http_methods(["GET", "POST"])
@require(Right.MANAGE_OPERATORS)
@recently_authenticated
def draft(request: ViewerRequest) -> HttpResponse:
    """Show the viewer's draft and its differences; a POST starts one."""
    if not _administers(request):
        raise Http404
    if request.method == "POST":
        proposals.draft_of(request.viewer)
        return redirect("changes:rules-draft")
    if _own_draft(request) is None:
        return redirect("changes:rules")
    return _draft_page(request, _draft_or_404(request))


def _draft_page(
    request: ViewerRequest, mine: RuleSet, *, refused: RefusedError | None = None, reason: str = ""
) -> HttpResponse:
    _, before = rules_in_force()
    after = mine.rules
    names = names_for([*before, *after], viewer=request.viewer)
    context = {
        "draft": mine,
        "cards": _cards(request, after),
        "differences": differences(before, after, names=names),
        "problems": problems_of(after),
        "refused": refused,
        "reason": reason,
        "section": "rules",
    }
    status = 422 if refused else 200
    return render_page(request, "changes/rules_draft.html", context, status=status)


@require_http_methods(["GET", "POST"])
@require(Right.MANAGE_OPERATORS)
@recently_authenticated
def rule(request: ViewerRequest, key: str) -> HttpResponse:
    """Edit a rule of the draft; `new` adds one."""
    mine = _draft_or_404(request)
    rule = next((rule for rule in mine.rules if rule.key == key), None)
    if rule is None and key != "new":
        raise Http404
    form = RuleForm(request.POST or None, viewer=request.viewer, rule=rule)
    if request.method == "POST" and form.is_valid():
        rule_key = rule.key if rule else uuid.uuid4().hex[:12]
        written = form.rule(rule_key)
        if not written.stages:
            form.add_error(None, "Select who can approve in stage 1.")
        else:
            proposals.save_draft(mine, _replaced(mine.rules, written), actor=request.viewer)
            if request.POST.get("do") == "more" and len(written.stages) < MAX_STAGES:
                return redirect("changes:rule", key=written.key)
            return redirect("changes:rules-draft")
    title = rule.name if rule else "New rule"
    context = {"form": form, "rule": rule, "key": key, "title": title, "section": "rules"}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "changes/rule.html", context, status=status)


def _replaced(rules_now: tuple[ApprovalRule, ...], written: ApprovalRule) -> list[ApprovalRule]:
    """Return the rules with the edited one in place; a new one is inserted before the last, which applies to
    everything.
    """
    if all(before.key != written.key for before in rules_now):
        return [*rules_now[:-1], written, *rules_now[-1:]]
    rules: list[ApprovalRule] = []
    for before in rules_now:
        after = written if before.key == written.key else before
        rules.append(after)
    return rules


@require_POST
@require(Right.MANAGE_OPERATORS)
@recently_authenticated
def arrange(request: ViewerRequest) -> HttpResponse:
    """Move a rule of the draft up or down, or remove it."""
    mine = _draft_or_404(request)
    rules, do = list(mine.rules), request.POST.get("do", "")
    place = next((n for n, rule in enumerate(rules) if rule.key == request.POST.get("key", "")), None)
    if place is None or do not in ("up", "down", "remove"):
        raise Http404
    moved = rules.pop(place)
    if do != "remove":
        new_place = max(0, place - 1) if do == "up" else place + 1
        rules.insert(new_place, moved)
    proposals.save_draft(mine, rules, actor=request.viewer)
    return redirect("changes:rules-draft")


@require_POST
@require(Right.MANAGE_OPERATORS)
@recently_authenticated
def discard(request: ViewerRequest) -> HttpResponse:
    """Discard the draft."""
    proposals.throw_away(_draft_or_404(request), actor=request.viewer)
    messages.success(request, "Draft discarded. The rules didn’t change.")
    return redirect("changes:rules")


@require_POST
@require(Right.MANAGE_OPERATORS)
@recently_authenticated
def propose(request: ViewerRequest) -> HttpResponse:
    """Propose the draft as the new rules."""
    mine, reason = _draft_or_404(request), request.POST.get("reason", "")[:2000].replace("\x00", "")
    try:
        proposals.propose(mine, actor=request.viewer, reason=reason)
    except RefusedError as refused:
        return _draft_page(request, mine, refused=refused, reason=reason)
    if mine.state == RulesState.ACTIVE:
        messages.warning(request, "These rules are in effect now. No one else has reviewed them.")
        return redirect("changes:rules")
    messages.success(
        request, "Rules proposed. The current rules apply until another administrator approves them."
    )
    return redirect("changes:proposal", pk=mine.pk)


@require_GET
@require(Right.SEE_ACCOUNT)
def proposal(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the differences of a version of the rules, and how it was decided."""
    return _proposal_page(request, _proposal_or_404(pk))


def _proposal_or_404(pk: UUID) -> RuleSet:
    return get_object_or_404(RuleSet.objects.exclude(state=RulesState.DRAFT), pk=pk)


def _proposal_page(
    request: ViewerRequest, shown: RuleSet, *, refused: RefusedError | None = None, comment: str = ""
) -> HttpResponse:
    before = _base_of(shown)
    names = names_for([*before, *shown.rules], viewer=request.viewer)
    why_not = proposals.why_not_decide(shown, viewer=request.viewer)
    waits = request.at is None and shown.state == RulesState.PROPOSED
    if not waits or why_not:
        keep_text(request, comment)
    context = {
        "proposal": shown,
        "cards": _cards(request, shown.rules),
        "differences": differences(before, shown.rules, names=names),
        "why_not": why_not,
        "decides": waits and not why_not,
        "withdraws": waits and shown.author_id == request.viewer.person_id,
        "is_stale": waits and shown.base != rules_in_force()[0],
        "refused": refused,
        "comment": comment,
        "section": "rules",
    }
    status = 422 if refused else 200
    return render_page(request, "changes/proposal.html", context, status=status)


def _base_of(shown: RuleSet) -> tuple[ApprovalRule, ...]:
    rule_set = RuleSet.objects.filter(number=shown.base, number__gt=0).first()
    return rule_set.rules if rule_set else SHIPPED


@require_POST
@require(*DECIDES)
@recently_authenticated
def proposal_decide(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Approve, reject or withdraw a proposal."""
    shown, viewer = _proposal_or_404(pk), request.viewer
    comment = request.POST.get("comment", "")[:2000].replace("\x00", "")
    acts: dict[str, tuple[Callable[[], None], str]] = {
        "approve": (
            lambda: proposals.agree(shown, actor=viewer, comment=comment),
            "These rules are in effect now.",
        ),
        "reject": (lambda: proposals.refuse(shown, actor=viewer, comment=comment), "Rejected."),
        "withdraw": (lambda: proposals.take_back(shown, actor=viewer), "Withdrawn."),
    }
    act, done = acts.get(request.POST.get("decision", ""), (None, ""))
    try:
        if act is None:
            raise RefusedError("Choose Approve or Reject.")
        act()
    except RefusedError as refused:
        shown.refresh_from_db()
        return _proposal_page(request, shown, refused=refused, comment=comment)
    messages.success(request, done)
    return redirect("changes:proposal", pk=pk)

"""Reduces a grant before approval: fewer people, accounts, actions or resources, or a shorter duration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.access.grants.detail import acting_on, grant_context
from console.access.grants.ends import ends_choices, read_ends, until_text
from console.access.grants.labels import lasting, who_words
from console.access.grants.parts import parts_shown
from console.access.grants.preview import plan_context
from console.access.what import WhatState, is_its_own, posted, state_for, step_context, what_of
from console.web.access import ViewerRequest, require
from console.web.moments import zone_label
from console.web.render import is_fragment, render_page
from iam.access.drafts.terms import DATE, LASTS, NEVER, DraftEnds, with_end
from iam.access.grants.models import Grant
from iam.access.grants.plans import GrantPlan
from iam.access.grants.services import plan_reduced, reduce_grant
from iam.access.grants.services.rights import may_reduce
from iam.access.grants.terms import GrantTerms, TermsError, WhatKind
from iam.changes.errors import RefusedError
from iam.guard import Right
from iam.mirror.display_names import names_by_arn
from iam.mirror.models import Account

SEES: Final = (Right.REQUEST_CHANGE, Right.APPROVE_CHANGE)
AS_ASKED: Final = "asked"
WRITTEN: Final = frozenset({WhatKind.TEMPLATE, WhatKind.STATEMENTS})
"""Types of content that can be reduced; managed policies are given completely or not at all."""


@dataclass(frozen=True, slots=True)
class ReduceChoice:
    """A person or an account that can be left out."""

    value: str
    label: str
    is_kept: bool


@require_http_methods(["GET", "POST"])
@require(*SEES)
def reduce(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the request with parts to remove; `do=look` previews the rest, and `do=reduce` requests it
    instead.
    """
    grant = acting_on(request, pk)
    if may_reduce(grant, viewer=request.viewer):
        raise Http404
    asked = grant.agreed
    if request.method == "GET":
        return _page(request, grant, _ReduceForm(asked, state_for(asked.what), DraftEnds(AS_ASKED)))
    form = _ReduceForm.read(request, asked)
    if is_fragment(request):
        return render(request, "access/what/_what.html", {"what": _what(request, grant, form)})
    if is_its_own(request.POST):
        return _page(request, grant, form)
    try:
        terms = form.terms()
        if request.POST.get("do") == "reduce":
            reduce_grant(grant, terms=terms, actor=request.viewer, reason=request.POST.get("why", ""))
            return redirect("access:grant", pk=pk)
        plan = plan_reduced(grant, terms=terms, actor=request.viewer)
    except (RefusedError, TermsError) as error:
        return _page(request, grant, form, refused=error)
    return _page(request, grant, form, plan=plan)


@dataclass(frozen=True, slots=True)
class _ReduceForm:
    """The reduced request in the form; `asked` is the original request."""

    asked: GrantTerms
    state: WhatState
    ends: DraftEnds
    arns: tuple[str, ...] | None = None
    accounts: tuple[str, ...] | None = None

    @classmethod
    def read(cls, request: ViewerRequest, asked: GrantTerms) -> _ReduceForm:
        """Parse the form; only parts of the original request can be kept."""
        post = request.POST
        arns, accounts = set(post.getlist("arns")), set(post.getlist("accounts"))
        chosen = read_ends(post)
        what = posted(post, accounts=asked.accounts) if asked.what.kind in WRITTEN else state_for(asked.what)
        ends = DraftEnds(AS_ASKED) if post.get("ends") == AS_ASKED and not chosen.until else chosen
        return cls(
            asked,
            what,
            ends,
            tuple(arn for arn in asked.who.arns if arn in arns),
            tuple(account for account in asked.accounts if account in accounts),
        )

    @property
    def kept_arns(self) -> tuple[str, ...]:
        """Principals to keep."""
        return self.asked.who.arns if self.arns is None else self.arns

    @property
    def kept_accounts(self) -> tuple[str, ...]:
        """Accounts to keep; named people imply their own accounts."""
        if self.asked.who.arns:
            left = {arn.split(":")[4] for arn in self.kept_arns}
            return tuple(account for account in self.asked.accounts if account in left)
        return self.asked.accounts if self.accounts is None else self.accounts

    def terms(self) -> GrantTerms:
        """Return the reduced terms. Raises TermsError."""
        asked = self.asked
        if asked.who.arns and not self.kept_arns:
            raise TermsError("Keep at least one of them, or reject it.", part="who")
        if not self.kept_accounts:
            raise TermsError("Keep at least one account, or reject it.", part="accounts")
        # Unchanged parts stay exactly as requested.
        untouched = asked.what.kind not in WRITTEN or self.state.body == state_for(asked.what).body
        what = asked.what if untouched else what_of(self.state, accounts=self.kept_accounts)
        less = replace(
            asked, who=replace(asked.who, arns=self.kept_arns), what=what, accounts=self.kept_accounts
        )
        return less if self.ends.choice == AS_ASKED else with_end(less, self.ends)


def _what(request: ViewerRequest, grant: Grant, form: _ReduceForm) -> dict[str, Any]:
    return step_context(
        request,
        form.state,
        accounts=form.asked.accounts,
        url=reverse("access:grant-reduce", args=[grant.pk]),
        who=who_words(form.asked.who),
    )


def _page(
    request: ViewerRequest,
    grant: Grant,
    form: _ReduceForm,
    *,
    refused: RefusedError | TermsError | None = None,
    plan: GrantPlan | None = None,
) -> HttpResponse:
    parts = parts_shown(grant, viewer=request.viewer)
    context = grant_context(request, grant, parts) | {
        "address": reverse("access:grant-reduce", args=[grant.pk]),
        "people": _people(form),
        "places": _places(form),
        "what": _what(request, grant, form) if form.asked.what.kind in WRITTEN else None,
        "ends": _ends(form),
        "until": until_text(form.ends),
        "zone": zone_label(),
        "why": request.POST.get("why", "")[:2000],
        "refused": refused,
        "plan": None,
    }
    if plan is not None:
        context |= plan_context(request, plan)
    status = 422 if refused else 200
    return render_page(request, "access/grants/reduce.html", context, status=status)


def _people(form: _ReduceForm) -> list[ReduceChoice]:
    arns = form.asked.who.arns
    if len(arns) < 2:
        return []
    names = names_by_arn(arns)
    return [ReduceChoice(arn, names[arn], arn in form.kept_arns) for arn in arns]


def _places(form: _ReduceForm) -> list[ReduceChoice]:
    numbers = form.asked.accounts
    if len(numbers) < 2 or form.asked.who.arns:
        return []
    names = dict(Account.objects.filter(account_id__in=numbers).values_list("account_id", "name"))
    return [
        ReduceChoice(number, names.get(number, number), number in form.kept_accounts) for number in numbers
    ]


def _ends(form: _ReduceForm) -> list[dict[str, Any]]:
    """Return the original end and the shorter ones."""
    asked = form.asked
    label = lasting(asked.lasts) if asked.lasts else "as asked"
    first = {"value": AS_ASKED, "label": label, "is_chosen": form.ends.choice == AS_ASKED}
    longest = asked.lasts or None
    shorter = [
        choice
        for choice in ends_choices(form.ends, with_never=False)
        if choice["value"] in (DATE, NEVER)
        or longest is None
        or LASTS[choice["value"]][1].total_seconds() < longest
    ]
    return [first, *shorter]

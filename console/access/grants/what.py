"""The second step of the wizard: what is granted, until when and why."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from console.access.grants.ends import DEFAULT, check_ends, ends_choices, read_ends, until_text
from console.access.grants.labels import who_words
from console.access.grants.wizard import (
    address,
    draft_or_404,
    mistakes_of,
    step_pressed,
    wizard_context,
)
from console.access.what import WhatState, is_its_own, posted, state_for, step_context, what_of
from console.web.access import ViewerRequest, require
from console.web.moments import zone_label
from console.web.render import is_fragment, render_page
from iam.access.drafts import services
from iam.access.drafts.models import GrantDraft
from iam.access.drafts.terms import DraftEnds, accounts_of, who_of
from iam.access.drafts.terms import what_of as kept_what
from iam.access.grants.terms import MAX_WHY, TermsError, check_why
from iam.guard import Right

ENDS_HINT: Final = (
    "The time starts at approval. A policy that Gatehouse creates carries its own end date, so access ends "
    "even while Gatehouse is down."
)
SEES: Final = (Right.REQUEST_CHANGE, Right.SEE_SELF)


@require_http_methods(["GET", "POST"])
@require(*SEES)
def what_step(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the step; a POST is saved in the draft even if incomplete. `do=next` continues if it is
    complete.
    """
    draft = draft_or_404(request, pk)
    if draft.grant_id:
        return redirect("access:grant-done", pk=draft.pk)
    if draft._state.adding:
        return redirect(address(draft, "who"))
    accounts = accounts_of(draft.body, who_of(draft.body))
    if request.method == "GET":
        return _page(request, draft, _state(draft), accounts)
    state = posted(request.POST, accounts=accounts)
    _keep(request, draft, state, accounts)
    errors = _mistakes(draft, state, accounts) if request.POST.get("do") == "next" else {}
    if request.POST.get("do") == "next" and not errors and not is_its_own(request.POST):
        return redirect(address(draft, "preview"))
    do = request.POST.get("do", "")
    if goes_to := address(draft, "who") if do == "back" else step_pressed(draft, do):
        return redirect(goes_to)
    return _page(request, draft, state, accounts, errors=errors)


def _state(draft: GrantDraft) -> WhatState:
    """Return the state when the step was last left, or what another page preselected."""
    if "what_form" in draft.body:
        return WhatState.from_json(draft.body["what_form"])
    try:
        return state_for(kept_what(draft.body))
    except TermsError:
        return WhatState()


def _keep(request: ViewerRequest, draft: GrantDraft, state: WhatState, accounts: tuple[str, ...]) -> None:
    ends = read_ends(request.POST)
    try:
        what: dict[str, Any] | None = what_of(state, accounts=accounts).body
    except TermsError:
        what = None
    services.write(
        draft,
        what_form=state.body,
        what=what,
        ends=ends.choice,
        until=ends.until,
        why=request.POST.get("why", "").strip()[: MAX_WHY * 2],
    )


def _mistakes(draft: GrantDraft, state: WhatState, accounts: tuple[str, ...]) -> dict[str, str]:
    """Return what is missing or wrong, by part."""
    return mistakes_of(
        lambda: what_of(state, accounts=accounts).check(),
        lambda: check_ends(DraftEnds.from_json(draft.body)),
        lambda: check_why(str(draft.body.get("why", ""))),
    )


def _page(
    request: ViewerRequest,
    draft: GrantDraft,
    state: WhatState,
    accounts: tuple[str, ...],
    *,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    if not accounts and not request.viewer.may(Right.REQUEST_CHANGE):
        raise Http404
    ends, who = DraftEnds.from_json(draft.body), who_words(who_of(draft.body))
    shown_ends = ends if ends.choice else DraftEnds(DEFAULT)
    context = wizard_context(request, draft, "what") | {
        "address": address(draft, "what"),
        "what": step_context(
            request, state, accounts=accounts, url=address(draft, "what"), strict=bool(errors), who=who
        ),
        "who_said": who,
        "ends": ends_choices(shown_ends),
        "until": until_text(ends),
        "zone": zone_label(),
        "ends_hint": ENDS_HINT,
        "why": draft.body.get("why", ""),
        "errors": errors or {},
    }
    if is_fragment(request):
        return render(request, "access/what/_what.html", context)
    status = 422 if errors else 200
    return render_page(request, "access/grants/what.html", context, status=status)

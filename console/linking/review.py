"""The review of all matches on one page: deselect rows, choose where several people fit, confirm once."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, require, require_present
from console.web.render import render_page
from iam.guard import Right
from iam.linking.proposals import MOST, MatchRow, Review, link_many, review
from iam.linking.queries import CAP
from iam.linking.rights import may_link_any, may_rule

SAYS = (Right.MANAGE_OPERATORS, Right.SEE_TEAM)
SHOWN_REFUSALS = 10
NOTHING_CHOSEN = "No match is selected."


@require_http_methods(["GET", "POST"])
@require(*SAYS)
@recently_authenticated
def review_page(request: ViewerRequest) -> HttpResponse:
    """The page; posted, the selected matches are linked."""
    require_present(request)
    if not may_link_any(request.viewer):
        raise Http404
    if request.method == "GET":
        return _page(request)
    pairs, newcomers, errors = _posted(request)
    if errors or not (pairs or newcomers):
        return _page(request, errors=errors, error="" if errors else NOTHING_CHOSEN)
    done = link_many(
        request.viewer, pairs, newcomers=newcomers, why=request.POST.get("why", "").strip()[:1000]
    )
    if done.linked:
        users = "1 IAM user is" if done.linked == 1 else f"{done.linked} IAM users are"
        messages.success(request, f"{users} linked. Nothing changes in AWS.")
    for sentence in done.refused[:SHOWN_REFUSALS]:
        messages.error(request, sentence)
    if len(done.refused) > SHOWN_REFUSALS:
        messages.error(request, f"{len(done.refused) - SHOWN_REFUSALS} more IAM users were not linked.")
    return redirect("linking:review")


def _posted(request: ViewerRequest) -> tuple[dict[int, UUID], dict[int, str], dict[int, str]]:
    """The chosen person of each user, the names of new people, and what is wrong with these names."""
    pairs: dict[int, UUID] = {}
    newcomers: dict[int, str] = {}
    errors: dict[int, str] = {}
    for name, value in request.POST.items():
        act, _, number = name.partition("-")
        if not number.isdecimal() or len(number) > 18:
            continue
        pk = int(number)
        if act == "link" and (person := _uuid(str(value))) is not None:
            pairs[pk] = person
        elif act == "add":
            written = " ".join(request.POST.get(f"name-{pk}", "").split())[:128]
            if written:
                newcomers[pk] = written
            else:
                errors[pk] = "Enter the name of the person."
    return pairs, newcomers, errors


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _page(request: ViewerRequest, *, errors: dict[int, str] | None = None, error: str = "") -> HttpResponse:
    found = review(request.viewer)
    context = {
        "section": "links",
        "review": found,
        "proposed": [(row, _is_selected(request, row)) for row in found.proposed],
        "ambiguous": [(row, request.POST.get(f"link-{row.user.pk}", "")) for row in found.ambiguous],
        "newcomers": [_newcomer(request, row, errors or {}) for row in found.newcomers],
        "unmatched": _unmatched(found),
        "may_rule": may_rule(request.viewer),
        "whole": request.viewer.sees_accounts,
        "most": MOST,
        "why": request.POST.get("why", ""),
        "error": error,
    }
    return render_page(request, "linking/review.html", context, status=422 if errors or error else 200)


def _is_selected(request: ViewerRequest, row: MatchRow) -> bool:
    """Selected at first; after a refused form, as it was."""
    return request.method != "POST" or f"link-{row.user.pk}" in request.POST


def _newcomer(
    request: ViewerRequest, row: MatchRow, errors: dict[int, str]
) -> tuple[MatchRow, bool, str, str]:
    """The row, whether it is selected, the name in its field, and what is wrong with it."""
    pk = row.user.pk
    name = request.POST.get(f"name-{pk}", row.display)
    return row, f"add-{pk}" in request.POST, name, errors.get(pk, "")


def _unmatched(found: Review) -> str:
    return f"More than {CAP:,}" if found.unmatched >= CAP else f"{found.unmatched:,}"

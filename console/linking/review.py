"""Reviews all proposed matches, grouped by reason: select, choose between several people, and confirm
everything at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from console.linking.labels import unmatched_note
from console.linking.selection import ProposalSelection, SelectedUser
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, require, require_present
from console.web.known_facts import PartialCount
from console.web.render import render_page
from console.web.text import uuid_in
from iam.linking.proposals import (
    BATCH_SIZE,
    NEWCOMERS,
    SEVERAL,
    MatchRow,
    OwnerProposal,
    ProposalGroup,
    ProposalList,
    link_many,
    match_rows,
    review,
)
from iam.linking.queries import CAP
from iam.linking.rights import OWNER_RIGHTS, may_link_any, may_rule

PAGE: Final = 50
PREVIEW_REFUSALS: Final = 10
NOTHING_CHOSEN = "No match is selected."
CHANGED = "The matches changed since this page was shown. Look at the numbers, then confirm again."
NO_NAME = "Enter the name of the person."


@dataclass(frozen=True, slots=True)
class GroupShown:
    """A group in the list, with its number of selected users."""

    group: ProposalGroup
    selected: int
    is_here: bool


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A user on the page, and what is selected or entered for it."""

    row: MatchRow
    proposal: OwnerProposal
    is_selected: bool
    person: str = ""
    name: str = ""
    error: str = ""


@require_http_methods(["GET", "POST"])
@require(*OWNER_RIGHTS)
@recently_authenticated
def review_page(request: ViewerRequest) -> HttpResponse:
    """Show a page of a group (`group`, `page`); a POST saves the page's selection and runs the pressed
    button.
    """
    require_present(request)
    if not may_link_any(request.viewer):
        raise Http404
    current, selection = review(request.viewer), ProposalSelection.from_request(request)
    group = current.group(request.GET.get("group", ""))
    number = _number(request.GET.get("page", ""))
    if request.method == "GET":
        return _page(request, current, selection, group, number)
    shown = _take_over(request, current, selection)
    selection.keep(request, current)
    for act, is_on in (("all", True), ("none", False)):
        wanted = current.group(request.POST[act]) if act in request.POST else None
        if wanted is not None:
            selection.select_all(wanted, is_on=is_on)
            selection.keep(request, current)
            next_number = number if wanted == group else 1
            return redirect(_address(wanted, next_number))
    if "go" in request.POST:
        key, _, page = request.POST["go"].rpartition("~")
        return redirect(_address(current.group(key), _number(page)))
    is_same = shown is not None and selection.digest(current, but=shown) == request.POST.get("elsewhere", "")
    if not is_same:
        return _page(request, current, selection, group, number, error=CHANGED)
    return _confirm(request, current, selection, group, number)


def _confirm(
    request: ViewerRequest,
    current: ProposalList,
    selection: ProposalSelection,
    group: ProposalGroup | None,
    number: int,
) -> HttpResponse:
    """Link the selected users of all groups, up to the maximum per request; the rest stays selected."""
    chosen = list(chain.from_iterable(map(selection.chosen, current.groups)))
    if not chosen:
        return _page(request, current, selection, group, number, error=NOTHING_CHOSEN)
    names = _names(request, selection, [match for match in chosen if match.person is None])
    if nameless := next(
        (match for match in chosen if match.person is None and not names.get(match.user)), None
    ):
        newcomers = current.group(NEWCOMERS)
        page = _page_of(newcomers, nameless.user)
        return _page(request, current, selection, newcomers, page, errors={nameless.user: NO_NAME})
    batch = chosen[:BATCH_SIZE]
    pairs = {chosen.user: chosen.person for chosen in batch if chosen.person is not None}
    new = {chosen.user: names[chosen.user] for chosen in batch if chosen.person is None}
    done = link_many(request.viewer, pairs, newcomers=new, why=selection.why)
    if done.linked:
        users = "1 IAM user is" if done.linked == 1 else f"{done.linked:,} IAM users are"
        messages.success(request, f"{users} linked. Nothing changes in AWS.")
    if left := len(chosen) - len(batch):
        messages.info(request, f"{left:,} more selected matches are left. Confirm them next.")
    else:
        selection.why = ""
    for sentence in done.refused[:PREVIEW_REFUSALS]:
        messages.error(request, sentence)
    if len(done.refused) > PREVIEW_REFUSALS:
        messages.error(request, f"{len(done.refused) - PREVIEW_REFUSALS:,} more IAM users were not linked.")
    selection.keep(request, review(request.viewer))
    return redirect("linking:review")


def _take_over(
    request: ViewerRequest, current: ProposalList, selection: ProposalSelection
) -> set[int] | None:
    """Save the selection of the posted page, and return its users.

    Returns None if a proposal has changed since it was shown.
    """
    proposals = {}
    for group in current.groups:
        proposals.update({proposal.user: (group, proposal) for proposal in group.proposals})
    shown = {int(text) for text in request.POST.get("rows", "").split(",")[:PAGE] if _is_pk(text)}
    is_same = True
    for user in shown:
        if user not in proposals:
            is_same = is_same and not request.POST.get(f"link-{user}") and f"add-{user}" not in request.POST
            continue
        group, proposal = proposals[user]
        posted = request.POST.get(f"link-{user}", "")
        if group.key == SEVERAL:
            selection.people.pop(user, None)
            if (person := uuid_in(posted)) is not None:
                selection.people[user] = str(person)
        elif group.key == NEWCOMERS:
            selection.select(group, user, is_on=f"add-{user}" in request.POST)
            selection.names[user] = " ".join(request.POST.get(f"name-{user}", "").split())[:128]
        else:
            is_same = is_same and posted in ("", str(proposal.person))
            selection.select(group, user, is_on=bool(posted))
    selection.why = request.POST.get("why", "").strip()[:1000]
    return shown if is_same else None


def _names(
    request: ViewerRequest, selection: ProposalSelection, chosen: list[SelectedUser]
) -> dict[int, str]:
    """Return the names of new people: as entered, else from their tags."""
    names = {match.user: selection.names[match.user] for match in chosen if match.user in selection.names}
    untyped = [OwnerProposal(match.user) for match in chosen if match.user not in names]
    if untyped:
        for row in match_rows(request.viewer, untyped):
            names[row.user.pk] = row.display
    return names


def _page(
    request: ViewerRequest,
    current: ProposalList,
    selection: ProposalSelection,
    group: ProposalGroup | None,
    number: int,
    *,
    errors: dict[int, str] | None = None,
    error: str = "",
) -> HttpResponse:
    proposals = group.proposals if group else ()
    pages = max(1, -(-len(proposals) // PAGE))
    number = min(number, pages)
    shown = proposals[(number - 1) * PAGE : number * PAGE]
    rows = _rows(request, selection, group, shown, errors or {}) if group else []
    groups = [
        GroupShown(shown_group, selection.count(shown_group), shown_group == group)
        for shown_group in current.groups
    ]
    key = group.key if group else ""
    selected = sum(group.selected for group in groups)
    unsynced = unmatched_note(request)
    context: dict[str, Any] = {
        "section": "links",
        "groups": groups,
        "group": group,
        "rows": rows,
        "pks": ",".join(str(proposal.user) for proposal in shown),
        "elsewhere": selection.digest(current, but={proposal.user for proposal in shown}),
        "number": number,
        "pages": pages,
        "first": (number - 1) * PAGE + 1,
        "last": (number - 1) * PAGE + len(shown),
        "before": f"{key}~{number - 1}" if number > 1 else "",
        "after": f"{key}~{number + 1}" if number < pages else "",
        "selected": selected,
        "at_once": BATCH_SIZE if selected > BATCH_SIZE else 0,
        "unmatched": _unmatched(current, is_whole=not unsynced),
        "unsynced": unsynced,
        "may_rule": may_rule(request.viewer),
        "whole": request.viewer.sees_accounts,
        "why": selection.why,
        "error": error,
    }
    status = 422 if errors or error else 200
    return render_page(request, "linking/review.html", context, status=status)


def _rows(
    request: ViewerRequest,
    selection: ProposalSelection,
    group: ProposalGroup,
    shown: tuple[OwnerProposal, ...],
    errors: dict[int, str],
) -> list[ReviewRow]:
    rows = {row.user.pk: row for row in match_rows(request.viewer, shown)}
    return [
        ReviewRow(
            rows[proposal.user],
            proposal,
            selection.is_selected(group, proposal.user),
            person=selection.people.get(proposal.user, ""),
            name=selection.names.get(proposal.user, rows[proposal.user].display),
            error=errors.get(proposal.user, ""),
        )
        for proposal in shown
        if proposal.user in rows
    ]


def _address(group: ProposalGroup | None, page: int) -> str:
    """Return the address of a group's page."""
    query: dict[str, str | int] = {"group": group.key if group else "", "page": page}
    return f"{reverse('linking:review')}?{urlencode(query)}#rows"


def _page_of(group: ProposalGroup | None, user: int) -> int:
    users = [proposal.user for proposal in group.proposals] if group else []
    return users.index(user) // PAGE + 1 if user in users else 1


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1


def _is_pk(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


def _unmatched(current: ProposalList, *, is_whole: bool) -> str:
    return (
        f"More than {CAP:,}" if current.unmatched >= CAP else PartialCount(current.unmatched, is_whole).text
    )

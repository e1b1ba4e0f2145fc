"""What an offboarded person owns, and handing it over to someone who stays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.linking.named_owner import MAX_TEXT, MAX_WHY, team_names, text_in
from console.web.access import ViewerRequest, found_or_404, require, require_present
from console.web.render import render_page
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right
from iam.linking.known_owners import hand_over, owned_by_person, release_owned
from iam.people.offboarding.models import FINAL_STAGES, Leaver
from iam.people.offboarding.queries import leaver_for
from iam.people.offboarding.rules import is_about_oneself, may_act
from iam.phrases import counted


def owned_context(request: ViewerRequest, leaver: Leaver, *, acts: bool) -> dict[str, Any]:
    """Return what they still own and the viewer can hand over; {} for someone who changes team or
    returned.
    """
    if leaver.person_id is None or leaver.run.is_move or leaver.stage in FINAL_STAGES:
        return {}
    return {"owned": owned_by_person(request.viewer, leaver.person_id), "may_hand_over": acts}


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.REQUEST_CHANGE)
def hand_over_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Name the new owner of everything."""
    require_present(request)
    leaver = found_or_404(leaver_for(request.viewer, pk))
    acts = may_act(request.viewer, leaver) and not is_about_oneself(request.viewer, leaver)
    rows = owned_context(request, leaver, acts=acts).get("owned", [])
    if not acts or not rows:
        raise Http404
    is_release = request.POST.get("decision") == "nobody"
    error, text = "", text_in(request, "owner", MAX_TEXT)
    if request.method == "POST":
        try:
            words = _decided(request, leaver, text)
        except DirectoryRuleError as refusal:
            error = str(refusal)
        else:
            messages.success(request, words)
            return redirect("offboarding:leaver", pk=pk)
    context = {
        "leaver": leaver,
        "rows": rows,
        "text": text,
        "error": "" if is_release else error,
        "why_error": error if is_release else "",
        "why": text_in(request, "why", MAX_WHY),
        "hint": "The name of a team, or the email address of a person.",
        "team_names": team_names(request.viewer),
        "section": "leaving",
    }
    status = 422 if error else 200
    return render_page(request, "offboarding/hand_over.html", context, status=status)


def _decided(request: ViewerRequest, leaver: Leaver, text: str) -> str:
    """Hand over, or record that there is no owner, and return a message. Raises DirectoryRuleError."""
    why = text_in(request, "why", MAX_WHY)
    if request.POST.get("decision") == "nobody":
        count = release_owned(request.viewer, leaver.person_id, why=why)
        items = counted(count, "item")
        return f"{items} left without an owner. The finding “No owner known” lists what is still used."
    count = hand_over(request.viewer, leaver.person_id, text, why=why or leaver.run.reference)
    return f"{counted(count, 'item')} handed over to {text}. Nothing changes in AWS."

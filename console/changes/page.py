"""Code shared by the pages of a change and of its request: loading it, and common context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode

from console.changes.access_rows import texts_of
from console.changes.act_text import lint_of, text_shown
from console.changes.approval_context import deciding_context
from console.changes.impact_rows import level_shown
from console.changes.presenters import MARKS, call_rows, lines_of, slowness
from console.changes.receipt import receipt_context, without_new_names
from console.changes.seals import seal_context
from console.changes.subject import about_of, subject_openable
from console.changes.trail_records import with_trail_records
from console.changes.weights import weight_of_request
from console.web.access import ViewerRequest, found_or_404, layout_for, require_present
from console.web.moments import input_text, zone_label
from iam.access.grants.queries import grant_for
from iam.audit.reviews.models import OF_REVIEW
from iam.audit.reviews.queries import find_campaign
from iam.changes import services
from iam.changes.approval import ends
from iam.changes.approval.needs import is_grave, risk_of
from iam.changes.models import Approval, Change, ChangeEvent, ChangeSet, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.operations.policy_version import DefaultText
from iam.changes.queries import visible_changes
from iam.changes.runner.calls import left_aws_alone
from iam.changes.set_state import standing_of_counts
from iam.changes.summary import blocks_of
from iam.changes.titles import partly_hidden, references_of, title_of
from iam.changes.undone import NOTHING_UNDONE, Undoing, undoings_of, undone_parts_of
from iam.guard import Right, Viewer
from iam.people.moving.queries import move_for
from iam.people.offboarding import queries as offboardings
from iam.people.onboarding import queries as onboardings
from iam.people.rotation.models import OF_ROTATION
from iam.people.rotation.queries import visible_rotations

SEES = (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)


def change_or_404(request: ViewerRequest, pk: UUID) -> Change:
    """Return the change. Raises Http404 if the viewer can’t see it."""
    visible = visible_changes(request.viewer).select_related("account", "change_set", "entity", "reverts")
    return get_object_or_404(visible, pk=pk)


def acting_on(request: ViewerRequest, pk: UUID) -> Change:
    """Return the change to act on; a past moment can only be viewed."""
    require_present(request)
    return change_or_404(request, pk)


def first_of(request: ViewerRequest, pk: UUID) -> Change:
    """Return the first visible change of the request to which a change belongs.

    The change itself may be hidden, so that a link to a request works for everyone who sees a part of it.
    Raises Http404 if the viewer sees nothing of it.
    """
    change_set = Change.objects.filter(pk=pk).values("change_set")
    seen = visible_changes(request.viewer).filter(change_set__in=change_set).order_by("position")
    return found_or_404(seen.select_related("account", "change_set", "entity", "reverts").first())


def is_single(change: Change) -> bool:
    """Return whether the change is the only one of its request."""
    return not Change.objects.filter(change_set=change.change_set_id).exclude(pk=change.pk).exists()


def address_of(change: Change) -> str:
    """Return the address of the change's request."""
    name = "changes:change" if is_single(change) else "changes:request"
    return reverse(name, args=[change.pk])


def undone_reference(change: Change, *, parts: int) -> str:
    """Return the reference of the undone change, or of its request if the undo has several `parts`; "" if it
    undoes nothing.
    """
    reverted = change.reverts
    if reverted is None:
        return ""
    return references_of([reverted])[reverted.change_set_id] if parts > 1 else reverted.reference


def _undoings(of: Sequence[Change], *, viewer: Viewer) -> list[tuple[Undoing, str]]:
    """Return the requests that undo some of these changes, newest first, each with its reference."""
    undoings = undoings_of(of, viewer=viewer)
    references = references_of([undoing.change for undoing in undoings])
    return [(undoing, references[undoing.change.change_set_id]) for undoing in undoings]


def page_context(
    request: ViewerRequest, shown: Change, events: list[ChangeEvent], *, of_request: bool = False
) -> dict[str, Any]:
    """Return the context shared by the pages of a change and of its set (`of_request`)."""
    viewer = request.viewer
    now = request.at is None
    deciding = deciding_context(request, shown)
    decides = deciding["decides"]
    open_to = subject_openable(shown, viewer=viewer)
    parts = list(
        visible_changes(viewer)
        .filter(change_set=shown.change_set)
        .select_related("account")
        .order_by("position")
    )
    asks = viewer.may(Right.REQUEST_CHANGE, account_id=shown.account.account_id)
    operation = restore(shown.operation, account=shown.account, params=shown.params)
    about = policy_context(operation, before=shown.before)
    is_partial = bool(partly_hidden([shown.change_set_id], viewer=viewer))
    together = shown.change_set.receipt
    if is_partial:
        together = without_new_names(together)
    end = ends.end_of(shown.change_set)
    concerned = parts if of_request else [shown]
    counts = Counter(part.state for part in parts)
    undone = undone_parts_of([shown.change_set_id], viewer=viewer).get(shown.change_set_id, NOTHING_UNDONE)
    return (
        receipt_context(
            shown.receipt,
            account=shown.account,
            request=request,
            together=together,
        )
        | about
        | deciding
        | seal_context(request, concerned)
        | {
            "change": shown,
            "is_partial": is_partial,
            "title": title_of(shown, is_partial=is_partial),
            "reference": references_of([shown])[shown.change_set_id],
            "undoings": _undoings(concerned, viewer=viewer),
            "undone": undone,
            "undone_words": undone.words if of_request else undone.words_of(shown.pk),
            "undoes_reference": undone_reference(shown, parts=len(parts)),
            "blocks": []
            if is_partial
            else blocks_of(shown.change_set.summary, plain=not viewer.sees_accounts),
            "ends_at": end,
            "lasts": ends.lasts_of([shown.change_set]).get(shown.change_set_id, ""),
            "weight": weight_of_request(shown, is_planned=standing_of_counts(counts).is_only_planned),
            "nothing_done": left_aws_alone(concerned),
            "is_grave": is_grave(shown),
            "risk": level_shown(risk_of(shown)),
            "until_label": f"Ends ({zone_label()})",
            "ends_input": input_text(end) if end else "",
            "viewer_sees_all": all(viewer.scope.sees_account(part.account.account_id) for part in parts),
            "mark": MARKS[shown.state],
            "account": shown.account,
            "calls": with_trail_records(
                call_rows(shown.calls, partition=shown.account.partition),
                account_id=shown.account.account_id,
                viewer=viewer,
            ),
            "about": about_of(shown, open_to=open_to),
            "lines": lines_of(shown, events, decides=decides),
            "approvals": list(Approval.objects.filter(change_set=shown.change_set).order_by("id")),
            "parts": parts,
            "made_for": _made_for(shown.change_set, viewer=viewer)
            if not is_partial or shown.requested_by == viewer.person_id
            else None,
            "is_slow": bool(slowness(shown)),
            "withdraws": now
            and shown.requested_by == viewer.person_id
            and shown.state in (ChangeState.AWAITING, ChangeState.QUEUED),
            "looks_again": now
            and shown.state == ChangeState.UNKNOWN
            and (asks or viewer.may(Right.APPROVE_CHANGE, account_id=shown.account.account_id)),
            "why_not_undo": services.why_not_undo(shown, viewer=viewer)
            if now and asks and shown.state == ChangeState.APPLIED
            else "",
            "undoes": now and asks and any(change.state == ChangeState.APPLIED for change in concerned),
            "layout": layout_for(viewer),
            "section": "approvals" if decides else "changes",
        }
    )


_MADE_FOR: Final = {
    "grant": ("access:grant", "a grant"),
    "onboarding": ("onboarding:run", "an onboarding"),
    "moving": ("moving:move", "a change of team"),
    "leaving": ("offboarding:run", "an offboarding"),
    "suspension": ("offboarding:run", "a suspension"),
    OF_REVIEW: ("reviews:campaign", "a review"),
}
"""Cause of a request → URL name and label of its page."""


_OPENS: Final[Mapping[str, Callable[[Viewer, UUID], object]]] = {
    "grant": lambda viewer, pk: grant_for(viewer, pk=pk),
    "onboarding": onboardings.run_for,
    "moving": move_for,
    "leaving": offboardings.run_for,
    "suspension": offboardings.run_for,
    OF_REVIEW: find_campaign,
}
"""Cause of a request → function that returns the cause if the viewer can see it, so that no link leads to a
404.
"""


def _made_for(change_set: ChangeSet, *, viewer: Viewer) -> dict[str, str] | None:
    """Return the page of the request's cause, if the viewer can open it.

    Members can open only grants; team leads can open all.
    """
    if change_set.cause_kind == OF_ROTATION:
        return _rotation_of(change_set, viewer=viewer)
    kind = "grant" if change_set.cause_kind.startswith("grant") else change_set.cause_kind
    page, text = _MADE_FOR.get(kind, ("", ""))
    if not page or change_set.cause_id is None:
        return None
    if kind != "grant" and layout_for(viewer) != "base.html" and not viewer.leads:
        return None
    if not viewer.scope.sees_everything and not _OPENS[kind](viewer, change_set.cause_id):
        return None
    return {"url": reverse(page, args=[change_set.cause_id]), "text": text}


def _rotation_of(change_set: ChangeSet, *, viewer: Viewer) -> dict[str, str] | None:
    """Return the key rotation of a request, or the list of rotations that were started together."""
    batch = change_set.cause_id
    if batch is None:
        return None
    rotations = visible_rotations(viewer).filter(run=batch).values_list("pk", flat=True)
    first = rotations.first()
    if first is None:
        return None
    if rotations.count() == 1:
        return {"url": reverse("keys:rotation", args=[first]), "text": "a key rotation"}
    query = urlencode({"batch": str(batch)})
    return {"url": f"{reverse('keys:rotations')}?{query}", "text": "key rotations"}


def policy_context(operation: Operation, *, before: dict[str, Any]) -> dict[str, Any]:
    """Return the texts of the changed policy before and after, with lint findings."""
    if not isinstance(operation, DefaultText):
        return text_shown(operation, before=before) | lint_of([operation])
    return {"texts": texts_of(before=before, after=operation.text)} | lint_of([operation])

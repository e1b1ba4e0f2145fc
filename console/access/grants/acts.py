"""Pages to extend, shorten, end, retry or withdraw a grant; each explains the effect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from console.access.grants.detail import acting_on, grant_context, refused
from console.access.grants.ends import ends_choices, read_ends, until_text
from console.access.grants.parts import parts_shown
from console.web.access import ViewerRequest, require
from console.web.kept_text import keep_text
from console.web.moments import zone_label
from console.web.render import render_page
from iam.access.drafts import services as drafts
from iam.access.drafts.terms import DraftEnds, body_of
from iam.access.grants.hidden_recipients import hidden_holders
from iam.access.grants.models import Grant, GrantState
from iam.access.grants.services import (
    end_grant,
    extend_grant,
    request_cut,
    retry_failed,
    shorten_grant,
    withdraw_grant,
)
from iam.access.grants.services.new_end import WrongEndError
from iam.access.grants.services.revoke_sessions import roles_of
from iam.access.grants.services.rights import (
    may_act,
    may_ask_again,
    may_end,
    may_extend,
    may_retry,
    may_shorten,
)
from iam.access.grants.terms import TermsError
from iam.changes.errors import RefusedError
from iam.guard import Right

SEES: Final = (Right.REQUEST_CHANGE, Right.APPROVE_CHANGE, Right.SEE_SELF)
LONGER: Final = "1d"


@require_http_methods(["GET", "POST"])
@require(*SEES)
def end(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """End a grant now; the page first shows what will be removed."""
    grant = acting_on(request, pk)
    if why := may_end(grant, viewer=request.viewer):
        return _not_now(request, grant, why)
    error = None
    if request.method == "POST":
        try:
            end_grant(grant, actor=request.viewer, reason=request.POST.get("why", ""))
            return redirect("access:grant", pk=pk)
        except RefusedError as why_not:
            error = why_not
    words = {
        "label": "End now",
        "question": f"End {grant.reference} now?",
        "button": "End grant",
        "is_danger": True,
    }
    return _page(request, grant, words, name="end", error=error)


@require_http_methods(["GET", "POST"])
@require(*SEES)
def extend(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Request more time, which needs approval like a new grant."""
    grant = acting_on(request, pk)
    if why := may_extend(grant, viewer=request.viewer, again=request.method == "POST"):
        return _not_now(request, grant, why, extends=True)
    error: RefusedError | TermsError | None = None
    ends = read_ends(request.POST) if request.method == "POST" else DraftEnds(LONGER)
    if request.method == "POST":
        try:
            extend_grant(
                grant,
                actor=request.viewer,
                reason=request.POST.get("why", ""),
                idempotency_key=_key(request),
                **ends.fields(),
            )
            return redirect("access:grant", pk=pk)
        except (RefusedError, TermsError) as why_not:
            error = why_not
    words = {
        "label": "Extend",
        "question": f"Extend {grant.reference}?",
        "button": "Request extension",
        "ends": ends_choices(ends, with_never=False),
        "ends_label": "Extend by",
        "until": until_text(ends),
        "zone": zone_label(),
        "hint": (
            "Added to the current end, or choose a later date. The current end applies until the extension "
            "is approved."
        ),
    }
    return _page(request, grant, words, name="extend", error=error)


def _not_now(request: ViewerRequest, grant: Grant, why: str, *, extends: bool = False) -> HttpResponse:
    """Answer a request for an action that isn’t possible now.

    A GET, such as from a mail or an old tab, is redirected to the grant; a POST shows the grant with the
    reason. Raises Http404 for viewers who can never take this action.
    """
    if not may_act(grant, viewer=request.viewer, extends=extends):
        raise Http404
    if request.method == "GET":
        return redirect("access:grant", pk=grant.pk)
    keep_text(request, request.POST.get("why", ""))
    return refused(request, grant.pk, RefusedError(why))


def _key(request: ViewerRequest) -> str:
    """Return the form's idempotency key, so that a form sent twice makes one request."""
    return request.POST.get("key", "")[:36] or str(uuid4())


@require_http_methods(["GET", "POST"])
@require(*SEES)
def shorten(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Let a grant end earlier; this needs no approval, because it gives less than was approved."""
    grant = acting_on(request, pk)
    if why := may_shorten(grant, viewer=request.viewer):
        return _not_now(request, grant, why)
    error: RefusedError | TermsError | None = None
    ends = read_ends(request.POST) if request.method == "POST" else DraftEnds("1h")
    if request.method == "POST":
        try:
            until = _moment(ends)
            shorten_grant(grant, until=until, actor=request.viewer, reason=request.POST.get("why", ""))
            return redirect("access:grant", pk=pk)
        except (RefusedError, TermsError) as why_not:
            error = why_not
    at_most = grant.ends_at - datetime.now(tz=UTC) if grant.ends_at else None
    words = {
        "label": "Shorten",
        "question": f"End {grant.reference} earlier?",
        "button": "Shorten grant",
        "ends": ends_choices(ends, with_never=False, at_most=at_most),
        "ends_label": "New end",
        "until": until_text(ends),
        "zone": zone_label(),
        "hint": (
            "Counted from now, or choose an earlier date. This needs no approval, because it gives less "
            "than was approved."
        ),
    }
    return _page(request, grant, words, name="shorten", error=error)


def _moment(ends: DraftEnds) -> datetime:
    """Return the new end. Raises TermsError."""
    chosen = ends.fields()
    until: datetime | None = chosen.get("until")
    return until or datetime.now(tz=UTC) + timedelta(seconds=int(chosen["lasts"]))


def _page(
    request: ViewerRequest,
    grant: Grant,
    words: dict[str, Any],
    *,
    name: str,
    error: RefusedError | TermsError | None = None,
) -> HttpResponse:
    hidden = hidden_holders(grant, viewer=request.viewer)
    parts = parts_shown(grant, viewer=request.viewer, hidden=hidden)
    context = (
        grant_context(request, grant, parts, hidden=hidden)
        | {
            "address": reverse(f"access:grant-{name}", args=[grant.pk]),
            "key": request.POST.get("key", "")[:36] or uuid4(),
            "why": request.POST.get("why", "")[:2000],
            **_errors(request, error),
        }
        | words
    )
    status = 422 if error else 200
    return render_page(request, "access/grants/act.html", context, status=status)


def _errors(request: ViewerRequest, error: RefusedError | TermsError | None) -> dict[str, Any]:
    """Return the errors at their fields, and those of the whole form."""
    errors: dict[str, str] = {}
    if error is not None and not request.POST.get("why", "").strip():
        errors["why"] = "Enter a reason. The people with access and auditors read it."
    if isinstance(error, WrongEndError) or (isinstance(error, TermsError) and error.part == "until"):
        errors["until"] = error.message
    return {"errors": errors, "refused": None if errors else error}


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def cut(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Request to end running sessions of the roles that the grant opened, for one person or all.

    The request needs approval like any change.
    """
    grant = acting_on(request, pk)
    part = get_object_or_404(
        grant.parts.select_related("grant", "account"),
        pk=number,
        state__in=(GrantState.ENDED, GrantState.ENDING),
    )
    roles = roles_of(part)
    allowed = request.viewer.may(Right.REQUEST_CHANGE, account_id=part.account.account_id)
    if not roles or not allowed:
        raise Http404
    error, whose = None, request.POST.get("whose", "").strip()[:64]
    if request.method == "POST":
        try:
            made = request_cut(
                part,
                actor=request.viewer,
                reason=request.POST.get("why", ""),
                idempotency_key=_key(request),
                source_identity=whose,
            )
            return redirect("changes:request", pk=made[0].pk)
        except RefusedError as why_not:
            error = why_not
    names = ", ".join(role.name for role in roles)
    words = {
        "label": "End running sessions",
        "question": f"End the running sessions of {names}?",
        "asks_whose": True,
        "whose": whose,
        "button": "Request to end sessions",
        "whose_hint": (
            "Ends only the sessions with this source identity. It can’t be changed during a session. Leave "
            "it blank to end all sessions."
        ),
        "address": reverse("access:grant-cut", args=[grant.pk, part.pk]),
        "warning": "Without a source identity, everyone who uses the role is signed out of it, not only the "
        "people "
        "of this grant. "
        "The request names them before anyone approves it.",
    }
    return _page(request, grant, words, name="end", error=error)


@require_POST
@require(*SEES)
def withdraw(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Withdraw the viewer's own request while it waits."""
    grant = acting_on(request, pk)
    if grant.requested_by != request.viewer.person_id:
        raise Http404
    try:
        withdraw_grant(grant, actor=request.viewer)
    except RefusedError as error:
        return refused(request, pk, error)
    return redirect("access:grant", pk=pk)


@require_POST
@require(*SEES)
def retry(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Retry what failed in each account, exactly as approved."""
    grant = acting_on(request, pk)
    if why := may_retry(grant, viewer=request.viewer):
        return _not_now(request, grant, why)
    try:
        retry_failed(grant, actor=request.viewer)
    except RefusedError as error:
        return refused(request, pk, error)
    return redirect("access:grant", pk=pk)


@require_POST
@require(Right.REQUEST_CHANGE, Right.SEE_SELF)
def again(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Start a draft with the terms of a grant, which stays unchanged.

    A past end date, and a duration that the form doesn’t offer, must be chosen again.
    """
    grant = acting_on(request, pk)
    if not may_ask_again(grant, viewer=request.viewer):
        raise Http404
    draft = drafts.open_draft(request.viewer, uuid4())
    assert draft is not None
    body = body_of(grant.agreed)
    if grant.agreed.until and grant.agreed.until <= datetime.now(tz=UTC):
        body |= {"ends": "", "until": ""}
    drafts.write(draft, **body)
    following = "access:grant-preview" if body["ends"] else "access:grant-what"
    return redirect(following, pk=draft.pk)

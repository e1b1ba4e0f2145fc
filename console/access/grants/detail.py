"""The page of a grant: terms, status per account, history and actions; updates while the grant changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.access.grants.effect_blocks import (
    accounts_of_terms,
    effect_context,
    effect_heading,
    end_of,
    end_of_terms,
)
from console.access.grants.labels import others_too, what_words, who_words
from console.access.grants.marks import ALTERED, marks_of
from console.access.grants.parts import GrantParts, one_part, parts_shown
from console.access.grants.presenters import MOVING, events_of, pace_of, used_of, version_of
from console.access.grants.wizard import draft_or_404, wizard_context
from console.changes.approval_context import deciding_context
from console.web.access import ViewerRequest, layout_for, require, require_present
from console.web.moments import left_text, moment_text
from console.web.render import is_fragment, render_live, render_page
from iam.access.grants.grant_use import grant_use
from iam.access.grants.hidden_recipients import hidden_holders, seen_holders
from iam.access.grants.models import GIVING, Grant, GrantPreparation, GrantState
from iam.access.grants.owners import may_name_grant_owner, owner_of_grant
from iam.access.grants.queries import parts_of, visible_grants
from iam.access.grants.services.rights import GrantRights, allowed, may_ask_again, may_hand_over
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.queries import visible_changes, waiting_for
from iam.directory.approval_words import someone_else
from iam.guard import Right, Viewer
from iam.mirror.display_names import names_by_arn
from iam.phrases import counted

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
NAMED: Final = 3
PROBLEMS: Final = 12
PAGE: Final = 100
"""Permissions per page of an account."""


@dataclass(frozen=True, slots=True)
class ActLink:
    """A link to an action that the viewer can take."""

    label: str
    url: str
    icon: str
    is_danger: bool = False


def grant_or_404(request: ViewerRequest, pk: UUID) -> Grant:
    """Return the grant. Raises Http404 if the viewer can’t see it."""
    return get_object_or_404(visible_grants(request.viewer), pk=pk)


def acting_on(request: ViewerRequest, pk: UUID) -> Grant:
    """Return the grant to act on; a past moment can only be viewed."""
    require_present(request)
    return grant_or_404(request, pk)


@never_cache
@require_GET
@require(*SEES)
def grant(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the grant.

    A polling request (`seen`) gets the live part, 204 if nothing changed, or 286 to stop polling.
    """
    grant = grant_or_404(request, pk)
    return _live_part(request, grant, template="access/grants/one.html", more=_acts(request, grant))


@never_cache
@require_GET
@require(Right.REQUEST_CHANGE, Right.SEE_SELF)
def done_step(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the progress of a requested grant under the address of its draft."""
    draft = draft_or_404(request, pk)
    if draft.grant_id is None:
        return redirect("access:grant-preview", pk=draft.pk)
    grant = grant_or_404(request, draft.grant_id)
    link = request.build_absolute_uri(reverse("access:grant", args=[grant.pk]))
    asked = _waiting_facts(request, grant)
    more = wizard_context(request, draft, "done") | {
        "address": reverse("access:grant-done", args=[draft.pk]),
        "link": link,
        "following": next_steps(grant, calls=asked.get("call_count", 0), closes=asked.get("closes")),
        "is_stored": False,
        **asked,
    }
    return _live_part(request, grant, template="access/grants/done.html", more=more)


def _waiting_facts(request: ViewerRequest, grant: Grant) -> dict[str, Any]:
    """Return, for a waiting grant, the approvers, the number of calls, and when the request expires."""
    change = _change_to_decide(request.viewer, grant) if grant.state == GrantState.WAITING else None
    if change is None:
        return {}
    context = deciding_context(request, change)
    names = ("stages", "need_words", "rule_names", "stage_notes", "call_count", "closes")
    return {name: context[name] for name in names if name in context}


def _live_part(request: ViewerRequest, grant: Grant, *, template: str, more: dict[str, Any]) -> HttpResponse:
    hidden = hidden_holders(grant, viewer=request.viewer)
    parts = _parts(request, grant, hidden)
    pace = pace_of(grant)
    version = version_of(grant, parts)
    if pace and is_fragment(request) and request.GET.get("seen") == version:
        return HttpResponse(status=204)
    context = grant_context(request, grant, parts, hidden=hidden)
    context |= more
    context["version"] = version
    is_use_shown = not hidden and request.at is None
    context["use"] = grant_use(grant) if is_use_shown else None
    return render_live(request, template, context, pace=pace)


def _parts(request: ViewerRequest, grant: Grant, hidden: Collection[str]) -> GrantParts:
    """Return the accounts for the address, filtered by state and starting after a position."""
    after, state = request.GET.get("after", ""), request.GET.get("state", "")
    shown_state = state if state in set(GrantState) else ""
    after_number = int(after) if after.isdecimal() and len(after) < 6 else -1
    return parts_shown(
        grant,
        viewer=request.viewer,
        hidden=hidden,
        state=shown_state,
        after=after_number,
    )


@never_cache
@require_GET
@require(*SEES)
def part(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Show a grant in one account: its holders, its changes, and the proof of removal."""
    grant = grant_or_404(request, pk)
    which = next((part for part in parts_of(grant, viewer=request.viewer) if part.pk == number), None)
    if which is None:
        raise Http404
    hidden = hidden_holders(grant, viewer=request.viewer)
    after = request.GET.get("after", "")
    after_number = int(after) if after.isdecimal() and len(after) < 19 else 0
    shown, following = one_part(
        grant,
        which,
        viewer=request.viewer,
        hidden=hidden,
        after=after_number,
        most=PAGE,
    )
    context = {
        "grant": grant,
        "shown": shown,
        "following": following,
        "is_first": not after,
        "is_alone": True,
        "cuts_sessions": request.viewer.may(Right.REQUEST_CHANGE),
        "section": "grants",
        "layout": layout_for(request.viewer),
    }
    return render_page(request, "access/grants/part.html", context)


def grant_context(
    request: ViewerRequest, part: Grant, parts: GrantParts, *, hidden: Collection[str] = ()
) -> dict[str, Any]:
    """Return the context of all pages of a grant; holders in `hidden`, whom the viewer can’t see, are only
    counted.
    """
    terms = part.agreed
    places = [part.account for part in parts.all] or accounts_of_terms(terms)
    end = end_of(part)
    own = list(names_by_arn(seen_holders(part, hidden=hidden)).values()) if hidden else []
    waits = part.state == GrantState.WAITING
    decide = _change_to_decide(request.viewer, part) if waits else None
    can = allowed(part, viewer=request.viewer)
    now = request.at is None
    who = who_words(terms.who) if not hidden else others_too(own, len(hidden))
    mark = marks_of([part])[part.pk]
    is_altered = mark is ALTERED
    return {
        "grant": part,
        "terms": terms,
        "mark": mark,
        "moves": part.state in MOVING,
        "parts": parts.shown,
        "rows": parts.rows,
        "part_count": len(parts.all) or len(terms.accounts),
        "is_unplanned": not parts.all,
        **problems_of(part),
        "asks_again": now and may_ask_again(part, viewer=request.viewer),
        "counts": parts.counts,
        "following_parts": parts.following,
        "places": [part.account.name for part in parts.all[:NAMED]],
        "more_places": max(0, len(parts.all) - NAMED),
        "events": events_of(part, parts, viewer=request.viewer),
        "who_words": who,
        "what_words": what_words(terms.what),
        "end": end,
        "left": left_text(part.ends_at) if part.ends_at and part.state in GIVING else "",
        **effect_context(request.viewer, terms, accounts=places, end=end),
        "effect_heading": effect_heading(part, who=who, is_altered=is_altered),
        "is_altered": is_altered,
        "extension_url": _extension_url(request.viewer, part),
        "text_of_what": terms.what.documents if request.viewer.sees_accounts else (),
        "used": used_of(part, now=datetime.now(tz=UTC)),
        "withdraws": now and not can.withdraw,
        "handover_url": _handover_url(request.viewer, part),
        "decide_url": reverse("changes:request", args=[decide.pk]) if decide else "",
        "decides": decide is not None and waiting_for(request.viewer).filter(pk=decide.pk).exists(),
        "section": "grants",
        "layout": layout_for(request.viewer),
    }


def _extension_url(viewer: Viewer, grant: Grant) -> str:
    """Return the address of a requested extension that isn’t done; "" if there is none or the viewer can’t
    see it.
    """
    sets = grant.parts.filter(extending_set__isnull=False).values("extending_set")
    first = visible_changes(viewer).filter(change_set__in=sets).order_by("position").first()
    return reverse("changes:request", args=[first.pk]) if first else ""


def _handover_url(viewer: Viewer, grant: Grant) -> str:
    """Return the address of a partner's hand-over sheet; "" if there is none or the viewer can’t see it."""
    return reverse("access:grant-handover", args=[grant.pk]) if may_hand_over(grant, viewer=viewer) else ""


def problems_of(grant: Grant) -> dict[str, Any]:
    """Return the first problems of a grant that could not be requested."""
    if grant.state != GrantState.REFUSED:
        return {}
    rows = GrantPreparation.objects.filter(pk=grant.pk).values_list("problems", flat=True)
    row = list(rows.first() or ())
    return {"problems": row[:PROBLEMS], "more_problems": max(0, len(row) - PROBLEMS)}


def _change_to_decide(viewer: Viewer, grant: Grant) -> Change | None:
    """Return the first change of the grant's set, on whose page it is approved."""
    sets = grant.parts.values("change_set")
    return visible_changes(viewer).filter(change_set__in=sets, position=0).order_by("created_at").last()


def _acts(request: ViewerRequest, grant: Grant) -> dict[str, Any]:
    can = allowed(grant, viewer=request.viewer)
    now, names = request.at is None, may_name_grant_owner(request.viewer, grant)
    return {
        "acts": links_of(grant, can) if now else [],
        "cuts_sessions": request.viewer.may(Right.REQUEST_CHANGE),
        "retries": now and not can.retry,
        "reduces": now and not can.reduce,
        "owner_known": owner_of_grant(grant) if now else None,
        "owner_url": reverse("access:grant-owner", args=[grant.pk]) if now and names else "",
    }


def links_of(grant: Grant, can: GrantRights) -> list[ActLink]:
    """Return links to the actions that the viewer can take."""
    links = []
    if not can.extend:
        links.append(ActLink("Extend", reverse("access:grant-extend", args=[grant.pk]), "timer"))
    if not can.shorten and grant.state != GrantState.WAITING:
        links.append(ActLink("Shorten", reverse("access:grant-shorten", args=[grant.pk]), "calendar-clock"))
    if not can.end:
        links.append(ActLink("End now", reverse("access:grant-end", args=[grant.pk]), "ban", is_danger=True))
    return links


def refused(request: ViewerRequest, pk: UUID, error: RefusedError) -> HttpResponse:
    """Show the current page with the reason why an action was refused."""
    grant = grant_or_404(request, pk)
    hidden = hidden_holders(grant, viewer=request.viewer)
    parts = _parts(request, grant, hidden)
    context = (
        grant_context(request, grant, parts, hidden=hidden)
        | _acts(request, grant)
        | {"pace": "", "refused": error}
    )
    return render_page(request, "access/grants/one.html", context, status=422)


def next_steps(grant: Grant, *, calls: int = 0, closes: datetime | None = None) -> list[tuple[str, str, str]]:
    """Return (step, icon, note) for each certain next step."""
    if grant.is_over:
        return []
    steps = []
    if grant.state == GrantState.PREPARING:
        steps.append(
            (
                "Gatehouse plans the request for each account",
                "list-checks",
                "It is submitted for all accounts, or not at all.",
            )
        )
    if grant.state in (GrantState.PREPARING, GrantState.WAITING):
        note = "The approver can reduce the request, but not extend it."
        note += f" Without a decision it expires on {moment_text(closes)}." if closes else ""
        steps.append((f"{someone_else()} approves", "hourglass", note))
    if grant.state in (GrantState.PREPARING, GrantState.WAITING, GrantState.APPLYING):
        made = f"Gatehouse makes {counted(calls, 'AWS call')}" if calls else "Gatehouse changes AWS"
        steps.append((f"{made} and checks the result", "play", ""))
    terms = grant.agreed
    if terms.lasts:
        note = (
            "The requester and the people with access are notified before it ends. They can request an "
            "extension."
        )
        steps.append((f"Access lasts {end_of_terms(terms).words.removeprefix('for ')}", "timer", note))
    if terms.ends:
        steps.append((_how_it_ends(grant), "minus", ""))
    return steps


def _how_it_ends(grant: Grant) -> str:
    """Return how the grant ends: AWS ends policies with an end date, and Gatehouse ends everything else."""
    plans = list(grant.parts.values_list("plan", flat=True)[:200])
    if any(plan.get("ends_only") for plan in plans):
        return "Access ends: Gatehouse removes it"
    return "Access ends: AWS stops it, and Gatehouse removes what is left"

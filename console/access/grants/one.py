"""One grant: its terms, how it stands in each account, what happened to it, and what one may do about it; live while it moves."""

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

from console.access.grants.shown import (
    MOVING,
    PartShown,
    events_of,
    mark_of,
    pace_of,
    parts_shown,
    used_of,
    version_of,
)
from console.access.grants.wizard import draft_or_404, wizard_context
from console.access.grants.words import ends_of, others_too, what_words, who_words
from console.web.access import ViewerRequest, layout_for, require
from console.web.render import is_fragment, render_page
from iam.access.grants.hidden import hidden_holders
from iam.access.grants.models import Grant, State
from iam.access.grants.queries import visible_grants
from iam.access.grants.services.rights import Allowed, allowed
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.queries import visible_changes, waiting_for
from iam.guard import Right, Viewer

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
STOP: Final = 286
"""The status by which htmx stops to ask."""


@dataclass(frozen=True, slots=True)
class ActLink:
    """One thing that the viewer may do about it."""

    label: str
    url: str
    icon: str
    is_danger: bool = False


def grant_or_404(request: ViewerRequest, pk: UUID) -> Grant:
    """The grant, if the viewer may see it; else 404, as though there were none."""
    return get_object_or_404(visible_grants(request.viewer), pk=pk)


def acting_on(request: ViewerRequest, pk: UUID) -> Grant:
    """The grant to act on; the past is only looked at."""
    if request.at is not None:
        raise Http404
    return grant_or_404(request, pk)


@never_cache
@require_GET
@require(*SEES)
def grant(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """The page; asked by itself (`seen`), only its live part, 204 while nothing is new and 286 when nothing more comes."""
    found = grant_or_404(request, pk)
    return _live(request, found, template="access/grants/one.html", more=_acts(request, found))


@never_cache
@require_GET
@require(Right.REQUEST_CHANGE, Right.SEE_SELF)
def done_step(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """What became of what was asked for, live, under the link of the draft."""
    draft = draft_or_404(request, pk)
    if draft.grant_id is None:
        return redirect("access:grant-preview", pk=draft.pk)
    found = grant_or_404(request, draft.grant_id)
    link = request.build_absolute_uri(reverse("access:grant", args=[found.pk]))
    more = wizard_context(request, draft, "done") | {
        "address": reverse("access:grant-done", args=[draft.pk]),
        "link": link,
        "following": following(found),
        "is_stored": False,
    }
    return _live(request, found, template="access/grants/done.html", more=more)


def _live(request: ViewerRequest, found: Grant, *, template: str, more: dict[str, Any]) -> HttpResponse:
    hidden = hidden_holders(found, viewer=request.viewer)
    parts, pace = parts_shown(found, viewer=request.viewer, hidden=hidden), pace_of(found)
    version = version_of(found, parts)
    if is_fragment(request) and request.GET.get("seen") == version and pace:
        return HttpResponse(status=204)
    context = (
        grant_context(request, found, parts, hidden=hidden)
        | more
        | {
            "pace": pace,
            "version": version,
            "is_update": is_fragment(request),
        }
    )
    status = STOP if is_fragment(request) and not pace else 200
    return render_page(request, template, context, partial="live", status=status)


def grant_context(
    request: ViewerRequest, found: Grant, parts: list[PartShown], *, hidden: Collection[str] = ()
) -> dict[str, Any]:
    """What every page of a grant says of it; of those who are `hidden` from the viewer, how many they are."""
    terms = found.agreed
    own = list(dict.fromkeys(entry.holder for one in parts for entry in one.entries))
    waits = found.state == State.WAITING
    decide = _change_to_decide(request.viewer, found) if waits else None
    can = allowed(found, viewer=request.viewer)
    now = request.at is None
    return {
        "grant": found,
        "terms": terms,
        "mark": mark_of(found),
        "moves": found.state in MOVING,
        "parts": parts,
        "events": events_of(found, parts),
        "who_words": who_words(terms.who) if not hidden else others_too(own, len(hidden)),
        "what_words": what_words(terms.what),
        "ends_words": ends_of(terms),
        "text_of_what": terms.what.documents if request.viewer.sees_accounts else (),
        "used": used_of(found, now=datetime.now(tz=UTC)),
        "withdraws": now and not can.withdraw,
        "decide_url": reverse("changes:change", args=[decide.pk]) if decide else "",
        "decides": decide is not None and waiting_for(request.viewer).filter(pk=decide.pk).exists(),
        "section": "grants",
        "layout": layout_for(request.viewer),
    }


def _change_to_decide(viewer: Viewer, found: Grant) -> Change | None:
    """The first change of its set, on whose page it is decided."""
    sets = found.parts.values("change_set")
    return visible_changes(viewer).filter(change_set__in=sets, position=0).order_by("created_at").last()


def _acts(request: ViewerRequest, found: Grant) -> dict[str, Any]:
    can = allowed(found, viewer=request.viewer)
    now = request.at is None
    return {
        "acts": links_of(found, can) if now else [],
        "cuts_sessions": request.viewer.may(Right.REQUEST_CHANGE),
        "retries": now and not can.retry,
        "reduces": now and not can.reduce,
    }


def links_of(found: Grant, can: Allowed) -> list[ActLink]:
    """The pages on which the viewer may do something about it."""
    links = []
    if not can.extend:
        links.append(ActLink("Extend", reverse("access:grant-extend", args=[found.pk]), "timer"))
    if not can.shorten and found.state != State.WAITING:
        links.append(ActLink("Shorten", reverse("access:grant-shorten", args=[found.pk]), "calendar-clock"))
    if not can.end:
        links.append(ActLink("End now", reverse("access:grant-end", args=[found.pk]), "ban", is_danger=True))
    return links


def refused(request: ViewerRequest, pk: UUID, error: RefusedError) -> HttpResponse:
    """The page as it stands now, with the reason."""
    found = grant_or_404(request, pk)
    hidden = hidden_holders(found, viewer=request.viewer)
    parts = parts_shown(found, viewer=request.viewer, hidden=hidden)
    context = (
        grant_context(request, found, parts, hidden=hidden)
        | _acts(request, found)
        | {"pace": "", "refused": error}
    )
    return render_page(request, "access/grants/one.html", context, status=422)


def following(found: Grant) -> list[tuple[str, str, str]]:
    """What comes next, as far as it is sure: (what, icon, note)."""
    if found.is_over:
        return []
    steps = []
    if found.state == State.WAITING:
        steps.append(("Somebody else approves", "hourglass", "They may reduce it, never widen anything."))
    if found.state in (State.WAITING, State.APPLYING):
        steps.append(("Gatehouse changes AWS, and reads it back", "play", ""))
    terms = found.agreed
    if terms.lasts:
        steps.append((f"It lasts {ends_of(terms)}", "timer", "Extending is a new request."))
    if terms.ends:
        steps.append(("It ends, and Gatehouse takes it away", "minus", ""))
    return steps

"""Request access: paste an AWS error message, see what is missing or denied, and request the smallest grant
that helps.
"""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from console.access.grants.ends import DEFAULT, check_ends, ends_choices, read_ends, until_text
from console.access.grants.request_address import GrantQuestion, own_users, read_address, read_text
from console.access.grants.wizard import mistakes_of
from console.access.what.state import WhatState
from console.web.access import ViewerRequest, layout_for, require, require_present
from console.web.moments import zone_label
from console.web.render import is_fragment, render_page
from iam.access.denied.answer import DenialRemedy
from iam.access.drafts import services
from iam.access.drafts.terms import DraftEnds
from iam.access.grants.phrases import duration
from iam.access.grants.queries import often_given
from iam.access.grants.terms import WhoKind, check_why
from iam.access.templates.queries import OfferedTemplate, offered_templates
from iam.guard import Right
from iam.mirror.models import Entity
from iam.policy.request import PrincipalKind
from iam.policy.sentences import sentences_of

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
MAX_MEANINGS: Final = 20


@require_http_methods(["GET", "POST"])
@require(*SEES)
def ask(request: ViewerRequest) -> HttpResponse:
    """Show the page.

    A pasted message is parsed, then redirected to an address without the message, which may contain secrets.
    """
    require_present(request)
    if request.method == "GET":
        return _page(request, read_address(request, request.GET))
    if request.POST.get("do") == "ask":
        return _go_on(request)
    asking = read_text(request, request.POST.get("message", ""))
    if asking.errors or asking.denied is None or not asking.denied.action:
        return _page(request, asking)
    return redirect(f"{reverse('access:ask')}{asking.query}")


def _go_on(request: ViewerRequest) -> HttpResponse:
    """Put the proposal into a draft and show its effect; everything is calculated again from the form."""
    asking = read_address(request, request.POST)
    ends, why = read_ends(request.POST), request.POST.get("why", "").strip()
    answer = asking.answer
    if answer is None or answer.document is None or asking.who is None:
        return _page(request, asking, ends=ends, why=why)
    asking.errors |= mistakes_of(
        lambda: check_ends(ends), lambda: check_why(why, readers="The approver reads it.")
    )
    if asking.errors:
        return _page(request, asking, ends=ends, why=why)
    draft = services.open_draft(request.viewer, uuid4())
    assert draft is not None
    kind = WhoKind.USERS if asking.who.kind is PrincipalKind.USER else WhoKind.ROLE
    arn = asking.who.arn if kind is WhoKind.USERS else _role_arn(asking)
    services.write(
        draft,
        kind=kind.value,
        who={kind.value: {"arns": [arn]}},
        what={"kind": "statements", "documents": [json.dumps(answer.document)]},
        ends=ends.choice,
        until=ends.until,
        why=why,
        asked=str(asking.query),
    )
    return redirect("access:grant-preview", pk=draft.pk)


def _role_arn(asking: GrantQuestion) -> str:
    """Return the ARN of the role behind a session, since a session has the permissions of its role."""
    assert asking.who is not None
    return Entity.objects.values_list("arn", flat=True).get(pk=asking.who.number)


def _page(
    request: ViewerRequest, asking: GrantQuestion, *, ends: DraftEnds | None = None, why: str = ""
) -> HttpResponse:
    answer = asking.answer
    names = request.viewer.sees_accounts
    context: dict[str, Any] = {
        "asking": asking,
        "found": answer,
        "is_helped": answer is not None and answer.document is not None,
        "lead": LEADS[answer.outcome] if answer else "",
        "document": json.dumps(answer.document, indent=2) if answer and answer.document else "",
        "smallest": sentences_of(answer.document, account_id=_account_of(asking))
        if answer and answer.document
        else (),
        "is_plain": not names,
        "ends": ends_choices(ends or DraftEnds(DEFAULT), with_never=names),
        "until": until_text(ends) if ends else "",
        "zone": zone_label(),
        "why": why,
        "writes": asking.denied is not None or bool(asking.errors and "message" not in asking.errors),
        "for_others": request.viewer.may(Right.REQUEST_CHANGE),
        "may_mean": _may_mean(asking),
        "more_meanings": max(0, len(asking.denied.may_mean) - MAX_MEANINGS) if asking.denied else 0,
        "often": _often() if asking.own else [],
        "section": "ask",
        "layout": layout_for(request.viewer),
    }
    status = 422 if asking.errors and not is_fragment(request) else 200
    return render_page(request, "access/grants/ask.html", context, status=status)


def _account_of(asking: GrantQuestion) -> str:
    return asking.who.account if asking.who else ""


def _often() -> list[tuple[OfferedTemplate, str]]:
    """Return the most requested templates that are offered, each with its suggested duration."""
    offers_by_slug = {offer.slug: offer for offer in offered_templates()}
    shown = [offers_by_slug[slug] for slug in often_given() if slug in offers_by_slug]
    return [(offer, duration(offer.body.hours * 3600) if offer.body.hours else "") for offer in shown]


def _may_mean(asking: GrantQuestion) -> list[tuple[str, str]]:
    """Return (action, address) for actions that a call without a service name can mean, up to
    MAX_MEANINGS.
    """
    denied = asking.denied
    if denied is None or denied.action or not denied.may_mean:
        return []
    base = asking.query
    return [
        (action, f"{reverse('access:ask')}{base.with_values(action=action)}")
        for action in denied.may_mean[:MAX_MEANINGS]
    ]


LEADS: Final = {
    DenialRemedy.ALREADY: "This access already exists",
    DenialRemedy.DEPENDS: "A grant doesn’t change this",
    DenialRemedy.HELPS: "A grant solves this",
    DenialRemedy.HELPS_IF: "A grant is needed, but may not be enough",
    DenialRemedy.NO_GRANT: "A grant can’t solve this",
}


@require_POST
@require(*SEES)
def ask_from_template(request: ViewerRequest) -> HttpResponse:
    """Start a draft for the viewer's own user at step “what”; `template` preselects a template."""
    require_present(request)
    own = own_users(request.viewer)
    chosen = [entity for entity in own if str(entity.pk) in request.POST.getlist("user")] or own[:1]
    draft = services.open_draft(request.viewer, uuid4())
    if not chosen or draft is None:
        raise Http404
    who = {WhoKind.USERS.value: {"arns": [entity.arn for entity in chosen]}}
    slug = request.POST.get("template", "")
    is_offered = slug and any(offer.slug == slug for offer in offered_templates())
    what = {"what_form": WhatState(template=slug).body} if is_offered else {}
    services.write(draft, kind=WhoKind.USERS.value, who=who, **what)
    return redirect("access:grant-what", pk=draft.pk)

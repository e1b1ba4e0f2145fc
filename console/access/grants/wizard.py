"""Code shared by the wizard's steps: the draft, the row of steps, and common context."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from console.access.forms.resource import resource_problem
from console.access.grants.labels import what_words, who_words
from console.web.access import ViewerRequest, entity_or_404, layout_for, require, require_present
from iam.access.actions import ActionsError, select_actions
from iam.access.denied.answer import smallest
from iam.access.drafts import services
from iam.access.drafts.models import GrantDraft
from iam.access.drafts.receivers import KINDS
from iam.access.drafts.terms import what_of, who_of
from iam.access.grants.terms import TermsError, WhatKind, WhoKind
from iam.guard import Right
from iam.mirror.models import Entity

MAX_LENGTH: Final = 2048
STEPS: Final = (("who", "Who"), ("what", "What"), ("preview", "Preview"), ("done", "Submit"))
HEADINGS: Final = {True: "Grant access", False: "Request access"}
PARTS: Final = {"who": "who", "accounts": "who", "what": "what", "until": "what", "why": "what"}
"""Part of the terms with an error → the step where it is fixed."""


STEP_FORMS: Final = {"who": "who", "what": "what-step"}
"""Step with inputs → the form whose buttons lead to other steps, so that no input is lost."""
GO: Final = "to-"


@dataclass(frozen=True, slots=True)
class WizardStep:
    """A step in the row of steps; `url` is set if it can be opened."""

    name: str
    label: str
    url: str
    said: str
    is_done: bool
    is_current: bool


def draft_or_404(request: ViewerRequest, pk: UUID) -> GrantDraft:
    """Return the viewer's draft, blank if nothing was saved yet.

    Raises Http404 at a past moment, and for drafts about other people if the viewer can only request access
    for themselves.
    """
    draft = services.open_draft(request.viewer, pk) if request.at is None else None
    if draft is None or not (request.viewer.may(Right.REQUEST_CHANGE) or is_about_oneself(draft, request)):
        raise Http404
    return draft


def is_about_oneself(draft: GrantDraft, request: ViewerRequest) -> bool:
    """Return whether only the viewer's own users are receivers."""
    who = who_of(draft.body)
    return who.kind is WhoKind.USERS and bool(who.arns) and set(who.arns) <= request.viewer.scope.user_arns


def address(draft: GrantDraft, step: str) -> str:
    """Return the address of a step."""
    return reverse(f"access:grant-{step}", args=[draft.pk])


def step_pressed(draft: GrantDraft, do: str) -> str:
    """Return the address of the step whose button was pressed; "" for any other button."""
    name = do.removeprefix(GO) if do.startswith(GO) else ""
    return address(draft, name) if name in ("who", "what", "preview") else ""


def step_of(error: TermsError) -> str:
    """Return the step where an error is fixed."""
    return PARTS.get(error.part, "who")


def mistakes_of(*checks: Callable[[], object]) -> dict[str, str]:
    """Run each check of the terms, and return what is wrong by part."""
    mistakes: dict[str, str] = {}
    for check in checks:
        try:
            check()
        except TermsError as error:
            mistakes.setdefault(error.part, error.message)
    return mistakes


def steps(draft: GrantDraft, current: str) -> list[WizardStep]:
    """Return the row of steps; earlier steps and completed ones can be opened."""
    texts = {"who": who_words(who_of(draft.body)), "what": _what_said(draft)}
    names = [name for name, _ in STEPS]
    here = names.index(current)
    steps_shown = []
    for place, (name, label) in enumerate(STEPS):
        is_open = name != current and name != "done" and (place < here or bool(texts.get(name)))
        url = address(draft, name) if is_open else ""
        summary = texts.get(name, "") if place <= here or is_open else ""
        steps_shown.append(
            WizardStep(
                name,
                label,
                url,
                summary,
                is_done=place < here or name == current == "done",
                is_current=name == current,
            )
        )
    return steps_shown


def _what_said(draft: GrantDraft) -> str:
    try:
        what = what_of(draft.body)
    except TermsError:
        return ""
    return what_words(what) if what else ""


def wizard_context(request: ViewerRequest, draft: GrantDraft, current: str) -> dict[str, Any]:
    """Return the context that every step needs."""
    asks_for_others = request.viewer.may(Right.REQUEST_CHANGE)
    shown = steps(draft, current)
    return {
        "draft": draft,
        "steps": shown if asks_for_others else shown[1:],
        "heading": HEADINGS[asks_for_others],
        "layout": layout_for(request.viewer),
        "step_form": STEP_FORMS.get(current, ""),
        "section": "grants" if asks_for_others else "ask",
        "discard_url": reverse("access:grant-discard", args=[draft.pk]),
        "is_stored": not draft._state.adding,
    }


@require_GET
@require(Right.REQUEST_CHANGE)
def begin(request: ViewerRequest) -> HttpResponse:
    """Start a draft with its own address; nothing is stored until something is entered. `?for=` preselects a
    receiver.
    """
    require_present(request)
    pk = uuid4()
    start = reverse("access:grant-who", args=[pk])
    number = request.GET.get("for", "")
    if not number:
        return redirect(start)
    entity = _entity(request, number)
    kind = next((kind for kind, of in KINDS.items() if of == entity.kind), WhoKind.USERS)
    return redirect(f"{start}?kind={kind}&add={entity.pk}")


@require_POST
@require(Right.REQUEST_CHANGE)
def begin_with(request: ViewerRequest) -> HttpResponse:
    """Start a draft with one preselected action on a resource; the next step is the receiver."""
    action, resource = (request.POST.get(name, "").strip()[:MAX_LENGTH] for name in ("action", "resource"))
    try:
        meaning = select_actions(action, resource=resource or "*")
    except ActionsError:
        raise Http404 from None
    draft = services.open_draft(request.viewer, uuid4()) if request.at is None else None
    if draft is None or not meaning.is_one or (resource and resource_problem(resource)):
        raise Http404
    text = json.dumps(smallest(meaning.actions[0], resource or "*"))
    services.write(draft, what={"kind": WhatKind.STATEMENTS.value, "documents": [text]})
    return redirect(address(draft, "who"))


def _entity(request: ViewerRequest, number: str) -> Entity:
    if not number.isdecimal() or len(number) > 18:
        raise Http404
    return entity_or_404(request.viewer, int(number), kinds=KINDS.values())


@require_POST
@require(Right.REQUEST_CHANGE, Right.SEE_SELF)
def discard(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Delete a draft; a grant that was requested with it remains."""
    services.discard(draft_or_404(request, pk))
    following = "access:grants" if request.viewer.may(Right.REQUEST_CHANGE) else "access:ask"
    return redirect(following)

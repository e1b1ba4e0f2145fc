"""Request to add a user to a group or to remove one: choose, preview, give the reason."""

from __future__ import annotations

from typing import Any, Literal

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.changes.approval_context import need_context
from console.changes.forms import ReasonForm
from console.changes.receipt import receipt_context
from console.web.access import ViewerRequest, entity_or_404, require
from console.web.render import render_page
from iam.changes import services
from iam.changes.choices import Choices, groups_for, users_for
from iam.changes.errors import RefusedError
from iam.changes.receipts import set_receipt_of
from iam.guard import Right
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import Entity, Kind

Do = Literal["add", "remove"]


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def membership(request: ViewerRequest) -> HttpResponse:
    """The page of a membership that is, or shall be; the address says whose, in which group, and which
    way.
    """
    user, group = _entity(request, "user", Kind.USER), _entity(request, "group", Kind.GROUP)
    do: Do = "remove" if request.GET.get("do") == "remove" else "add"
    if request.at is not None:
        return _render(request, "changes/membership_past.html", user, group, do, {})
    if user is None and group is None:
        return redirect("identities:people")
    if user is None or group is None:
        return _choose(request, user=user, group=group, do=do)
    if request.method == "POST":
        return _ask(request, user=user, group=group, do=do)
    return _preview(request, user=user, group=group, do=do, form=ReasonForm.blank())


def _entity(request: ViewerRequest, name: str, kind: Kind) -> Entity | None:
    """What the address names, if the viewer may see it; else 404."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise Http404
    return entity_or_404(request.viewer, int(text), kinds=[kind])


def _choose(request: ViewerRequest, *, user: Entity | None, group: Entity | None, do: Do) -> HttpResponse:
    text = request.GET.get("q", "")[:200]
    if user:
        choices = groups_for(request.viewer, user=user, do=do, text=text)
    elif group:
        choices = users_for(request.viewer, group=group, do=do, text=text)
    else:
        choices = Choices([], has_more=False)
    names = names_by_entity(choice.entity for choice in choices.rows)
    context = {
        "choices": [(choice, names[choice.entity.pk]) for choice in choices.rows],
        "has_more": choices.has_more,
        "q": text,
    }
    return _render(request, "changes/membership_choose.html", user, group, do, context, partial="choices")


def _preview(
    request: ViewerRequest,
    *,
    user: Entity,
    group: Entity,
    do: Do,
    form: ReasonForm,
    refused: RefusedError | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "refused": refused}
    try:
        plan = services.plan_membership(request.viewer, user=user, group=group, do=do)
    except RefusedError as error:
        context["refused"] = refused or error
    else:
        together = set_receipt_of([plan.operation])
        context |= receipt_context(
            plan.receipt.body, account=user.account, request=request, together=together
        )
        context |= need_context(request, [plan], together=together)
    status = 422 if refused or form.errors else 200
    return _render(request, "changes/membership.html", user, group, do, context, status=status)


def _ask(request: ViewerRequest, *, user: Entity, group: Entity, do: Do) -> HttpResponse:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _preview(request, user=user, group=group, do=do, form=form)
    try:
        change = services.request_membership(
            request.viewer,
            user=user,
            group=group,
            do=do,
            reason=form.cleaned_data["reason"],
            idempotency_key=str(form.cleaned_data["key"]),
        )
    except RefusedError as error:
        return _preview(request, user=user, group=group, do=do, form=form, refused=error)
    return redirect("changes:change", pk=change.pk)


def _title(user: Entity, group: Entity, do: Do) -> str:
    """As the request will be called."""
    return f"Add {user.name} to {group.name}" if do == "add" else f"Remove {user.name} from {group.name}"


def _render(
    request: ViewerRequest,
    template: str,
    user: Entity | None,
    group: Entity | None,
    do: Do,
    context: dict[str, Any],
    *,
    partial: str = "",
    status: int = 200,
) -> HttpResponse:
    entity = user or group
    frame = {
        "user": user,
        "user_name": names_by_entity([user])[user.pk] if user else "",
        "group": group,
        "do": do,
        "title": _title(user, group, do) if user and group else "",
        "account": entity.account if entity else None,
        "section": "people" if user else "groups",
    }
    return render_page(request, template, frame | context, partial=partial, status=status)

"""Ask for a change of somebody's credentials: look at what it does and whether it can be undone, say why."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.changes.actions.credentials import CREDENTIAL_QUESTIONS
from console.changes.approval_context import need_context
from console.changes.forms import CredentialForm
from console.changes.receipt import receipt_context
from console.web.access import ViewerRequest, entity_or_404, layout_for, require, require_present
from console.web.render import render_page
from iam.changes import services
from iam.changes.credential_acts import Asked, kind_of, operation_of
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.operations.sealed_secret import Recipient, seal_id
from iam.changes.receipts import set_receipt_of
from iam.changes.services.requests import request_operation
from iam.guard import Right
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import Entity, Kind
from iam.people.rotation.own import may_request_for_own, requester_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What the address names: the act, whose, and perhaps which credential."""

    act: str
    user: Entity
    one: Entity | None

    @property
    def query(self) -> str:
        """As the address has it."""
        return f"do={self.act}&" + (f"of={self.one.pk}" if self.one else f"user={self.user.pk}")


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE, Right.SEE_SELF)
def credential(request: ViewerRequest) -> HttpResponse:
    """The page of an act on credentials; `do` says which, `user` or `of` (a credential) whose."""
    require_present(request)
    wish = _wish(request)
    is_own = may_request_for_own(request.viewer, act=wish.act, user=wish.user)
    if not is_own and not request.viewer.may(Right.REQUEST_CHANGE):
        raise Http404
    if request.method == "GET":
        fields = {"key": uuid.uuid4(), "service": request.GET.get("service", "")[:64]}
        return _page(request, wish, CredentialForm(initial=fields), fields=fields)
    form = CredentialForm(request.POST)
    is_whole = form.is_valid()
    fields = {
        "key": form.cleaned_data.get("key"),
        **{n: form.cleaned_data.get(n, "") for n in ("service", "body")},
    }
    if "look" in request.POST:
        typed = {**fields, "reason": request.POST.get("reason", "")[:1000]}
        return _page(request, wish, CredentialForm(initial=typed), fields=fields)
    if not is_whole:
        return _page(request, wish, form, fields=fields, status=422)
    viewer, cause = requester_of(request.viewer, act=wish.act, user=wish.user)
    try:
        change = request_operation(
            viewer,
            operation=_operation(request, wish, fields),
            reason=form.cleaned_data["reason"],
            idempotency_key=str(form.cleaned_data["key"]),
            cause=cause,
        )
    except RefusedError as refused:
        return _page(request, wish, form, fields=fields, refused=refused, status=422)
    return redirect("changes:change", pk=change.pk)


def _wish(request: ViewerRequest) -> Wish:
    """What the address names, if the viewer may see it; else 404."""
    act = request.GET.get("do", "")
    try:
        kind = kind_of(act)
    except KeyError:
        raise Http404 from None
    if kind is None:
        return Wish(act, _user(request, _number(request, "user")), None)
    owners = Entity.objects.filter(pk=_number(request, "of"), kind=kind, gone_at__isnull=True)
    entity = owners.select_related("owner", "account").first()
    if entity is None or entity.owner_id is None:
        raise Http404
    return Wish(act, _user(request, entity.owner_id), entity)


def _number(request: ViewerRequest, name: str) -> int:
    text = request.GET.get(name, "")
    if not text.isdecimal() or len(text) > 18:
        raise Http404
    return int(text)


def _user(request: ViewerRequest, pk: int) -> Entity:
    return entity_or_404(request.viewer, pk, kinds=[Kind.USER])


def _operation(request: ViewerRequest, wish: Wish, fields: dict[str, Any]) -> Operation:
    viewer = request.viewer
    asked = Asked(
        user=wish.user,
        credential=wish.one,
        recipient=Recipient(viewer.person_id, viewer.name),
        sealed_id=seal_id(person_id=viewer.person_id, key=str(fields["key"])),
        fields=fields,
    )
    return operation_of(wish.act, asked)


def _page(
    request: ViewerRequest,
    wish: Wish,
    form: CredentialForm,
    *,
    fields: dict[str, Any],
    refused: RefusedError | None = None,
    says_errors: bool = True,
    status: int = 200,
) -> HttpResponse:
    what = CREDENTIAL_QUESTIONS.get(wish.act)
    is_open = what is None or any(fields.get(name) for name in what.names)
    context: dict[str, Any] = {
        "form": form,
        "says_errors": says_errors,
        "refused": refused,
        "title": what.title if what else "",
        "what": what,
        "given": fields,
        "wish": wish,
        "user": wish.user,
        "user_name": names_by_entity([wish.user])[wish.user.pk],
        "account": wish.user.account,
        "section": "people",
        "layout": layout_for(request.viewer),
    }
    if is_open or refused:
        context |= _preview(request, wish, fields, refused=refused)
    return render_page(request, "changes/credential.html", context, status=status)


def _preview(
    request: ViewerRequest, wish: Wish, fields: dict[str, Any], *, refused: RefusedError | None
) -> dict[str, Any]:
    """What it does, or why it cannot be asked for."""
    try:
        operation = _operation(request, wish, fields)
        viewer, _ = requester_of(request.viewer, act=wish.act, user=wish.user)
        plan = services.plan(operation, viewer=viewer)
    except RefusedError as error:
        return {"refused": refused or error}
    together = set_receipt_of([operation])
    shown = receipt_context(plan.receipt.body, account=wish.user.account, request=request, together=together)
    return shown | need_context(request, [plan], together=together) | {"title": operation.title}

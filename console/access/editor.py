"""Edit what a managed policy says: checked while it is typed, with whom it concerns, and asked for as a change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.changes.deciding import need_context
from console.changes.findings import LOOKS, ORDER, finding_rows, summary
from console.changes.forms import ReasonForm
from console.changes.receipt import receipt_context
from console.identities.details.shown import Shown, frame_of, shown_or_404
from console.web.access import ViewerRequest, require
from console.web.render import is_fragment, render_page
from iam.access.editing import Draft, begin, laid_out, look, managed_by, mended, request_edit
from iam.changes.errors import RefusedError
from iam.changes.receipts import set_receipt_of
from iam.guard import Right
from iam.mirror.models import Kind


class EditForm(ReasonForm):
    """The text, on which text it was begun, and what to do with it; a reason only to ask."""

    document = forms.CharField(strip=False, required=False)
    base = forms.CharField(max_length=32, required=False)


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def policy_edit(request: ViewerRequest, pk: int) -> HttpResponse:
    """The editor. Posted, the text is checked, laid out (`do=format`), mended in a place (`fix=`) or asked for (`do=ask`).

    htmx gets what was found, and whom it would concern.
    """
    shown = shown_or_404(request, pk, kinds=[Kind.POLICY])
    if why := _why_not(shown):
        return render_page(
            request, "access/policy_edit_refused.html", frame_of(request, shown) | {"why": why}
        )
    if request.method == "GET":
        text, base = begin(shown.entity)
        return _page(request, shown, _draft(request, shown, text=text, base=base), form=EditForm.blank())
    form = EditForm(request.POST)
    form.is_valid()
    text, base = request.POST.get("document", ""), request.POST.get("base", "")[:32]
    do = request.POST.get("do", "check")
    if do == "ask":
        return _ask(request, shown, form, text=text, base=base)
    if do == "format":
        text = laid_out(text)
    elif fix := request.POST.get("fix", ""):
        text = mended(shown.entity, text=text, key=fix)
    draft = _draft(request, shown, text=text, base=base)
    status = 422 if draft.errors and not is_fragment(request) else 200
    return _page(request, shown, draft, form=_kept(form), status=status)


def _why_not(shown: Shown) -> str:
    """Why nobody can edit this here and now, for those who may ask for changes of it; 404 for all others."""
    if shown.at is not None:
        return "You are looking at a moment that is over. Go back to now to change the policy."
    if shown.state is None:
        return "The policy is gone from AWS, as of the last reading."
    if ":iam::aws:" in shown.entity.arn:
        return "AWS manages this policy, and alone can change it. Make a policy of your own from its text instead."
    if not shown.entity.account.is_writable:
        return "The account is read only: no write role is connected. An administrator can add one under Accounts."
    if shown.entity.pk not in shown.askable([shown.entity.pk]):
        raise Http404
    return ""


def _draft(request: ViewerRequest, shown: Shown, *, text: str, base: str) -> Draft:
    return look(request.viewer, policy=shown.entity, text=text, base=base)


def _kept(form: EditForm) -> EditForm:
    """The form with what was typed, and without errors: only asking needs a reason."""
    initial = {name: form.data.get(name, "") for name in ("reason", "key")}
    return EditForm(initial=initial) if initial["key"] else EditForm.blank()


def _ask(request: ViewerRequest, shown: Shown, form: EditForm, *, text: str, base: str) -> HttpResponse:
    refused = None
    if form.is_valid():
        try:
            change = request_edit(
                request.viewer,
                policy=shown.entity,
                text=text,
                base=base,
                reason=form.cleaned_data["reason"],
                idempotency_key=str(form.cleaned_data["key"]),
            )
        except RefusedError as error:
            refused = error
        else:
            messages.success(request, "Asked for. Nothing in AWS changes until somebody else approves it.")
            return redirect("changes:change", pk=change.pk)
    draft = _draft(request, shown, text=text, base=base)
    return _page(request, shown, draft, form=form, refused=refused, status=422)


def _page(
    request: ViewerRequest,
    shown: Shown,
    draft: Draft,
    *,
    form: forms.Form,
    refused: RefusedError | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = (
        frame_of(request, shown)
        | finding_rows(draft.findings)
        | {
            "form": form,
            "draft": draft,
            "refused": refused,
            "gutter": _gutter(draft),
            "summary": summary(draft.findings),
            "is_update": is_fragment(request),
            "managed_by": "" if is_fragment(request) else managed_by(shown.entity),
            "first_error": draft.errors[0].line if draft.errors else None,
        }
    )
    if draft.plan is not None:
        together = set_receipt_of([draft.plan.operation])
        body = draft.plan.receipt.body
        context |= receipt_context(body, account=shown.entity.account, request=request, together=together)
        context |= need_context(request, [draft.plan], together=together)
    return render_page(request, "access/policy_edit.html", context, partial="checked", status=status)


def _gutter(draft: Draft) -> list[tuple[int, str]]:
    """(number, tone) of each line; of several findings of a line, the gravest."""
    tones: dict[int, str] = {}
    for finding in sorted(draft.findings, key=lambda one: ORDER.index(one.severity), reverse=True):
        tones[finding.line] = LOOKS[finding.severity][0]
    return [(number, tones.get(number, "")) for number in range(1, draft.text.count("\n") + 2)]

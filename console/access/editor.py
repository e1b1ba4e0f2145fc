"""Policy editor: checks the text of a managed policy while it is typed, shows who is affected, and requests
the change.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.changes.approval_context import need_context
from console.changes.findings import LOOKS, ORDER, finding_rows, summary
from console.changes.forms import ReasonForm
from console.changes.receipt import receipt_context
from console.identities.details.frame import ShownEntity, frame_of, shown_or_404
from console.web.access import ViewerRequest, require
from console.web.render import is_fragment, render_page
from iam.access.fixes import without_statement
from iam.access.policy_draft import (
    EditedPolicy,
    apply_fix,
    begin,
    check_draft,
    laid_out,
    managed_by,
    request_edit,
)
from iam.changes.errors import RefusedError
from iam.changes.receipts import set_receipt_of
from iam.guard import Right
from iam.mirror.models import Kind


class EditForm(ReasonForm):
    """The text, the text that editing started from, and the action. A reason is required only to request the
    change.
    """

    document = forms.CharField(strip=False, required=False)
    base = forms.CharField(max_length=32, required=False)


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def policy_edit(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the editor; a POST checks the text, formats it (`do=format`), applies a fix (`fix=`) or requests
    the change (`do=ask`).

    `remove` in the address removes one statement first. htmx gets the findings, and who is affected.
    """
    shown = shown_or_404(request, pk, kinds=[Kind.POLICY])
    if why := _why_not(shown):
        return render_page(
            request, "access/policy_edit_refused.html", frame_of(request, shown) | {"why": why}
        )
    if request.method == "GET":
        text, base = begin(shown.entity)
        text, removed = _without_statement(request, text)
        draft = _draft(request, shown, text=text, base=base)
        return _page(request, shown, draft, form=EditForm.blank(), removed=removed)
    form = EditForm(request.POST)
    form.is_valid()
    text, base = request.POST.get("document", ""), request.POST.get("base", "")[:32]
    do = request.POST.get("do", "check")
    if do == "ask":
        return _ask(request, shown, form, text=text, base=base)
    if do == "format":
        text = laid_out(text)
    elif fix := request.POST.get("fix", ""):
        text = apply_fix(shown.entity, text=text, key=fix)
    draft = _draft(request, shown, text=text, base=base)
    status = 422 if draft.errors and not is_fragment(request) else 200
    return _page(request, shown, draft, form=_kept(form), status=status)


def _without_statement(request: ViewerRequest, text: str) -> tuple[str, str]:
    """Return the text without the statement in `remove`, and a message; the unchanged text if there is
    none.
    """
    number = request.GET.get("remove", "")
    if not number.isdecimal() or len(number) > 4:
        return text, ""
    rest = without_statement(text, int(number))
    if rest is None:
        return (
            text,
            (
                "The policy has no other statement, so it can’t be removed here. Detach or delete the policy "
                "instead."
            ),
        )
    return (
        rest,
        (
            f"Statement {int(number) + 1} is removed from the text below. Check the effect, then request the "
            "change."
        ),
    )


def _why_not(shown: ShownEntity) -> str:
    """Return why the policy can’t be edited now, or "".

    Raises Http404 for viewers who can’t request changes of it.
    """
    if shown.at is not None:
        return "You’re viewing a past moment. Go back to now to edit the policy."
    if shown.state is None:
        return "This policy no longer exists in AWS, as of the last sync."
    if ":iam::aws:" in shown.entity.arn:
        return (
            "AWS manages this policy, so only AWS can change it. Create your own policy from its text "
            "instead."
        )
    if not shown.entity.account.is_writable:
        return (
            "This account is read-only: no write role is connected. An administrator can add one under "
            "Accounts."
        )
    if shown.entity.pk not in shown.requestable([shown.entity.pk]):
        raise Http404
    return ""


def _draft(request: ViewerRequest, shown: ShownEntity, *, text: str, base: str) -> EditedPolicy:
    return check_draft(request.viewer, policy=shown.entity, text=text, base=base)


def _kept(form: EditForm) -> EditForm:
    """Return the form with its input but without errors, because only a request needs a reason."""
    initial = {name: form.data.get(name, "") for name in ("reason", "key")}
    return EditForm(initial=initial) if initial["key"] else EditForm.blank()


def _ask(request: ViewerRequest, shown: ShownEntity, form: EditForm, *, text: str, base: str) -> HttpResponse:
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
            messages.success(request, "Change requested. Nothing changes in AWS until it is approved.")
            return redirect("changes:change", pk=change.pk)
    draft = _draft(request, shown, text=text, base=base)
    return _page(request, shown, draft, form=form, refused=refused, status=422)


def _page(
    request: ViewerRequest,
    shown: ShownEntity,
    draft: EditedPolicy,
    *,
    form: forms.Form,
    refused: RefusedError | None = None,
    removed: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = (
        frame_of(request, shown)
        | finding_rows(draft.findings)
        | {
            "form": form,
            "draft": draft,
            "refused": refused,
            "removed": removed,
            "gutter": _gutter(draft),
            "summary": summary(draft.findings),
            "is_update": is_fragment(request),
            "managed_by": "" if is_fragment(request) else managed_by(shown.entity),
            "first_error": draft.errors[0].line if draft.errors else None,
        }
    )
    if draft.plan is not None:
        # The text is checked again and again while it is typed, and a replay takes longer than that.
        is_typing = is_fragment(request)
        together = set_receipt_of([draft.plan.operation], with_replay=not is_typing)
        body = draft.plan.receipt.body
        context |= receipt_context(body, account=shown.entity.account, request=request, together=together)
        context |= need_context(request, [draft.plan], together=together)
    return render_page(request, "access/policy_edit.html", context, partial="checked", status=status)


def _gutter(draft: EditedPolicy) -> list[tuple[int, str]]:
    """Return (number, tone) of each line; the most severe finding sets the tone."""
    least_severe_first = sorted(
        draft.findings, key=lambda finding: ORDER.index(finding.severity), reverse=True
    )
    tones = {finding.line: LOOKS[finding.severity][0] for finding in least_severe_first}
    line_count = draft.text.count("\n") + 1
    return [(number, tones.get(number, "")) for number in range(1, line_count + 1)]

"""The page to request a change: questions, their effect, and the reason."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, ClassVar, NamedTuple

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.changes.act_text import lint_of, text_shown
from console.changes.actions.fields import HIDDEN
from console.changes.actions.form import ActionForm
from console.changes.approval_context import need_context
from console.changes.forms import ReasonForm
from console.changes.page import address_of
from console.changes.receipt import receipt_context, what_is_done
from console.web.access import ViewerRequest, layout_for, require
from console.web.render import render_page
from iam.changes import services
from iam.changes.errors import FieldError, RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.receipts import set_receipt_of
from iam.changes.services import ChangePlan
from iam.changes.services.requests import already_requested
from iam.guard import Right, Viewer
from iam.mirror.models import Account, Entity

MAX_REASON_LENGTH = 1_000


class PageLink(NamedTuple):
    """A link around the request: where it comes from, or where “Cancel” leads. Without an address it is plain
    text.
    """

    text: str
    url: str = ""


class RequestFact(NamedTuple):
    """What the request is about; `login` is the IAM user name if it differs."""

    name: str
    text: str
    url: str
    login: str = ""


class RequestFrame(NamedTuple):
    """What the page shows around the effect.

    The first item of `leads_to` is the page for “Cancel”; `more` has details of individual pages.
    """

    title: str
    crumbs: Sequence[PageLink]
    leads_to: Sequence[PageLink]
    account: Account
    facts: Sequence[RequestFact]
    section: str
    effect_title: str
    address: str
    more: dict[str, Any]


class RequestDraft(ABC):
    """A request being prepared with the answers in `form`.

    The key makes a form sent twice one request. The page is open to viewers with one of `rights`.
    """

    rights: ClassVar[tuple[Right, ...]] = (Right.REQUEST_CHANGE,)

    @classmethod
    @abstractmethod
    def opened(cls, request: ViewerRequest, **named: str) -> RequestDraft | HttpResponse:
        """Return the draft in the address, or a redirect to the page before it.

        Raises Http404 for objects that the viewer can’t see.
        """

    def __init__(self, request: ViewerRequest, form: ActionForm) -> None:
        self.request = request
        self.form = form

    @property
    def requester(self) -> Viewer:
        """The viewer in whose name the request is made."""
        return self.request.viewer

    @property
    def can_preview(self) -> bool:
        """Whether the answers are complete enough for a preview."""
        return self.form.is_valid()

    @abstractmethod
    def operations(self, key: str) -> list[Operation]:
        """Return the operations for the answers, in order. Raises RefusedError."""

    @property
    def title(self) -> str:
        """The title of a request with several changes."""
        return ""

    def submit(self, operations: list[Operation], *, reason: str, key: str) -> Change:
        """Submit the request and return its first change.

        Raises RefusedError if it differs from the preview.
        """
        viewer = self.requester
        standing = already_requested(operations, actor=viewer, idempotency_key=key)
        if standing:
            return standing[0]
        plans = self.checked(operations)
        title = self.title if len(plans) > 1 else ""
        changes = services.request_changes(
            plans, actor=viewer, reason=reason, idempotency_key=key, title=title
        )
        return changes[0]

    @abstractmethod
    def frame(self, operations: Sequence[Operation]) -> RequestFrame:
        """Return the page frame; `operations` is empty if they are unknown."""

    def checked(self, operations: list[Operation]) -> list[ChangePlan]:
        """Return the planned changes.

        Raises RefusedError if AWS would reject a text, or if the effect differs from the preview.
        """
        findings = lint_of(operations)
        if findings.get("is_faulty"):
            why = "AWS would refuse this text" if findings["is_refused"] else "This text has errors"
            raise RefusedError(f"{why}. Fix the errors listed below, then submit again.")
        plans = services.plan_set(operations, viewer=self.requester)
        if digest_of(plans) != self.request.POST.get("seen"):
            raise RefusedError(
                "What this does has changed since the preview. Review it below, then submit again."
            )
        return plans

    def beside_fields(self, refused: RefusedError) -> RefusedError | None:
        """Return the error to show above the form; None if it is shown at a field."""
        return refused

    def serve(self) -> HttpResponse:
        """Show the preview, or submit the request."""
        posted = self.request.POST
        if self.request.method == "GET" or "look" in posted:
            reason = ReasonForm.blank()
            reason.initial["reason"] = posted.get("reason", "")[:MAX_REASON_LENGTH]
            return self._page(reason)
        reason = ReasonForm(posted)
        if not reason.is_valid() or not self.form.is_valid():
            return self._page(reason, status=422)
        key = str(reason.cleaned_data["key"])
        try:
            change = self.submit(self.operations(key), reason=reason.cleaned_data["reason"], key=key)
        except RefusedError as refused:
            return self._page(reason, refused=self.beside_fields(refused), status=422)
        return redirect(address_of(change))

    def _page(
        self, reason: ReasonForm, *, refused: RefusedError | None = None, status: int = 200
    ) -> HttpResponse:
        context: dict[str, Any] = {}
        operations: list[Operation] = []
        error: RefusedError | None = None
        if self.can_preview:
            try:
                operations = self.operations(str(reason["key"].value() or ""))
                context = lint_of(operations)
                context |= {} if context.get("is_faulty") else self._preview(operations)
            except RefusedError as refusal:
                error, operations = refusal, []
        for problem in (error, refused):
            if isinstance(problem, FieldError) and problem.field in self.form.fields:
                self.form.refuse(problem)
        if self.request.method == "POST" and (error or self.form.errors):
            status = 422
        context |= {
            "form": reason,
            "reason": self.request.POST.get("reason", "")[:MAX_REASON_LENGTH],
            "rows": self.form.rows,
            "is_asking": any(question.kind != HIDDEN for question in self.form.questions),
            "refused": None if self.form.errors else refused or error,
            "layout": layout_for(self.request.viewer),
        }
        frame = self.frame(operations)
        context |= frame._asdict() | frame.more
        return render_page(self.request, "changes/request_draft.html", context, status=status)

    def _preview(self, operations: list[Operation]) -> dict[str, Any]:
        """Return the context of the preview. Raises RefusedError."""
        plans = services.plan_set(operations, viewer=self.requester)
        together = set_receipt_of(operations)
        body = plans[0].receipt.body if len(plans) == 1 else _one_body(plans)
        shown = receipt_context(body, account=operations[0].account, request=self.request, together=together)
        steps, lost, texts = [], [], {}
        if len(plans) == 1:
            texts = text_shown(operations[0], before=plans[0].before)
        else:
            steps = [plan.operation.title for plan in plans]
            lost = [_irreversible_note(operation) for operation in operations if operation.irreversible]
        return (
            shown
            | need_context(self.request, plans, together=together)
            | texts
            | {"blocks": what_is_done(operations, viewer=self.request.viewer)}
            | {"seen": digest_of(plans), "quotas": _quotas(plans), "steps": steps, "lost": lost}
        )


def request_page(draft: type[RequestDraft]) -> Callable[..., HttpResponse]:
    """Return the view for requests of this type."""

    @require_http_methods(["GET", "POST"])
    @require(*draft.rights)
    def page(request: ViewerRequest, /, **named: str) -> HttpResponse:
        opened = draft.opened(request, **named)
        return opened if isinstance(opened, HttpResponse) else opened.serve()

    return page


def fact_of_user(user: Entity, user_name: str) -> RequestFact:
    """Return the user's name, user name in AWS, and page."""
    page = reverse("identities:person", args=[user.pk])
    login = "" if user_name == user.name else user.name
    return RequestFact("Who", user_name, page, login)


def digest_of(plans: list[ChangePlan]) -> str:
    """Return a digest of the previewed receipts."""
    return ".".join(plan.receipt.digest[:16] for plan in plans)[:4096]


def _quotas(plans: list[ChangePlan]) -> list[dict[str, Any]]:
    """Return the usage of each quota that doesn’t decrease."""
    quotas = [plan.receipt.body["quota"] for plan in plans]
    by_name = {quota["what"]: quota for quota in quotas if quota and quota["after"] >= quota["used"]}
    return list(by_name.values())


def _irreversible_note(operation: Operation) -> str:
    """Return why an operation can’t be undone, and the alternative."""
    alternative = f" {operation.alternative}" if operation.alternative else ""
    return f"{operation.title}: {operation.irreversible}{alternative}"


def _one_body(plans: list[ChangePlan]) -> dict[str, Any]:
    """Merge the receipts of several changes into that of the last one, which includes the effects of the
    others.

    Calls and notes of all are kept. The page lists irreversible operations separately.
    """
    bodies = [plan.receipt.body for plan in plans]
    calls = list(chain.from_iterable(body["calls"] for body in bodies))
    notes = chain.from_iterable(body["effect"]["notes"] for body in bodies)
    managed = next((body["managed"] for body in reversed(bodies) if body["managed"]), None)
    return bodies[-1] | {
        "calls": calls,
        "effect": bodies[-1]["effect"] | {"notes": list(dict.fromkeys(notes))},
        "confidential": list(chain.from_iterable(body["confidential"] for body in bodies)),
        "managed": managed,
        "irreversible": "",
    }

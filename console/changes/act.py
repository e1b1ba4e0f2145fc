"""Requests a change of one object: answer some questions, review the effect, give a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from console.changes.act_text import also_on, back_of, menu_on, pageless_in, shown_name
from console.changes.actions import ACTIONS, ActAction
from console.changes.actions.action import END
from console.changes.actions.form import ActionForm
from console.changes.request_draft import PageLink, RequestDraft, RequestFact, RequestFrame
from console.web.access import ViewerRequest, entity_or_404, require, require_present
from console.web.render import render_page
from console.web.shortened_lists import first_rows
from iam.changes.acts import Act, Subject
from iam.changes.acts.base import SEALED, SecretSender
from iam.changes.acts.base import account as account_of
from iam.changes.errors import FieldError, RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.guard import Right, Viewer
from iam.mirror.models import Account, Kind
from iam.mirror.queries.accounts import whole_accounts

MAX_SECRET_LENGTH = 16_384
MAX_NAME_LENGTH = 128
MAX_OTHERS = 12
"""Maximum number of other accounts offered; the account switch at the top of the page has all."""


class ActDraft(RequestDraft):
    """A request made with one of the actions that pages offer."""

    def __init__(self, request: ViewerRequest, form: ActionForm, action: ActAction) -> None:
        super().__init__(request, form)
        self.action = action
        self.secret_error = ""

    @classmethod
    def opened(cls, request: ViewerRequest, **named: str) -> ActDraft:
        """Create the draft for an act; `on` names the entity, or `account` the account.

        An act without questions shows its effect at once.
        """
        action = ACTIONS.get(named["slug"])
        if action is None or request.at is not None:
            raise Http404
        subject = _subject(request, action.act)
        begins = request.method == "GET" and bool(action.fields)
        data = None if begins else request.POST
        initial = _start(request, action, subject)
        form = ActionForm(action.fields, subject, viewer=_asking(request), data=data, initial=initial)
        return cls(request, form, action)

    @property
    def title(self) -> str:
        """The page title."""
        return self.action.title.format(shown_name(self.form.subject))

    def operations(self, key: str) -> list[Operation]:
        """Return the act's operations for the answers. Raises RefusedError."""
        try:
            operations = list(self.action.act.build(self.form.subject, self.form.cleaned_data))
        except ValueError as error:
            # The operation rejected a parameter.
            raise RefusedError(str(error)) from error
        if not operations:
            raise RefusedError("Nothing would change, so there is nothing to request.")
        return operations

    def submit(self, operations: list[Operation], *, reason: str, key: str) -> Change:
        """Submit the request and return its first change; anything that differs from the preview is
        refused.
        """
        if self.action.act.send is not None:
            return self._send(self.action.act.send, reason=reason, key=key)
        return super().submit(operations, reason=reason, key=key)

    def _send(self, send: SecretSender, *, reason: str, key: str) -> Change:
        form, secret = self.form, self.request.POST.get(SEALED, "")[:MAX_SECRET_LENGTH]
        return send(
            form.subject, form.cleaned_data, secret=secret, actor=self.requester, reason=reason, key=key
        )

    def beside_fields(self, refused: RefusedError) -> RefusedError | None:
        """Store the error of the secret's field, which isn’t part of the form."""
        if not isinstance(refused, FieldError) or refused.field != SEALED:
            return refused
        self.secret_error = refused.message
        return None

    def frame(self, operations: Sequence[Operation]) -> RequestFrame:
        """Return the page frame with the subject and a link to its page."""
        subject, action = self.form.subject, self.action
        account, back = account_of(subject), back_of(subject)
        subject_page = PageLink(back.name, back.url)
        is_about_account = isinstance(subject, Account)
        first = PageLink("Changes", reverse("changes:list")) if is_about_account else PageLink(account.name)
        facts = [] if is_about_account else [RequestFact("About", *subject_page)]
        return RequestFrame(
            title=self.title,
            crumbs=[first, subject_page, PageLink(action.button)],
            leads_to=[subject_page],
            account=account,
            facts=facts,
            section=back.section,
            effect_title="Policies",
            address=f"{reverse('changes:act', args=[action.slug])}?{self.request.GET.urlencode()}",
            more={
                "note": action.note,
                "is_danger": action.is_danger,
                "sealed_label": action.sealed_label,
                "secret_error": self.secret_error,
            },
        )


def _subject(request: ViewerRequest, act: Act) -> Subject:
    """Return the entity or account in the address. Raises Http404 if the viewer can’t see it."""
    text = request.GET.get("on", "")
    whole_account: Subject | None
    if text:
        if not text.isdecimal() or len(text) > 18:
            raise Http404
        kinds = [Kind(kind) for kind in act.kinds if kind in Kind.values]
        whole_account = entity_or_404(_asking(request), int(text), kinds=kinds) if kinds else None
    else:
        number = request.GET.get("account", "")
        whole_account = whole_accounts(request.viewer).filter(account_id=number).first()
    if whole_account is None or not act.is_about(whole_account):
        raise Http404
    return whole_account


def _start(request: ViewerRequest, action: ActAction, subject: Subject) -> dict[str, str]:
    """Return the initial form values; `policy` in the address selects one of the subject's policies."""
    initial = {field.name: field.start(subject) for field in action.fields if field.start}
    named = request.GET.get("policy", "")[:MAX_NAME_LENGTH]
    return initial | action.begin(subject, named) if named and action.begin else initial


@require_GET
@require(Right.REQUEST_CHANGE)
def acts(request: ViewerRequest) -> HttpResponse:
    """List the actions on an entity (`on`) or in an account (`account`; by default the first writable
    one).
    """
    require_present(request)
    subject = _any_subject(request)
    is_entity = not isinstance(subject, Account)
    wanted = request.GET.get("find", "").strip()[:MAX_NAME_LENGTH]
    others = whole_accounts(request.viewer).exclude(pk=subject.pk)
    context = {
        "menu": menu_on(subject, viewer=request.viewer),
        "removals": END,
        "also": also_on(subject, viewer=request.viewer),
        "pageless": pageless_in(subject, wanted=wanted) if isinstance(subject, Account) else None,
        "find": wanted,
        "name": shown_name(subject),
        "back": back_of(subject, is_menu=True),
        "account": account_of(subject),
        "is_entity": is_entity,
        "others": [] if is_entity else first_rows(request, others, most=MAX_OTHERS),
        "section": back_of(subject).section,
    }
    return render_page(request, "changes/acts.html", context)


def _any_subject(request: ViewerRequest) -> Subject:
    text, number = request.GET.get("on", ""), request.GET.get("account", "")
    subject: Subject | None
    if text:
        is_number = text.isdecimal() and len(text) < 19
        subject = entity_or_404(_asking(request), int(text), kinds=list(Kind)) if is_number else None
    else:
        mine = whole_accounts(request.viewer)
        subject = (mine.filter(account_id=number) if number else mine).first()
    if subject is None:
        raise Http404
    return subject


def _asking(request: ViewerRequest) -> Viewer:
    """Return the viewer limited to what they can request, which is less than they can see."""
    return replace(request.viewer, scope=request.viewer.asks)

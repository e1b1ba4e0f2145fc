"""Requests a change of someone's credentials: review the effect and whether it can be undone, and give a
reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse

from console.changes.actions.credentials import CREDENTIAL_QUESTIONS, CredentialQuestions
from console.changes.actions.form import ActionForm
from console.changes.request_draft import PageLink, RequestDraft, RequestFrame, fact_of_user
from console.web.access import ViewerRequest, entity_or_404, require_present
from iam.changes.credential_acts import CredentialActRequest, kind_of, operation_of
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.params import Recipient
from iam.changes.operations.sealed_secret import seal_id
from iam.changes.services.requests import request_operation
from iam.guard import Right, Viewer
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import Entity, Kind
from iam.people.rotation.own_keys import may_request_for_own, requester_of


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """The act, user and, if given, the credential in the address."""

    act: str
    user: Entity
    one: Entity | None

    @property
    def query(self) -> str:
        """The same as a query string."""
        return f"do={self.act}&" + (f"of={self.one.pk}" if self.one else f"user={self.user.pk}")


class CredentialDraft(RequestDraft):
    """A request about someone's credentials."""

    rights = (Right.REQUEST_CHANGE, Right.SEE_SELF)

    @classmethod
    def opened(cls, request: ViewerRequest, **named: str) -> CredentialDraft:
        """Create the draft from `do` (the act), and `user` or `of` (a credential)."""
        require_present(request)
        wish = _wish(request)
        is_own = may_request_for_own(request.viewer, act=wish.act, user=wish.user)
        if not is_own and not request.viewer.may(Right.REQUEST_CHANGE):
            raise Http404
        return cls(request, wish)

    def __init__(self, request: ViewerRequest, wish: CredentialRequest) -> None:
        self.wish = wish
        self.questions = CREDENTIAL_QUESTIONS.get(wish.act, CredentialQuestions())
        address = request.GET.copy()
        # A public key must be typed, so that a link can't suggest one.
        address.pop("body", None)
        data = request.POST if request.method == "POST" else address
        super().__init__(
            request, ActionForm(self.questions.fields, wish.user, viewer=request.viewer, data=data)
        )

    @property
    def requester(self) -> Viewer:
        """The viewer; for their own user with the additional rights that the rules of rotation give."""
        return requester_of(self.request.viewer, act=self.wish.act, user=self.wish.user)[0]

    @property
    def can_preview(self) -> bool:
        """Whether there are no questions, or at least one valid answer."""
        is_answered = self.form.is_valid() and any(self.form.cleaned_data.values())
        return is_answered or not self.questions.fields

    def operations(self, key: str) -> list[Operation]:
        """Return the act's operation. Raises RefusedError if something is missing."""
        viewer = self.request.viewer
        asked = CredentialActRequest(
            user=self.wish.user,
            credential=self.wish.one,
            recipient=Recipient(viewer.person_id, viewer.name),
            sealed_id=seal_id(person_id=viewer.person_id, key=key),
            fields=self.form.cleaned_data,
        )
        return [operation_of(self.wish.act, asked)]

    def submit(self, operations: list[Operation], *, reason: str, key: str) -> Change:
        """Request the change, with its cause if it concerns the viewer's own user."""
        viewer, cause = requester_of(self.request.viewer, act=self.wish.act, user=self.wish.user)
        return request_operation(
            viewer, operation=operations[0], reason=reason, idempotency_key=key, cause=cause
        )

    def frame(self, operations: Sequence[Operation]) -> RequestFrame:
        """Return the page frame with the user and the request's title."""
        user, questions = self.wish.user, self.questions
        title = operations[0].title if operations else questions.title
        user_name = names_by_entity([user])[user.pk]
        credentials = reverse("identities:person-credentials", args=[user.pk])
        crumbs = [
            PageLink(user.account.name),
            PageLink(user_name, reverse("identities:person", args=[user.pk])),
            PageLink("Credentials and MFA", credentials),
            PageLink(title or "Change"),
        ]
        return RequestFrame(
            title=title or "Change of credentials",
            crumbs=crumbs,
            leads_to=[PageLink("the credentials", credentials)],
            account=user.account,
            facts=[fact_of_user(user, user_name)],
            section="people",
            effect_title="What it does",
            address=f"{reverse('changes:credential')}?{self.wish.query}",
            more={
                "is_credential": True,
                "choices": questions.choices,
                "choices_title": "For which service?",
            },
        )


def _wish(request: ViewerRequest) -> CredentialRequest:
    """Parse the address. Raises Http404 if the viewer can’t see the user or credential."""
    act = request.GET.get("do", "")
    try:
        kind = kind_of(act)
    except KeyError:
        raise Http404 from None
    if kind is None:
        return CredentialRequest(act, _user(request, _number(request, "user")), None)
    owners = Entity.objects.filter(pk=_number(request, "of"), kind=kind, gone_at__isnull=True)
    entity = owners.select_related("owner", "account").first()
    if entity is None or entity.owner_id is None:
        raise Http404
    return CredentialRequest(act, _user(request, entity.owner_id), entity)


def _number(request: ViewerRequest, name: str) -> int:
    text = request.GET.get(name, "")
    if not text.isdecimal() or len(text) > 18:
        raise Http404
    return int(text)


def _user(request: ViewerRequest, pk: int) -> Entity:
    return entity_or_404(request.viewer, pk, kinds=[Kind.USER])

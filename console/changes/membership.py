"""Requests to add a user to a group or to remove one: choose, preview, give the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from console.changes.actions.form import ActionForm
from console.changes.request_draft import PageLink, RequestDraft, RequestFact, RequestFrame, fact_of_user
from console.web.access import ViewerRequest, entity_or_404
from console.web.address_choices import choice
from console.web.render import render_page
from iam.changes import services
from iam.changes.choices import EntityChoices, groups_for, users_for
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.services.plans import membership as membership_operation
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import Entity, Kind

Do = Literal["add", "remove"]


class MembershipDraft(RequestDraft):
    """A request to add a user to a group, or to remove one."""

    @classmethod
    def opened(cls, request: ViewerRequest, **named: str) -> MembershipDraft | HttpResponse:
        """Create the draft from `user`, `group` and `do`; return the page to choose a missing one."""
        user, group = _entity(request, "user", Kind.USER), _entity(request, "group", Kind.GROUP)
        do: Do = "remove" if choice(request, "do", ("add", "remove")) == "remove" else "add"
        if request.at is not None:
            return render_page(request, "changes/membership_past.html", _frame(user, group, do))
        if user is None and group is None:
            return redirect("identities:people")
        if user is None or group is None:
            return _choose(request, user=user, group=group, do=do)
        return cls(request, user, group, do)

    def __init__(self, request: ViewerRequest, user: Entity, group: Entity, do: Do) -> None:
        super().__init__(request, ActionForm((), user, viewer=request.viewer, data=request.POST))
        self.user, self.group, self.do = user, group, do

    def operations(self, key: str) -> list[Operation]:
        """Return the membership operation. Raises RefusedError."""
        return [membership_operation(self.user, group=self.group, do=self.do)]

    def submit(self, operations: list[Operation], *, reason: str, key: str) -> Change:
        """Request the change."""
        return services.request_membership(
            self.requester,
            user=self.user,
            group=self.group,
            do=self.do,
            reason=reason,
            idempotency_key=key,
        )

    def frame(self, operations: Sequence[Operation]) -> RequestFrame:
        """Return the page frame with user and group."""
        user, group = self.user, self.group
        user_name = names_by_entity([user])[user.pk]
        user_page = reverse("identities:person", args=[user.pk])
        group_page = reverse("identities:group", args=[group.pk])
        title, crumb = f"Add {user.name} to {group.name}", "Add user"
        leads_to = [PageLink("the user", user_page), PageLink("the group", group_page)]
        if self.do == "remove":
            title, crumb = f"Remove {user.name} from {group.name}", "Remove user"
            leads_to.reverse()
        return RequestFrame(
            title=title,
            crumbs=[
                PageLink(group.account.name),
                PageLink(group.name, group_page),
                PageLink(crumb),
            ],
            leads_to=leads_to,
            account=user.account,
            facts=[fact_of_user(user, user_name), RequestFact("Group", group.name, group_page)],
            section="people",
            effect_title=f"What changes for {user_name}",
            address=f"{reverse('changes:membership')}?user={user.pk}&group={group.pk}&do={self.do}",
            more={
                "steps_part": "changes/_membership_steps.html",
                "user": user,
                "user_name": user_name,
                "group": group,
                "do": self.do,
                "duration": "Permanent. It can be undone.",
            },
        )


def _entity(request: ViewerRequest, name: str, kind: Kind) -> Entity | None:
    """Return the entity in the address. Raises Http404 if the viewer can’t see it."""
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
        choices = EntityChoices([], has_more=False)
    names = names_by_entity(choice.entity for choice in choices.rows)
    context = {
        "choices": [(choice, names[choice.entity.pk]) for choice in choices.rows],
        "has_more": choices.has_more,
        "q": text,
    }
    return render_page(
        request, "changes/membership_choose.html", _frame(user, group, do) | context, partial="choices"
    )


def _frame(user: Entity | None, group: Entity | None, do: Do) -> dict[str, Any]:
    entity = user or group
    return {
        "user": user,
        "user_name": names_by_entity([user])[user.pk] if user else "",
        "group": group,
        "do": do,
        "account": entity.account if entity else None,
        "section": "people" if user else "groups",
    }

"""Loads an entity at the requested moment for its page, and renders it in the viewer's layout."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRefresh

from console.web.access import ViewerRequest, entity_or_404, layout_for
from console.web.asof import asof_context
from console.web.render import is_fragment, render_page
from iam.guard import Right, Viewer
from iam.mirror.models import Entity, EntityState, Kind
from iam.mirror.queries import entities
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.freshness import unsynced_sections, was_unknown
from iam.mirror.queries.moments import just_after, just_before

SECTIONS: dict[str, tuple[str, str, str]] = {
    Kind.USER: ("people", "IAM users", "identities:person"),
    Kind.GROUP: ("groups", "Groups", "identities:group"),
    Kind.ROLE: ("roles", "Roles", "identities:role"),
    Kind.POLICY: ("policies", "Policies", "identities:policy"),
    Kind.INSTANCE_PROFILE: ("instance-profiles", "Instance profiles", "identities:instance-profile"),
    Kind.SAML_PROVIDER: ("providers", "Identity providers", "identities:provider"),
    Kind.OIDC_PROVIDER: ("providers", "Identity providers", "identities:provider"),
}
"""Kind → navigation section, its title, and URL name."""


@dataclass(frozen=True, slots=True)
class DetailTab:
    """A tab: label, address, and a count with a tone."""

    label: str
    url: str
    count: int | None = None
    tone: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class ShownEntity:
    """An entity that the viewer can see, the moment, and its state then; None if it didn’t exist."""

    entity: Entity
    state: EntityState | None
    at: datetime | None
    viewer: Viewer

    @property
    def account_id(self) -> str:
        """The ID of its account."""
        return self.entity.account.account_id

    @property
    def is_self(self) -> bool:
        """Whether it is an IAM user of the viewer."""
        return self.entity.arn in self.viewer.scope.user_arns

    @property
    def may_change(self) -> bool:
        """Whether changes can be requested: the moment is now, the account is writable, and the viewer has
        the right.
        """
        return (
            self.at is None
            and self.state is not None
            and self.entity.account.is_writable
            and self.viewer.may(Right.REQUEST_CHANGE, account_id=self.account_id)
        )

    def requestable(self, pks: Iterable[int]) -> entities.OpenableEntities:
        """Return for which of the entities the viewer can request changes; takes at most one query."""
        if not self.may_change:
            return entities.OpenableEntities(whole=False)
        asking = replace(self.viewer, scope=self.viewer.asks)
        return entities.openable(asking, account_id=self.account_id, pks=pks)

    @property
    def edits_all(self) -> bool:
        """Whether the viewer can request any change in the account, such as editing policy text."""
        return self.may_change and self.viewer.asks.sees_account(self.account_id)

    def openable(self, pks: Iterable[int]) -> entities.OpenableEntities:
        """Return which of the entities have a page for the viewer; takes at most one query."""
        return entities.openable(self.viewer, account_id=self.account_id, pks=pks)

    def unsynced(self) -> frozenset[str]:
        """Return the sections of the account that were not completely synced by the moment. Takes one
        query.
        """
        return unsynced_sections(ListContext(self.viewer, at=self.at, account=self.entity.account))

    def tab(self, label: str, name: str, *, here: str, count: int | None = None, tone: str = "") -> DetailTab:
        """Return a tab for the URL name; `here` is the URL name of the current page."""
        return DetailTab(label, reverse(name, args=[self.entity.pk]), count, tone, current=name == here)


def shown_or_404(request: ViewerRequest, pk: int, *, kinds: Collection[str]) -> ShownEntity:
    """Return the entity with its state.

    Raises DisconnectedError if its account was disconnected, or Http404 if the viewer can’t see it.
    """
    entity = entity_or_404(request.viewer, pk, kinds=kinds)
    return ShownEntity(entity, entities.state_at(entity, at=request.at), request.at, request.viewer)


def render_shown(
    request: ViewerRequest, shown: ShownEntity, template: str, context: dict[str, Any]
) -> HttpResponse:
    """Render the page, or only its panel for htmx; without a state, a page that says when the entity
    existed.
    """
    if shown.state is None:
        return HttpResponseClientRefresh() if is_fragment(request) else _absent(request, shown)
    return render_page(request, template, frame_of(request, shown) | context, partial="panel")


def frame_of(request: ViewerRequest, shown: ShownEntity) -> dict[str, Any]:
    """Return the context that every page of an entity needs."""
    section, title, _ = SECTIONS[shown.entity.kind]
    viewer = request.viewer
    context: dict[str, Any] = {
        "shown": shown,
        "entity": shown.entity,
        "state": shown.state,
        "account": shown.entity.account,
        "section": section,
        "section_title": title,
        "section_url": reverse(f"identities:{section}"),
        "layout": layout_for(viewer),
        "change_url": f"{reverse('changes:acts')}?on={shown.entity.pk}"
        if shown.entity.pk in shown.requestable([shown.entity.pk])
        else "",
        "lists": viewer.may(Right.SEE_ACCOUNT) or viewer.may(Right.SEE_TEAM),
    }
    return context if is_fragment(request) else context | asof_context(request, entity=shown.entity)


def membership_address(*, do: str, user: int | None = None, group: int | None = None) -> str:
    """Return the address to add a user to a group or to remove one; the page asks for what is missing."""
    query = {"user": user, "group": group, "do": do}
    return f"{reverse('changes:membership')}?{urlencode({k: v for k, v in query.items() if v is not None})}"


def _absent(request: ViewerRequest, shown: ShownEntity) -> HttpResponse:
    first, last = entities.first_state(shown.entity), entities.last_state(shown.entity)
    gone = last is not None and last.valid_to is not None
    context = {
        "first": first,
        "last": last,
        "gone": gone,
        "not_yet": bool(shown.at and first and shown.at < first.valid_from),
        "unknown": bool(shown.at and was_unknown(shown.entity, at=shown.at)),
        "see_first": just_after(first.valid_from) if first else None,
        "see_last": just_before(last.valid_to) if last and last.valid_to else None,
        "history_url": reverse(f"{SECTIONS[shown.entity.kind][2]}-history", args=[shown.entity.pk]),
    }
    return render_page(request, "identities/absent.html", frame_of(request, shown) | context)

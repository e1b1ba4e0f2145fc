"""The tab “Grants” of a person, role or group: each permission they hold directly, and the grants behind
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from console.access.grants.effect_blocks import GrantEnd, end_of
from console.access.grants.marks import marks_of, relation_words
from console.changes.presenters import StateMark
from console.identities.details.frame import ShownEntity, render_shown, shown_or_404
from console.identities.details.groups import group_head
from console.identities.details.people import SEES, person_head
from console.identities.details.roles import role_head
from console.web.access import ViewerRequest, require, sees_only_self
from iam.access.grants.ledger import JustifiedPermission, ledger_of
from iam.access.grants.models import Grant, PermissionSort
from iam.access.grants.queries import grants_about, visible_grants
from iam.guard import Right
from iam.mirror.models import Kind
from iam.mirror.queries.accounts import accounts_to_change

MAX_ROWS: Final = 25
_PAGES: Final[dict[str, tuple[str, Callable[..., dict[str, Any]], str]]] = {
    Kind.USER.value: ("identities/person.html", person_head, "access:person-grants"),
    Kind.ROLE.value: ("identities/role.html", role_head, "access:role-grants"),
    Kind.GROUP.value: ("identities/group.html", group_head, "access:group-grants"),
}
"""Template, function for the context above the tabs, and URL name by kind."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A permission; `reasons` are grants, `url` is the page of the group or policy."""

    relation: str
    name: str
    url: str
    reasons: list[Grant]
    hidden: int
    is_by_hand: bool


@require_safe
@require(*SEES)
def person_grants(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the grants of a person."""
    return _render(request, shown_or_404(request, pk, kinds=[Kind.USER]))


@require_safe
@require(Right.SEE_ACCOUNT)
def role_grants(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the grants of a role."""
    return _render(request, shown_or_404(request, pk, kinds=[Kind.ROLE]))


@require_safe
@require(Right.SEE_ACCOUNT, Right.SEE_TEAM)
def group_grants(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the grants of a group."""
    return _render(request, shown_or_404(request, pk, kinds=[Kind.GROUP]))


def _render(request: ViewerRequest, shown: ShownEntity) -> HttpResponse:
    template, head, here = _PAGES[shown.entity.kind]
    context = {} if shown.state is None else head(shown, here=here) | _context(request, shown)
    return render_shown(request, shown, template, context)


def _context(request: ViewerRequest, shown: ShownEntity) -> dict[str, Any]:
    """Return the context of the tab; a past moment has no ledger, because the history tab covers it."""
    base = {"tab": "access/grants/about.html", "is_now": shown.at is None}
    if shown.at is not None:
        return base
    seen = visible_grants(request.viewer).values("pk")
    grants = list(grants_about(shown.entity).filter(pk__in=seen)[: MAX_ROWS + 1])
    ledger = ledger_of(shown.entity, viewer=request.viewer)
    open_to = shown.openable([justified.entity.pk for justified in ledger if justified.entity])
    marks = marks_of(grants)
    plain = sees_only_self(request.viewer)
    rows: list[tuple[Grant, StateMark, GrantEnd]] = [
        (grant, marks[grant.pk], end_of(grant)) for grant in grants[:MAX_ROWS]
    ]
    return base | {
        "ledger": [_row(justified, open_to, plain=plain) for justified in ledger],
        "grants": rows,
        "more": f"{reverse('access:grants')}?{urlencode({'q': shown.entity.name})}"
        if len(grants) > MAX_ROWS
        else "",
        "give": _give(request, shown),
        "ask": reverse("access:ask") if shown.is_self else "",
    }


def _give(request: ViewerRequest, shown: ShownEntity) -> str:
    """Return the address to grant more access, or "" if the viewer can’t request it."""
    viewer = request.viewer
    if not viewer.may(Right.REQUEST_CHANGE, account_id=shown.account_id):
        return ""
    askable = shown.entity.pk in shown.requestable([shown.entity.pk])
    writable = accounts_to_change(viewer).filter(account_id=shown.account_id).exists()
    return f"{reverse('access:grant-new')}?for={shown.entity.pk}" if askable and writable else ""


def _row(justified: JustifiedPermission, open_to: Any, *, plain: bool) -> LedgerRow:
    names = {PermissionSort.MEMBER: "identities:group", PermissionSort.ATTACHED: "identities:policy"}
    page = names.get(justified.sort)
    opens = page and justified.entity is not None and justified.entity.pk in open_to
    url = reverse(page, args=[justified.entity.pk]) if page and opens and justified.entity else ""
    return LedgerRow(
        relation=relation_words(justified.sort, plain=plain),
        name=justified.name,
        url=url,
        reasons=list({entry.part.grant_id: entry.part.grant for entry in justified.reasons}.values()),
        hidden=justified.hidden,
        is_by_hand=justified.is_by_hand,
    )

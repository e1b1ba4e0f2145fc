"""The list of grants: active, waiting, ending soon or over, with filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from console.access.grants.effect_blocks import GrantEnd, end_of
from console.access.grants.labels import who_words
from console.access.grants.marks import marks_of
from console.changes.presenters import StateMark
from console.web.access import ViewerRequest, layout_for, require
from console.web.address_choices import choice
from console.web.files import file_links
from console.web.moments import left_text
from console.web.page_cursors import place_in, word_of
from console.web.query import QueryPairs
from console.web.render import is_fragment, render_page
from iam.access.drafts.models import GrantDraft
from iam.access.drafts.services import drafts_of
from iam.access.drafts.terms import who_of
from iam.access.grants.effects import Bodies, bodies_for, in_one_line
from iam.access.grants.hidden_recipients import hidden_in
from iam.access.grants.last_use import last_uses_of
from iam.access.grants.models import GIVING, Grant
from iam.access.grants.queries import TABS, list_grants
from iam.access.grants.terms import TermsError
from iam.access.last_uses import HeldUse
from iam.access.templates.queries import offered_templates
from iam.guard import Right, Viewer

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
LABELS: Final = (
    ("", "All"),
    ("active", "Active"),
    ("waiting", "Waiting"),
    ("soon", "Ending soon"),
    ("ended", "Ended"),
    ("failed", "Failed"),
    ("partly", "Partly active"),
    ("closed", "Closed"),
)
NOTHING: Final = {
    "active": "No active grants.",
    "waiting": "No grants waiting for approval.",
    "soon": "No grants end within a week.",
    "ended": "No ended grants.",
    "failed": "No failed grants.",
    "partly": "No grants that are active in some of their accounts only.",
    "closed": "No grants were rejected or withdrawn, or expired without a decision.",
}
"""Text of each empty tab."""
NAMED: Final = 2
MAX_DRAFTS: Final = 5
ENDING_SOON: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A row of the list.

    `effect` describes what it gives; `unplanned` counts the requested accounts until the grant has a part in
    each. `places` are all accounts as (ID, name), empty if the viewer can’t see some of the holders, whose
    number is `others`. `use` is None if it gives nothing now, or if the viewer can’t see all holders.
    """

    grant: Grant
    mark: StateMark
    effect: str
    end: GrantEnd
    accounts: list[str]
    more_accounts: int
    unplanned: int
    soon: str
    places: list[tuple[str, str]]
    others: int
    use: HeldUse | None = None


@dataclass(frozen=True, slots=True)
class DraftRow:
    """An unfinished draft of the viewer."""

    url: str
    said: str
    at: datetime


@require_GET
@require(*SEES)
def grants(request: ViewerRequest) -> HttpResponse:
    """List the grants that the viewer can see, newest first; those ending soon are sorted by their end."""
    get, viewer, wanted = request.GET, request.viewer, wanted_in(request)
    tab = wanted["tab"]
    page = list_grants(viewer, **wanted, after=place_in(request, "after", kind=datetime, pk_kind=UUID))
    may_ask = viewer.may(Right.REQUEST_CHANGE)
    context: dict[str, Any] = {
        "rows": rows_of(page.rows, viewer),
        "following": word_of(page.after) or None,
        "is_first": "after" not in get,
        "tab": tab,
        "tabs": LABELS,
        "nothing": NOTHING.get(tab, ""),
        "q": wanted["text"],
        "template": wanted["template"],
        "files": _files(viewer, wanted) if page.rows else [],
        "templates": [(offer.slug, offer.body.title) for offer in offered_templates(with_retired=True)]
        if viewer.sees_accounts
        else [],
        "drafts": _drafts(request) if may_ask and not is_fragment(request) else [],
        "may_ask": may_ask and request.at is None,
        "sees_others": viewer.may(Right.SEE_ACCOUNT) or viewer.may(Right.SEE_TEAM),
        "section": "grants",
        "layout": layout_for(viewer),
    }
    return render_page(request, "access/grants/list.html", context, partial="table")


def wanted_in(request: ViewerRequest) -> dict[str, Any]:
    """Return the filters in the address, for the list and its export."""
    get = request.GET
    return {
        "tab": choice(request, "tab", TABS),
        "text": get.get("q", "").strip()[:200],
        "template": _template(request),
        "account_id": get.get("account", "")[:12],
    }


def _template(request: ViewerRequest) -> str:
    if not request.GET.get("template"):
        return ""
    return choice(request, "template", {offer.slug for offer in offered_templates(with_retired=True)})


def _files(viewer: Viewer, wanted: dict[str, Any]) -> list[tuple[str, str]]:
    if not viewer.may(Right.EXPORT):
        return []
    names = {"text": "q", "account_id": "account"}
    query = QueryPairs.from_pairs((names.get(name, name), value) for name, value in wanted.items())
    return file_links("access:grants-export", query)


def rows_of(grants: list[Grant], viewer: Viewer) -> list[GrantRow]:
    """Return the rows of grants; the number of queries doesn’t depend on the number of grants."""
    hidden = hidden_in(grants, viewer=viewer)
    uses = last_uses_of([grant for grant in grants if grant.pk not in hidden], now=datetime.now(tz=UTC))
    bodies = bodies_for(grants)
    marks = marks_of(grants)
    now = datetime.now(tz=UTC)
    rows = []
    for grant in grants:
        others = len(hidden.get(grant.pk, ()))
        parts = [] if others else sorted(grant.parts.all(), key=lambda part: part.account.name)
        accounts = [part.account.name for part in parts]
        unplanned = 0 if grant.parts.all() else len(grant.terms["accounts"])
        rows.append(
            GrantRow(
                grant,
                marks[grant.pk],
                _effect(grant, bodies, viewer),
                end_of(grant),
                accounts[:NAMED],
                max(0, len(accounts) - NAMED),
                unplanned,
                _soon(grant, now),
                [(part.account.account_id, part.account.name) for part in parts],
                others,
                uses.get(grant.pk),
            )
        )
    return rows


def _effect(grant: Grant, bodies: Bodies, viewer: Viewer) -> str:
    terms = grant.agreed
    return in_one_line(
        terms.what, account_id=terms.accounts[0], bodies=bodies, plain=not viewer.sees_accounts
    )


def _soon(grant: Grant, now: datetime) -> str:
    """Return '3 hours left' for a grant that ends within a week, else ''."""
    if grant.ends_at is None or grant.state not in GIVING:
        return ""
    left = grant.ends_at - now
    if left <= timedelta():
        return "Ending"
    return left_text(grant.ends_at, now=now) if left < ENDING_SOON else ""


def _drafts(request: ViewerRequest) -> list[DraftRow]:
    return [
        DraftRow(reverse("access:grant-who", args=[draft.pk]), _said(draft), draft.updated_at)
        for draft in drafts_of(request.viewer)[:MAX_DRAFTS]
    ]


def _said(draft: GrantDraft) -> str:
    try:
        return f"For {who_words(who_of(draft.body)) or 'no one yet'}"
    except TermsError:
        return "A draft"

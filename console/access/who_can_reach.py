"""The slowest part of “Who can”, loaded by htmx or as a page: who can become someone who can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.http import Http404, HttpResponse
from django.urls import reverse

from console.access.calculation import waits_for_calculation
from console.access.forms.who_can import WhoCanForm
from console.access.lines import CERTAINTY_MARKS, ICONS, KINDS, unread_words
from console.identities.details.frame import SECTIONS
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.query import QueryPairs
from console.web.render import render_page
from iam.access.certainty import Certainty
from iam.access.escalation import ReachingPrincipal
from iam.access.escalation_calculation.path_records import FindingPrincipal
from iam.access.escalation_reach import who_can_become
from iam.access.visible_accounts import accounts_seen
from iam.guard import Right
from iam.mirror.queries.accounts import visible_accounts
from iam.policy.request import PrincipalKind

MAX_PRINCIPALS: Final = 20


@dataclass(frozen=True, slots=True)
class ReachingPrincipalRow:
    """A principal that can become someone who can: number of steps, the first one it becomes, and the
    pages.
    """

    name: str
    icon: str
    account: str
    url: str
    steps: str
    mark: tuple[str, str, str]
    note: str
    is_role: bool
    first: str
    first_icon: str
    first_url: str
    path: str


@require(Right.SEE_ACCOUNT)
@waits_for_calculation
def who_can_reach(request: ViewerRequest) -> HttpResponse:
    """Answer the question in the address. Raises Http404 without a question."""
    form = WhoCanForm(request)
    if form.question is None:
        raise Http404
    reach = who_can_become(form.question, seen=accounts_seen(request.viewer), most=MAX_PRINCIPALS)
    accounts = _account_names(request, reach.rows)
    context = {
        **asof_context(request, account=form.account),
        "section": "who-can",
        "account": form.account,
        "form": form,
        "selection": form.question.selection,
        "back": f"{reverse('access:who-can')}{form.query}",
        "reach": reach,
        "reach_words": f"{reach.sure:,} confirmed, {reach.total - reach.sure:,} conditional or unconfirmed",
        "climbers": [_climber(reached, form.query, accounts, reach.names) for reached in reach.rows],
        "more": reach.total - len(reach.rows),
    }
    return render_page(request, "access/who_can_reach.html", context, partial="reach")


def _account_names(request: ViewerRequest, rows: list[ReachingPrincipal]) -> dict[str, str]:
    numbers = {reached.member.account for reached in rows}
    accounts = visible_accounts(request.viewer).filter(account_id__in=numbers)
    return dict(accounts.values_list("account_id", "name")) if numbers else {}


def _climber(
    reached: ReachingPrincipal, query: QueryPairs, accounts: Mapping[str, str], names: Mapping[int, str]
) -> ReachingPrincipalRow:
    first = reached.first if reached.first is not None and reached.first.id != reached.member.id else None
    note = (
        f"Unconfirmed: {unread_words(reached.unread)}" if reached.certainty is Certainty.UNCONFIRMED else ""
    )
    first_name = names[first.id] if first else ""
    first_icon = ICONS[first.kind] if first else ""
    first_url = _url(first, query) if first else ""
    path = _path(reached.member, first, query) if first else ""
    return ReachingPrincipalRow(
        name=names[reached.member.id],
        icon=ICONS[reached.member.kind],
        account=accounts.get(reached.member.account, reached.member.account),
        url=_url(reached.member, query),
        steps=f"{reached.steps} step{'' if reached.steps == 1 else 's'}",
        mark=CERTAINTY_MARKS[reached.certainty],
        note=note,
        is_role=reached.member.kind is PrincipalKind.ROLE,
        first=first_name,
        first_icon=first_icon,
        first_url=first_url,
        path=path,
    )


def _path(member: FindingPrincipal, first: FindingPrincipal, query: QueryPairs) -> str:
    """Return the address of the path to the first one."""
    address = reverse("access:escalation-path", args=[member.id])
    return f"{address}{query.with_only('as-of').with_values(to=first.arn)}"


def _url(member: FindingPrincipal, query: QueryPairs) -> str:
    if member.kind not in KINDS:
        return ""
    address = reverse(SECTIONS[KINDS[member.kind]][2], args=[member.id])
    return f"{address}{query.with_only('as-of')}".rstrip("?")

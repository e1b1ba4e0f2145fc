"""The page "Compare access": two principals, or one at two moments, service by service and action by action;
and its files.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from console.access.compare_rows import group_rows, lines, service_row
from console.access.offers import Offer, principals_offered
from console.access.versus import Versus, read
from console.web.access import ViewerRequest, require
from console.web.context import frame_of
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from console.web.render import render_page
from iam.access.compare import Comparison, Moment, OneService, Sort, compare
from iam.guard import Right
from iam.journal.services import record
from iam.mirror.models import Entity
from iam.mirror.queries.lists.freshness import was_unknown
from iam.policy.request import PrincipalKind

FEW: Final = 6
"""So many services are shown action by action at once; of more, one is chosen."""
LISTED: Final = 40
PAGES: Final = {
    PrincipalKind.USER: "identities:person",
    PrincipalKind.ROLE: "identities:role",
    PrincipalKind.SESSION: "identities:role",
}
COLUMNS: Final = (
    "service",
    "service_name",
    "action",
    "access_level",
    "difference",
    "left",
    "right",
    "because",
    "example",
    "risky",
)


@require(Right.SEE_ACCOUNT)
def compare_page(request: ViewerRequest) -> HttpResponse:
    """`?a=PK&a-at=…&b=PK&b-at=…`, by number, name or ARN; without `b` the same one. Without anybody, the
    form.
    """
    versus = read(request)
    context: dict[str, Any] = {
        "section": "compare-access",
        "account": frame_of(request).chosen,
        "versus": versus,
        "a_at": versus.at_input("a"),
        "b_at": versus.at_input("b"),
        "a_at_error": versus.errors.get("a-at", ""),
        "b_at_error": versus.errors.get("b-at", ""),
        "principals": _principals(request, versus),
        "account_kept": request.GET.get("account", ""),
    }
    if versus.left is not None and versus.right is not None:
        comparison = compare(versus.left, versus.right)
        context |= _answer(request, versus, comparison) | _ends(versus.left, versus.right)
    status = 422 if versus.is_wrong else 200
    return render_page(request, "access/compare.html", context, partial="comparison", status=status)


def _answer(request: ViewerRequest, versus: Versus, comparison: Comparison) -> dict[str, Any]:
    differing = [service for service in comparison.services if service.differs]
    listed = comparison.services if versus.shows_all else differing
    after = _after(request, listed)
    part = listed[after : after + LISTED]
    left, right = comparison.risks
    return {
        "found": comparison,
        "only_right": comparison.number(Sort.ONLY_RIGHT),
        "only_left": comparison.number(Sort.ONLY_LEFT),
        "wider": comparison.number(Sort.WIDER),
        "narrower": comparison.number(Sort.NARROWER),
        "altered": comparison.number(Sort.ALTERED),
        "risk_left": left,
        "risk_right": right,
        "services": [service_row(comparison, service, query=versus.query) for service in part],
        "total": len(listed),
        "all_services": len(comparison.services),
        "next": str(versus.query.but(after=part[-1].prefix)) if after + LISTED < len(listed) else "",
        "differences_url": str(versus.query.but(show="")),
        "all_url": str(versus.query.but(show="all")),
        "details": [
            (
                service,
                service_row(comparison, service, query=versus.query),
                group_rows(comparison, service.prefix, query=versus.query),
            )
            for service in _chosen(versus, differing)
        ],
        "is_choice": len(differing) > FEW,
        "files": _files(request, versus),
    }


def _after(request: ViewerRequest, listed: list[OneService]) -> int:
    """From where on the table goes on; a service that is not in it begins it anew."""
    prefixes = [service.prefix for service in listed]
    after = request.GET.get("after", "")
    return prefixes.index(after) + 1 if after in prefixes else 0


def _chosen(versus: Versus, differing: list[OneService]) -> list[OneService]:
    if versus.prefix:
        return [service for service in differing if service.prefix == versus.prefix]
    return differing if len(differing) <= FEW else []


def _ends(left: Moment, right: Moment) -> dict[str, Any]:
    """Who stands where, and where the facts of the two moments are told."""
    facts = ""
    if left.who.number == right.who.number and left.who.number > 0 and left.at:
        query = {"entity": str(left.who.number), "from": f"{left.at:%Y-%m-%dT%H:%M:%S}"}
        query |= {"to": f"{right.at:%Y-%m-%dT%H:%M:%S}"} if right.at else {}
        facts = f"{reverse('identities:compare')}?{urlencode(query)}"
    return {
        "left": left,
        "right": right,
        "left_unknown": _is_unknown(left),
        "right_unknown": _is_unknown(right),
        "left_url": _url(left),
        "right_url": _url(right),
        "facts": facts,
    }


def _is_unknown(side: Moment) -> bool:
    """Whether nothing is known of the principal at the moment of this side."""
    if side.at is None or side.who.number <= 0:
        return False
    entity = Entity.objects.select_related("account").filter(pk=side.who.number).first()
    return entity is not None and was_unknown(entity, at=side.at)


def _url(side: Moment) -> str:
    if side.who.is_root:
        address = reverse("setup:account", args=[side.who.account])
    else:
        address = reverse(PAGES[side.who.kind], args=[side.who.number])
    return f"{address}?as-of={side.at:%Y-%m-%dT%H:%M:%S}" if side.at else address


def _principals(request: ViewerRequest, versus: Versus) -> list[Offer]:
    """Who may be meant where nobody was found by what was written; one query a side that is wrong."""
    wrong = [versus.texts[name] for name in ("a", "b") if name in versus.errors]
    offers = chain.from_iterable(principals_offered(request, text) for text in wrong)
    return list(dict.fromkeys(offers))


def _files(request: ViewerRequest, versus: Versus) -> list[tuple[str, str]]:
    if not _may_export(request, versus):
        return []
    query = versus.query.but(show="")
    return [
        (form.upper(), f"{reverse('access:compare-export', args=[form])}{query}") for form in ("csv", "json")
    ]


def _may_export(request: ViewerRequest, versus: Versus) -> bool:
    sides = [side for side in (versus.left, versus.right) if side is not None]
    return all(request.viewer.may(Right.EXPORT, account_id=side.who.account) for side in sides)


@require(Right.SEE_ACCOUNT)
def compare_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Every action that differs, as a file; 404 for who may not export and for what is no comparison. Noted
    in the journal.
    """
    versus = read(request)
    if form not in FORMS or versus.left is None or versus.right is None or not _may_export(request, versus):
        raise Http404
    left, right, now = versus.left, versus.right, datetime.now(tz=UTC)
    subject = f"{left.who.arn} and {right.who.arn}" if not versus.is_one else left.who.arn
    account_id = left.who.account if left.who.account == right.who.account else ""
    record(
        kind="access_comparison.export",
        actor=request.viewer,
        subject=subject,
        account_id=account_id,
        data={"form": form, "query": str(versus.query)},
    )
    comparison = compare(left, right)
    about = {
        "left": {"principal": left.who.arn, "as_of": json_value(left.at)},
        "right": {"principal": right.who.arn, "as_of": json_value(right.at)},
        "exported_at": json_value(now),
        "undecidable": [f"{policy}: {problem}" for policy, problem in comparison.undecided],
    }
    rows = lines(comparison)
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    return download(
        parts, form=form, name=f"gatehouse-compare-{left.who.name}-{right.who.name}-{now:%Y-%m-%dT%H%M%SZ}"
    )

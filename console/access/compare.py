"""The page “Compare access”: two principals, or one at two moments, by service and action; with exports."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from console.access.compare_rows import file_rows, group_rows, service_row
from console.access.forms.compare import CompareForm
from console.access.offers import Offer, principals_offered
from console.web.access import ViewerRequest, require
from console.web.address_choices import to_page_with_problems
from console.web.context import frame_of
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from console.web.render import render_page
from iam.access.compare import AccessComparison, ComparedSide, DifferenceSort, ServiceDifference, compare
from iam.guard import Right
from iam.journal.services import record
from iam.mirror.models import Entity
from iam.mirror.queries.lists.freshness import was_unknown
from iam.policy.request import PrincipalKind

MAX_OPEN_SERVICES: Final = 6
"""Maximum number of services whose actions are all shown at once; with more, the viewer chooses one."""
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
    """Compare `?a=PK&a-at=…&b=PK&b-at=…`.

    Principals are given by ID, name or ARN; without `b` it is the same one. Without a principal only the form
    is shown.
    """
    form = CompareForm(request)
    context: dict[str, Any] = {
        "section": "compare-access",
        "account": frame_of(request).chosen,
        "form": form,
        "a_at": form.at_input("a"),
        "b_at": form.at_input("b"),
        "a_at_error": form.problems.get("a_at", ""),
        "b_at_error": form.problems.get("b_at", ""),
        "principals": _principals(request, form),
        "account_kept": request.GET.get("account", ""),
    }
    if form.left is not None and form.right is not None:
        comparison = compare(form.left, form.right)
        context |= _answer(request, form, comparison) | _ends(form.left, form.right)
    status = 422 if form.errors else 200
    return render_page(request, "access/compare.html", context, partial="comparison", status=status)


def _answer(request: ViewerRequest, form: CompareForm, comparison: AccessComparison) -> dict[str, Any]:
    differing = [service for service in comparison.services if service.differs]
    listed = comparison.services if form.shows_all else differing
    after = _after(request, listed)
    part = listed[after : after + LISTED]
    left, right = comparison.risks
    return {
        "found": comparison,
        "only_right": comparison.number(DifferenceSort.ONLY_RIGHT),
        "only_left": comparison.number(DifferenceSort.ONLY_LEFT),
        "wider": comparison.number(DifferenceSort.WIDER),
        "narrower": comparison.number(DifferenceSort.NARROWER),
        "altered": comparison.number(DifferenceSort.ALTERED),
        "only_right_unlisted": comparison.number_unlisted(DifferenceSort.ONLY_RIGHT),
        "only_left_unlisted": comparison.number_unlisted(DifferenceSort.ONLY_LEFT),
        "risk_left": left,
        "risk_right": right,
        "services": [service_row(comparison, service, query=form.query) for service in part],
        "total": len(listed),
        "all_services": len(comparison.services),
        "next": str(form.query.with_values(after=part[-1].prefix)) if after + LISTED < len(listed) else "",
        "differences_url": str(form.query.with_values(show="")),
        "all_url": str(form.query.with_values(show="all")),
        "details": [
            (
                service,
                service_row(comparison, service, query=form.query),
                group_rows(comparison, service.prefix, query=form.query),
            )
            for service in _chosen(form, differing)
        ],
        "is_choice": len(differing) > MAX_OPEN_SERVICES,
        "files": _files(request, form),
    }


def _after(request: ViewerRequest, listed: list[ServiceDifference]) -> int:
    """Return the index at which the table continues; 0 for a service that isn’t in it."""
    prefixes = [service.prefix for service in listed]
    after = request.GET.get("after", "")
    return prefixes.index(after) + 1 if after in prefixes else 0


def _chosen(form: CompareForm, differing: list[ServiceDifference]) -> list[ServiceDifference]:
    if form.service:
        return [service for service in differing if service.prefix == form.service]
    return differing if len(differing) <= MAX_OPEN_SERVICES else []


def _ends(left: ComparedSide, right: ComparedSide) -> dict[str, Any]:
    """Return the two sides and the addresses with the facts of their moments."""
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


def _is_unknown(side: ComparedSide) -> bool:
    """Return whether nothing is known about the principal at this side's moment."""
    if side.at is None or side.who.number <= 0:
        return False
    entity = Entity.objects.select_related("account").filter(pk=side.who.number).first()
    return entity is not None and was_unknown(entity, at=side.at)


def _url(side: ComparedSide) -> str:
    if side.who.is_root:
        address = reverse("setup:account", args=[side.who.account])
    else:
        address = reverse(PAGES[side.who.kind], args=[side.who.number])
    return f"{address}?as-of={side.at:%Y-%m-%dT%H:%M:%S}" if side.at else address


def _principals(request: ViewerRequest, form: CompareForm) -> list[Offer]:
    """Return suggestions for the names that matched no principal; takes one query per invalid side."""
    wrong = [form.texts[name] for name in ("a", "b") if name in form.problems]
    offers = chain.from_iterable(principals_offered(request, text) for text in wrong)
    return list(dict.fromkeys(offers))


def _files(request: ViewerRequest, form: CompareForm) -> list[tuple[str, str]]:
    if not _may_export(request, form):
        return []
    query = form.query.with_values(show="")
    return [
        (suffix.upper(), f"{reverse('access:compare-export', args=[suffix])}{query}")
        for suffix in ("csv", "json")
    ]


def _may_export(request: ViewerRequest, form: CompareForm) -> bool:
    sides = [side for side in (form.left, form.right) if side is not None]
    return all(request.viewer.may(Right.EXPORT, account_id=side.who.account) for side in sides)


@require(Right.SEE_ACCOUNT)
def compare_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export every action that differs, and record the export.

    Raises Http404 for viewers without the right to export, and for an invalid comparison.
    """
    question = CompareForm(request)
    left, right, now = question.left, question.right, datetime.now(tz=UTC)
    if form not in FORMS or left is None or right is None or not _may_export(request, question):
        raise Http404
    if way := to_page_with_problems(request, reverse("access:compare")):
        return way
    subject = f"{left.who.arn} and {right.who.arn}" if not question.is_one else left.who.arn
    account_id = left.who.account if left.who.account == right.who.account else ""
    record(
        kind="access_comparison.export",
        actor=request.viewer,
        subject=subject,
        account_id=account_id,
        data={"form": form, "query": str(question.query)},
    )
    comparison = compare(left, right)
    about = {
        "left": {"principal": left.who.arn, "as_of": json_value(left.at)},
        "right": {"principal": right.who.arn, "as_of": json_value(right.at)},
        "exported_at": json_value(now),
        "undecidable": [f"{policy}: {problem}" for policy, problem in comparison.undecided],
    }
    rows = file_rows(comparison)
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    return download(
        parts, form=form, name=f"gatehouse-compare-{left.who.name}-{right.who.name}-{now:%Y-%m-%dT%H%M%SZ}"
    )

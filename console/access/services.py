"""Pages about services: which services are accessible, and who has which access level to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.access.bars import bar, quarters
from console.access.calculation import waits_for_calculation
from console.access.forms.effective import EffectiveAccessForm
from console.access.lines import PRINCIPAL_COLUMNS
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice, problems_of, to_page_with_problems
from console.web.asof import asof_context
from console.web.context import frame_of
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from console.web.query import QueryPairs
from console.web.render import render_page
from console.web.unsynced import unsynced_note
from iam.access import service_usage as domain
from iam.access.escalation_calculation.coverage import PRINCIPAL_SECTIONS
from iam.access.visible_accounts import accounts_seen
from iam.guard import Right
from iam.journal.services import record
from iam.mirror.models import Account
from iam.mirror.queries.accounts import visible_accounts
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.request import PrincipalKind

SIZE: Final = 50
SERVICES: Final = 100
MAX_LENGTH: Final = 200
NAMES: Final = ("q", "level", "how", "kind", "account", "as-of")
SEPARATOR: Final = "~"
KINDS: Final = {"people": PrincipalKind.USER, "roles": PrincipalKind.ROLE}
KIND_LABELS: Final = (("", "Users and roles"), ("people", "IAM users"), ("roles", "Roles"))
PAGES: Final = {PrincipalKind.USER: "access:person-service", PrincipalKind.ROLE: "access:role-service"}
WORDS: Final = {PrincipalKind.USER: "IAM user", PrincipalKind.ROLE: "Role"}


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """A service in the list."""

    use: domain.ServiceCounts
    url: str
    fills: str
    counts: str


@dataclass(frozen=True, slots=True)
class ServicePrincipalLine:
    """A principal who can use a service."""

    row: domain.ServiceUser
    url: str
    account: str
    sort: str
    fills: str
    counts: str
    far: tuple[str, ...]


@require_safe
@require(Right.SEE_ACCOUNT)
@waits_for_calculation
def services_page(request: ViewerRequest) -> HttpResponse:
    """List all services that someone can use."""
    account, form = _account(request), EffectiveAccessForm(request.GET)
    uses = domain.uses(accounts_seen(request.viewer, account=_number(account)), at=request.at)
    fitting = [use for use in uses.services if _is_asked(use, form)]
    begin = next((place for place, use in enumerate(fitting, 1) if use.prefix == form.after), 0)
    part = fitting[begin : begin + SERVICES]
    context = _around(request, account, form) | {
        "lines": [_service_line(use, uses, request) for use in part],
        "all_services": len(uses.services),
        "counted_at": uses.calculated_at,
        "fitting": len(fitting),
        "principals": uses.users + uses.roles,
        "users": uses.users,
        "roles": uses.roles,
        "first": begin + 1 if part else 0,
        "last": begin + len(part),
        "after": part[-1].prefix if begin + SERVICES < len(fitting) else "",
        "unsynced": unsynced_note(request, *PRINCIPAL_SECTIONS),
    }
    return render_page(request, "access/services.html", context, partial="table")


@require_safe
@require(Right.SEE_ACCOUNT)
def service_page(request: ViewerRequest, prefix: str) -> HttpResponse:
    """List who can use a service."""
    account, form = _account(request), EffectiveAccessForm(request.GET)
    wanted, kind = _user_filter(request, account, form, prefix)
    page = domain.page_of(prefix, wanted, after=_place(form.after), size=SIZE)
    names = _names(request, page.rows)
    last = page.rows[-1].list_position if page.rows and page.has_after else None
    context = _around(request, account, form) | {
        "prefix": prefix,
        "title": catalogue().title(prefix),
        "kind": kind,
        "kind_choices": [(value, label, value == kind) for value, label in KIND_LABELS],
        "lines": [_line(row, names, prefix) for row in page.rows],
        "users": page.users,
        "roles": page.roles,
        "after": SEPARATOR.join(last) if last else "",
        "is_filtered": form.is_filtered or bool(kind),
        "files": _files(request, account, prefix),
        "unsynced": unsynced_note(request, *PRINCIPAL_SECTIONS),
    }
    return render_page(request, "access/service.html", context, partial="table")


@require_safe
@require(Right.SEE_ACCOUNT)
def service_export(request: ViewerRequest, prefix: str, form: str) -> HttpResponseBase:
    """Export the filtered list and record the export. Raises Http404 for viewers without the right to
    export.
    """
    account, question = _account(request), EffectiveAccessForm(request.GET)
    wanted, _ = _user_filter(request, account, question, prefix)
    if form not in FORMS or not request.viewer.may(Right.EXPORT, account_id=_number(account) or None):
        raise Http404
    problems_of(request).extend(question.problems)
    if way := to_page_with_problems(request, reverse("access:service", args=[prefix])):
        return way
    now, query = datetime.now(tz=UTC), str(_query(request))
    record(
        kind="services.export",
        actor=request.viewer,
        subject=catalogue().title(prefix),
        account_id=_number(account),
        data={"form": form, "query": query},
    )
    about = {
        "service": prefix,
        "query": query,
        "as_of": json_value(request.at),
        "exported_at": json_value(now),
    }
    name = f"gatehouse-{prefix}-{_number(account) or 'all-accounts'}-{request.at or now:%Y-%m-%dT%H%M%SZ}"
    rows = (values_of(row) for row in domain.every_row(prefix, wanted))
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    return download(parts, form=form, name=name)


COLUMNS: Final = (
    *PRINCIPAL_COLUMNS,
    *(f"{str(level).partition(' ')[0].lower()}_actions" for level in AccessLevel),
    "everywhere",
    "limited",
    "conditional",
)


def values_of(row: domain.ServiceUser) -> dict[str, Any]:
    """Return the columns of a row for a file."""
    levels = []
    for level in AccessLevel:
        counts = row.levels.get(level)
        total = 0 if counts is None else counts.everywhere + counts.limited + counts.conditional
        levels.append(total)
    far = [sum(getattr(count, name) for count in row.levels.values()) for name in COLUMNS[-3:]]
    return dict(
        zip(COLUMNS, [row.account, row.arn, row.name, row.display, str(row.kind), *levels, *far], strict=True)
    )


def _account(request: ViewerRequest) -> Account | None:
    """Return the chosen account. Raises Http404 if the viewer doesn’t see it."""
    chosen = frame_of(request).chosen
    if request.GET.get("account") and chosen is None:
        raise Http404
    return chosen


def _number(account: Account | None) -> str:
    return account.account_id if account else ""


def _user_filter(
    request: ViewerRequest, account: Account | None, form: EffectiveAccessForm, prefix: str
) -> tuple[domain.ServiceUserFilter, str]:
    """Return the filter, and the kind as in the address. Raises Http404 for a service that AWS doesn’t
    have.
    """
    if prefix != prefix.lower() or not catalogue().has_service(prefix):
        raise Http404
    kind = choice(request, "kind", KINDS)
    seen = accounts_seen(request.viewer, account=_number(account))
    levels = form.levels if form.access_level else ()
    return domain.ServiceUserFilter(seen, request.at, levels, KINDS.get(kind), form.text), kind


def _place(text: str) -> tuple[str, str]:
    account, _, arn = text.partition(SEPARATOR)
    return (account, arn) if arn else ("", "")


def _query(request: ViewerRequest) -> QueryPairs:
    """Return the query parameters that the page understands."""
    texts = {name: request.GET.get(name, "")[:MAX_LENGTH] for name in NAMES}
    return QueryPairs.from_pairs((texts | {"as-of": texts["as-of"] if request.at else ""}).items())


def _around(request: ViewerRequest, account: Account | None, form: EffectiveAccessForm) -> dict[str, Any]:
    kept = _query(request).with_only("account", "as-of").pairs
    return asof_context(request, account=account) | {
        "section": "services",
        "account": account,
        "form": form,
        "kept": kept,
        "no_account": not frame_of(request).accounts,
    }


def _is_asked(use: domain.ServiceCounts, form: EffectiveAccessForm) -> bool:
    text = form.text.lower()
    fits = not text or text in use.title.lower() or text in use.prefix
    return fits and (not form.access_level or any(use.levels[level] for level in form.levels))


def _service_line(
    use: domain.ServiceCounts, uses: domain.UsableServices, request: ViewerRequest
) -> ServiceLine:
    everybody = uses.users + uses.roles
    counts = [use.levels[level] for level in AccessLevel]
    query = _query(request).with_only("account", "as-of")
    return ServiceLine(
        use,
        f"{reverse('access:service', args=[use.prefix])}{query}".rstrip("?"),
        " ".join(str(quarters(count, everybody)) for count in counts),
        " ".join(f"{count:,}" for count in counts),
    )


def _line(row: domain.ServiceUser, names: dict[str, str], prefix: str) -> ServicePrincipalLine:
    fills, counts = bar(row.levels)
    far = (
        (sum(count.everywhere for count in row.levels.values()), "everywhere"),
        (sum(count.limited for count in row.levels.values()), "on some resources"),
        (sum(count.conditional for count in row.levels.values()), "conditional"),
    )
    return ServicePrincipalLine(
        row,
        reverse(PAGES[row.kind], args=[row.pk, prefix]),
        names.get(row.account, row.account),
        WORDS[row.kind],
        fills,
        counts,
        tuple(f"{count:,} {words}" for count, words in far if count),
    )


def _names(request: ViewerRequest, rows: list[domain.ServiceUser]) -> dict[str, str]:
    """Return the account names of a page by ID; takes one query."""
    numbers = {row.account for row in rows}
    accounts = visible_accounts(request.viewer).filter(account_id__in=numbers)
    return dict(accounts.values_list("account_id", "name"))


def _files(request: ViewerRequest, account: Account | None, prefix: str) -> list[tuple[str, str]]:
    if not request.viewer.may(Right.EXPORT, account_id=_number(account) or None):
        return []
    query = _query(request)
    return [
        (label, f"{reverse('access:service-export', args=[prefix, form])}{query}")
        for label, form in (("CSV", "csv"), ("JSON", "json"))
    ]

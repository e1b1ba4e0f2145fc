"""The pages about escalation: who can become administrator or somebody else, and one path with what would close it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.access.escalation_steps import (
    Frame,
    closers_of,
    conditions_of,
    mark_of,
    members_of,
    nodes_of,
    page_of,
    stages_of,
    titles_of,
)
from console.access.lines import Node
from console.identities.details.shown import shown_or_404
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.context import frame_of
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from console.web.query import Query
from console.web.render import is_fragment, render_page
from iam.access import escalation as domain
from iam.access.grants.models import GIVING, Grant, LedgerEntry
from iam.access.grants.queries import visible_grants
from iam.access.sight import accounts_seen
from iam.guard import Right
from iam.journal.services import record
from iam.mirror.models import Account, Kind
from iam.mirror.queries.accounts import visible_accounts
from iam.policy.escalation.grounds import Statement
from iam.policy.index.classes import Member
from iam.policy.request import PrincipalKind

GRANTS: Final = 5
PAGE: Final = 50
LONGEST: Final = 2048
CHOICES: Final = 8
SEPARATOR: Final = "~"
KINDS: Final = {"people": PrincipalKind.USER, "roles": PrincipalKind.ROLE}
KIND_LABELS: Final = (("", "People and roles"), ("people", "People"), ("roles", "Roles"))
SHOWN_LABELS: Final = (("", "Who can become it"), ("there", "Who is it already"))
NAMES: Final = ("from", "to", "q", "kind", "show", "account", "as-of")
COLUMNS: Final = (
    "account_id", "arn", "name", "display_name", "kind", "certainty", "steps", "path", "conditions", "closed_without",
)  # fmt: skip


@dataclass(slots=True)
class Asked:
    """An address, read. `start` and `goal` are whom `from` and `to` name; `errors` are sentences by field."""

    account: Account | None
    wanted: domain.Wanted
    query: Query
    texts: dict[str, str]
    start: Member | None = None
    goal: Member | None = None
    after: domain.Place | None = None
    errors: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """(ARN, address with it) of those whom an unclear name may mean, by field."""

    @property
    def to(self) -> tuple[str, int] | None:
        """The goal as the domain takes it; None: administrators."""
        return None if self.goal is None else (self.goal.account, self.goal.id)

    @property
    def is_filtered(self) -> bool:
        """Whether the list is narrowed."""
        return bool(self.texts["q"] or self.texts["kind"])


@dataclass(frozen=True, slots=True)
class Line:
    """Somebody in the list."""

    row: domain.Row
    url: str
    why: str
    account: str
    mark: tuple[str, str, str]
    nodes: list[Node]
    titles: list[str]
    conditions: list[str]


@require_safe
@require(Right.SEE_ACCOUNT)
def escalation_page(request: ViewerRequest) -> HttpResponse:
    """Who reaches the goal, or, with `from`, the path of one."""
    asked = _read(request)
    context = _frame(request, asked)
    if asked.errors:
        return render_page(request, "access/escalation.html", context, partial="answer", status=422)
    if asked.start is not None:
        context |= _one(request, asked, asked.start)
    else:
        context |= _list(request, asked)
    return render_page(request, "access/escalation.html", context, partial="answer")


@require_safe
@require(Right.SEE_ACCOUNT)
def escalation_path(request: ViewerRequest, pk: int) -> HttpResponse:
    """One path with everything that it rests on; a part of the page as a drawer."""
    asked = _read(request)
    if asked.errors:
        raise Http404
    kinds = [Kind.USER, Kind.ROLE]
    shown = shown_or_404(request, pk, kinds=kinds)
    seen = accounts_seen(request.viewer)
    is_seen = seen is None or shown.account_id in seen
    found = (
        domain.explained(shown.account_id, pk, at=request.at, to=asked.to, accounts=seen) if is_seen else None
    )
    if found is None:
        raise Http404
    query = asked.query.but(**{"from": ""})
    context = _explained(request, asked, found) | {
        **asof_context(request, account=shown.entity.account),
        "section": "escalation",
        "account": shown.entity.account,
        "back": f"{reverse('access:escalation')}{query}".rstrip("?"),
        "arn": found.who.arn,
    }
    return render_page(request, "access/escalation_path.html", context, partial="drawer")


@require_safe
@require(Right.SEE_ACCOUNT)
def escalation_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """The whole list as a file; 404 for who may not export. Noted in the journal."""
    asked = _read(request)
    number = asked.account.account_id if asked.account else ""
    if form not in FORMS or asked.errors or not request.viewer.may(Right.EXPORT, account_id=number or None):
        raise Http404
    record(
        kind="escalation.export",
        actor=request.viewer,
        subject=_goal(asked),
        account_id=number,
        data={"form": form, "query": str(asked.query)},
    )
    now = datetime.now(tz=UTC)
    about = {
        "goal": asked.goal.arn if asked.goal else "administrator",
        "account": number or None,
        "as_of": json_value(request.at),
        "exported_at": json_value(now),
    }
    rows = _values(request, asked)
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    name = f"gatehouse-escalation-{number or 'all-accounts'}-{request.at or now:%Y-%m-%dT%H%M%SZ}"
    return download(parts, form=form, name=name)


def _read(request: ViewerRequest) -> Asked:
    """The address; an account that the viewer does not see is 404, a name that nobody seen has is an error."""
    account = frame_of(request).chosen
    if request.GET.get("account") and account is None:
        raise Http404
    texts = {name: request.GET.get(name, "").strip()[:LONGEST] for name in NAMES}
    texts |= {"kind": texts["kind"] if texts["kind"] in KINDS else ""}
    texts |= {"as-of": texts["as-of"] if request.at else "", "account": account.account_id if account else ""}
    wanted = domain.Wanted(
        accounts_seen(request.viewer, account=texts["account"]),
        request.at,
        is_there=texts["show"] == "there",
        kind=KINDS.get(texts["kind"]),
        text=texts["q"],
    )
    asked = Asked(account, wanted, Query.of(texts.items()), texts, after=_place(request.GET.get("after", "")))
    asked.start, asked.goal = _named(request, asked, "from"), _named(request, asked, "to")
    asked.wanted = domain.Wanted(
        wanted.accounts, wanted.at, asked.to, wanted.is_there and asked.goal is None, wanted.kind, wanted.text
    )
    return asked


def _named(request: ViewerRequest, asked: Asked, name: str) -> Member | None:
    text = asked.texts[name]
    if not text:
        return None
    found = domain.find(text, accounts=accounts_seen(request.viewer), at=request.at)
    here = [member for member in found if asked.account and member.account == asked.account.account_id]
    if len(found) > 1 and len(here) == 1:
        return here[0]
    if len(found) == 1:
        return found[0]
    if found:
        asked.errors[name] = (
            f"“{text}” is the name of {len(found)} users or roles. Choose one, or give its ARN."
        )
        asked.choices[name] = [
            (member.arn, f"{request.path}{asked.query.but(**{name: member.arn})}")
            for member in sorted(found, key=lambda member: member.arn)[:CHOICES]
        ]
    else:
        asked.errors[name] = f"No user or role that you see is called “{text}”. Give its name or its ARN."
    return None


def _place(word: str) -> domain.Place | None:
    parts = word.split(SEPARATOR, 4)
    if len(parts) != 5 or not parts[2].isdecimal() or len(parts[2]) > 4:
        return None
    return domain.Place(parts[0] == "1", parts[1] == "1", int(parts[2]), parts[3], parts[4])


def _word(place: domain.Place) -> str:
    return SEPARATOR.join(
        (str(int(place.is_role)), str(int(place.is_conditional)), str(place.steps), place.account, place.arn)
    )


def _goal(asked: Asked) -> str:
    return f"who can become {asked.goal.name if asked.goal else 'administrator'}"


def _frame(request: ViewerRequest, asked: Asked) -> dict[str, Any]:
    return {
        **asof_context(request, account=asked.account),
        "section": "escalation",
        "account": asked.account,
        "asked": asked,
        "texts": asked.texts,
        "start": asked.texts["from"],
        "goal": _goal(asked),
        "kept": asked.query.only("account", "as-of").pairs,
        "fragment": is_fragment(request),
        "no_account": not frame_of(request).accounts,
    }


def _list(request: ViewerRequest, asked: Asked) -> dict[str, Any]:
    found = domain.who_reaches(asked.wanted, size=PAGE, after=asked.after)
    names = _account_names(request, found)
    frame = _shown(request, asked)
    return {
        "found": found,
        "summary": _summary(found, asked),
        "lines": [_line(row, names, asked, frame) for row in found.rows],
        "after": _word(found.rows[-1].place) if found.rows and found.has_after else "",
        "is_later": asked.after is not None,
        "all_accounts": asked.account is None,
        "kind_choices": [(value, label, value == asked.texts["kind"]) for value, label in KIND_LABELS],
        "shown_choices": [(value, label, value == asked.texts["show"]) for value, label in SHOWN_LABELS],
        "files": _files(request, asked),
    }


def _account_names(request: ViewerRequest, found: domain.Found) -> dict[str, str]:
    numbers = {row.place.account for row in found.rows}
    rows = visible_accounts(request.viewer).filter(account_id__in=numbers)
    return dict(rows.values_list("account_id", "name"))


def _shown(request: ViewerRequest, asked: Asked, policies: Any = None) -> Frame:
    sees = request.viewer.scope.sees_account
    if asked.goal is not None:
        return Frame(sees, asked.query, policies or {}, asked.goal.name)
    return Frame(sees, asked.query, policies or {})


def _line(row: domain.Row, names: dict[str, str], asked: Asked, frame: Frame) -> Line:
    path = row.path
    assert path is not None
    query = asked.query.only("to", "account", "as-of")
    return Line(
        row=row,
        url=page_of(path.who, frame),
        why=f"{reverse('access:escalation-path', args=[row.pk])}{query}".rstrip("?"),
        account=names.get(row.place.account, row.place.account),
        mark=mark_of(path),
        nodes=nodes_of(path, frame) if path.steps else [],
        titles=titles_of(path, frame),
        conditions=conditions_of(path, frame),
    )


def _summary(found: domain.Found, asked: Asked) -> str:
    """'3 people and 1 role can become administrator, 2 of them under conditions'."""
    people, roles = (
        sum(count for (is_role, _), count in found.counts.items() if is_role is kind)
        for kind in (False, True)
    )
    goal = asked.goal.name if asked.goal else "administrator"
    if not found.total:
        return f"Nobody is {goal}" if asked.wanted.is_there else f"Nobody can become {goal}"
    parts = [_count(people, "person", "people")] if people else []
    parts += [_count(roles, "role", "roles")] if roles else []
    verb = ("is" if found.total == 1 else "are") if asked.wanted.is_there else "can become"
    doubtful = sum(count for (_, is_conditional), count in found.counts.items() if is_conditional)
    more = f", {doubtful:,} of them under conditions" if doubtful and doubtful < found.total else ""
    more = ", under conditions" if doubtful == found.total else more
    return f"{' and '.join(parts)} {verb} {goal}{more}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _files(request: ViewerRequest, asked: Asked) -> list[tuple[str, str]]:
    if not request.viewer.may(Right.EXPORT, account_id=asked.texts["account"] or None):
        return []
    return [
        (label, f"{reverse('access:escalation-export', args=[form])}{asked.query}".rstrip("?"))
        for label, form in (("CSV", "csv"), ("JSON", "json"))
    ]


def _one(request: ViewerRequest, asked: Asked, start: Member) -> dict[str, Any]:
    seen = accounts_seen(request.viewer)
    found = domain.explained(start.account, start.id, at=request.at, to=asked.to, accounts=seen)
    return {"nobody": start} if found is None else _explained(request, asked, found)


def _explained(request: ViewerRequest, asked: Asked, found: domain.Explained) -> dict[str, Any]:
    path, closing = found.path, found.closing
    frame = replace(_shown(request, asked, found.policies), members=members_of(path) if path else {})
    alone = path.closing if path and closing and path.closing != closing.statements else frozenset()
    return {
        "who": found.who,
        "name": found.who.name,
        "entity_url": page_of(found.who, frame),
        "goal_name": asked.goal.name if asked.goal else "administrator",
        "path": path,
        "mark": mark_of(path) if path else None,
        "stages": stages_of(path, frame) if path else [],
        "closing": closing,
        "closers": closers_of(closing.statements, frame) if closing else [],
        "alone": closers_of(alone, frame),
        "given_by": _given_by(request, [*(closing.statements if closing else ()), *alone]),
        "made_at": found.made_at,
        "limitations": found.limitations,
    }


def _given_by(request: ViewerRequest, statements: Sequence[Statement]) -> list[Grant]:
    """The grants by which somebody has these statements now: ending one takes away what no other needs."""
    if request.at is not None or not statements:
        return []
    which = Q()
    for one in statements:
        which |= Q(target=one.holder) | Q(holder_arn=one.holder, target=one.policy)
    entries = LedgerEntry.objects.filter(which, since__isnull=False, until__isnull=True)
    found = visible_grants(request.viewer).filter(state__in=GIVING, pk__in=entries.values("part__grant"))
    return list(found.order_by("-created_at", "-id")[:GRANTS])


def _values(request: ViewerRequest, asked: Asked) -> Iterator[dict[str, Any]]:
    frame = _shown(request, asked)
    for row in domain.every_row(asked.wanted):
        path = row.path
        if path is None:
            continue
        place = row.place
        closing = [one.text for one in closers_of(path.closing, frame)]
        values = (
            place.account, place.arn, row.name, row.display, str(row.kind),
            "sure" if path.is_sure else "conditional", place.steps, titles_of(path, frame),
            conditions_of(path, frame), closing,
        )  # fmt: skip
        yield dict(zip(COLUMNS, values, strict=True))

"""Escalation by policy: a card per group of statements that opens paths, and its page with the fix and
everyone affected.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.access.calculation import ready_address, waits_for_calculation
from console.access.escalation_address import EscalationAddress, frame_of_path, read
from console.access.escalation_steps import (
    AWS,
    PATH_MARKS,
    ClosingStatement,
    PathPageContext,
    closer_text,
    closers_of,
    conditions_of,
    nodes_of,
    page_of,
    title_of_acts,
    titles_of,
)
from console.access.grant_references import given_by
from console.access.limits import limit_rows
from console.access.lines import PathStop, unread_words
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.query import QueryPairs
from console.web.render import render_page
from iam.access.certainty import Certainty
from iam.access.escalation import limitations_at, policies_of
from iam.access.escalation_calculation.coverage import CalculationCoverage
from iam.access.escalation_calculation.stored_calculation import BeingCalculatedError
from iam.access.escalation_groups import (
    AffectedByOpening,
    EscalationFix,
    GroupFilter,
    OpeningGroups,
    OpeningStatements,
    fix_of,
    groups_of,
    opening_of,
)
from iam.access.visible_accounts import accounts_seen
from iam.guard import Right
from iam.mirror.models import Entity
from iam.mirror.queries.accounts import gatehouse_role_arns
from iam.phrases import counted
from iam.policy.escalation.held_statements import TRUST, HeldStatement

OF_CARD: Final = 5
MAX_GROUPS: Final = 30
TITLES: Final = 2
WHO: Final = "who can become administrator"
OWN_TITLE: Final = "Gatehouse’s own roles"
OWN_ROLES: Final = (
    "Gatehouse syncs accounts and carries approved changes to AWS with these roles, so they can change IAM. "
    "They’re not counted above. "
    "Anyone else who can use one of them is."
)


OWN_STATEMENT: Final = (
    "Gatehouse needs this statement of its own role. Keep everyone who can use the role as safe as an "
    "administrator, or let fewer use it."
)


@dataclass(frozen=True, slots=True)
class AffectedLine:
    """An affected principal on a card or the page of an opening."""

    name: str
    url: str
    is_role: bool
    account: str
    mark: tuple[str, str, str]
    nodes: list[PathStop]
    titles: list[str]
    notes: list[str]
    path_url: str
    steps: str = ""
    is_own: bool = False
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpeningCard:
    """A group: the statements that open paths, what they allow, who is affected, and the fix in one
    sentence.
    """

    key: str
    closers: list[ClosingStatement]
    titles: list[str]
    count: str
    marks: list[tuple[str, str, str]]
    lines: list[AffectedLine]
    total: str
    more: int
    url: str
    fix: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class FixStep:
    """A statement to remove, and where; without `url` it can’t be removed here."""

    closer: ClosingStatement
    label: str
    url: str


def coverage_context(coverage: CalculationCoverage) -> dict[str, Any]:
    """Return the limits of the answer, for its notes and for the text if no one was found."""
    return {
        "unread": coverage.unread,
        "uncovered": coverage.words(WHO),
        "may_miss": coverage.may_miss_someone,
    }


def opening_context(request: ViewerRequest, asked: EscalationAddress) -> dict[str, Any]:
    """Return the groups of the page, the worst first; groups beyond MAX_GROUPS are only counted."""
    narrowed = GroupFilter(asked.texts["q"], asked.wanted.kind, asked.certainty)
    most = None if asked.shows_all else MAX_GROUPS
    groups = groups_of(asked.wanted.accounts, at=request.at, narrowed=narrowed, most=most, each=OF_CARD)
    totals = groups.totals
    statements = chain.from_iterable(group.statements for group in groups.shown)
    policies = policies_of(statements, at=request.at)
    frame = frame_of_path(request, asked, policies)
    query = asked.query.with_only("account", "as-of")
    own = gatehouse_role_arns()
    return {
        "totals": totals,
        "summary": totals.words,
        **coverage_context(totals.coverage),
        "limits": limit_rows(limitations_at(asked.wanted.accounts, at=request.at), viewer=request.viewer),
        "all_accounts": asked.account is None,
        "cards": [_card(group, frame, query, most=OF_CARD, own=own) for group in groups.shown],
        "more_groups": groups.more,
        "fitting": _fitting_words(groups),
    }


def _fitting_words(groups: OpeningGroups) -> str:
    policies = counted(groups.fitting, "policy", "policies")
    return f"{policies}, {groups.principals:,} of {groups.totals.everyone.total:,} principals"


def _card(
    opening: OpeningStatements, frame: PathPageContext, query: QueryPairs, *, most: int, own: Collection[str]
) -> OpeningCard:
    """Return the card of an opening; `own` are Gatehouse's roles, whose statements are intended."""
    closers = closers_of(opening.statements, frame)
    fix = OWN_ROLES if opening.is_own else _fix_sentence(opening, closers, own=own)
    return OpeningCard(
        key=opening.key,
        closers=closers,
        titles=_titles(opening, frame),
        count=_count_words(opening.users, opening.roles),
        marks=_marks(opening),
        lines=[_line(affected, frame, query, is_own=opening.is_own) for affected in opening.affected[:most]],
        total=f"{opening.total:,}",
        more=max(0, opening.total - most),
        url=f"{reverse('access:escalation-opening', args=[opening.key])}{query}".rstrip("?"),
        fix=fix,
        is_own=opening.is_own,
    )


def _count_words(users: int, roles: int) -> str:
    parts = [counted(users, "IAM user")] if users else []
    parts += [counted(roles, "role")] if roles else []
    return " and ".join(parts)


def _titles(opening: OpeningStatements, frame: PathPageContext) -> list[str]:
    """Return what the paths consist of, the most frequent first."""
    words = [", then ".join(title_of_acts(acts, frame) for acts in means) for means in opening.means]
    return list(dict.fromkeys(words))[:TITLES]


def _marks(opening: OpeningStatements) -> list[tuple[str, str, str]]:
    tally = opening.by_certainty
    return [(f"{tally[each]:,} {each}", *PATH_MARKS[each][1:]) for each in Certainty if tally.get(each)]


def _fix_sentence(
    opening: OpeningStatements, closers: list[ClosingStatement], *, own: Collection[str]
) -> str:
    """Return 'Remove PublishCode from PaymentsDeploy. This closes the path for all 14.'"""
    many = opening.total
    if not closers:
        return "No single policy opens these paths. Open each principal to see its steps."
    if any(statement.holder in own for statement in opening.statements):
        return OWN_STATEMENT
    whom = "it" if many == 1 else f"all {many:,}"
    if all(closer.note for closer in closers):
        names = " and ".join(closer.policy for closer in closers)
        return f"Detach {names}, or attach a narrower policy instead. This closes the path for {whom}."
    what = " and ".join(f"{closer.statement} from {closer.policy}" for closer in closers)
    return f"Remove {what}. This closes the path for {whom}."


def _line(
    affected: AffectedByOpening, frame: PathPageContext, query: QueryPairs, *, is_own: bool = False
) -> AffectedLine:
    notes = conditions_of(affected.path, frame) if affected.certainty is Certainty.CONDITIONAL else []
    if affected.certainty is Certainty.UNCONFIRMED:
        notes = [f"Unconfirmed: {unread_words(affected.unread)}"]
    return AffectedLine(
        name=affected.name,
        url=page_of(affected.member, frame),
        is_role=affected.is_role,
        account=frame.accounts.get(affected.member.account, affected.member.account),
        mark=PATH_MARKS[affected.certainty],
        nodes=nodes_of(affected.path, frame),
        titles=titles_of(affected.path, frame),
        notes=notes,
        path_url=f"{reverse('access:escalation-path', args=[affected.member.id])}{query}".rstrip("?"),
        steps=counted(len(affected.path.steps), "step"),
        is_own=is_own,
    )


@require_safe
@require(Right.SEE_ACCOUNT)
@waits_for_calculation
def escalation_opening(request: ViewerRequest, key: str) -> HttpResponse:
    """Show one group: everyone affected, what closes their paths, and where to do it.

    Raises Http404 if the group doesn’t exist (any more).
    """
    asked = read(request)
    seen = accounts_seen(request.viewer, account=asked.texts["account"])
    opening = opening_of(key, seen, at=request.at)
    if opening is None:
        raise Http404
    fix, ready = None, ""
    if not opening.is_own:
        try:
            fix = fix_of(opening, seen, at=request.at)
        except BeingCalculatedError as waits:
            ready = ready_address(request, waits.question)
    statements = [*opening.statements, *(fix.more if fix else ())]
    frame = frame_of_path(request, asked, policies_of(statements, at=request.at))
    query = asked.query.with_only("account", "as-of")
    steps = _steps(request, frame, [*opening.statements])
    more = _steps(request, frame, list(fix.more)) if fix else []
    context = {
        **asof_context(request, account=asked.account),
        "section": "escalation",
        "account": asked.account,
        "all_accounts": asked.account is None,
        "title": _title(opening, frame),
        "card": _card(opening, frame, query, most=opening.total, own=gatehouse_role_arns()),
        "given_by": given_by(request, [*opening.statements]),
        "fix": fix,
        "ready": ready,
        "steps": steps,
        "more_steps": more,
        "fix_words": fix_words(fix) if fix else "",
        "others": [_line(affected, frame, query) for affected in fix.others] if fix else [],
        "back": f"{reverse('access:escalation')}{query}".rstrip("?"),
    }
    return render_page(request, "access/escalation_opening.html", context)


def _title(opening: OpeningStatements, frame: PathPageContext) -> str:
    if opening.is_own:
        return OWN_TITLE
    return " and ".join(closer.text for closer in closers_of(opening.statements, frame)) or "No single policy"


def fix_words(fix: EscalationFix) -> str:
    """Return a sentence about who can still become administrator after the fix."""
    if fix.unchecked:
        return (
            f"This closes the path above. There wasn’t time to look for other paths of {fix.unchecked:,} "
            "principals: "
            "open one of them to see its own."
        )
    many = len(fix.closed) + len(fix.others)
    if not fix.others:
        if many == 1:
            return "It has no other path: after this, it can’t become administrator."
        return "They have no other path: after this, none of them can become administrator."
    kept = len(fix.others)
    if not fix.closed:
        return "It still has another path." if kept == 1 else f"All {kept:,} still have another path."
    return (
        f"After this, {len(fix.closed):,} of {many:,} can’t become administrator any more. "
        f"{kept:,} still {'has' if kept == 1 else 'have'} another path."
    )


def _steps(request: ViewerRequest, frame: PathPageContext, statements: list[HeldStatement]) -> list[FixStep]:
    holders = {statement.holder for statement in statements}
    numbers = dict(Entity.objects.filter(arn__in=holders, gone_at__isnull=True).values_list("arn", "pk"))
    changes = request.at is None and request.viewer.may(Right.REQUEST_CHANGE)
    steps = []
    for statement in sorted(statements, key=closer_text):
        (closer,) = closers_of([statement], frame)
        label, url = _removal_button(statement, closer, numbers) if changes else ("", "")
        steps.append(FixStep(closer, label, url))
    return steps


def _removal_button(
    statement: HeldStatement, closer: ClosingStatement, numbers: Mapping[str, int]
) -> tuple[str, str]:
    """Return (label, address) of the button that removes the statement; ("", "") if there is none."""
    pk = numbers.get(statement.holder)
    if closer.is_hidden:
        return "", ""
    if statement.holder.startswith(AWS):
        return ("Open policy", closer.url) if closer.url else ("", "")
    if statement.policy == TRUST and pk is not None:
        return "Edit trust policy", f"{reverse('changes:act', args=['trust'])}?{urlencode({'on': pk})}"
    if closer.is_managed and pk is not None:
        edit = reverse("access:policy-edit", args=[pk])
        return "Edit without this statement", f"{edit}?{urlencode({'remove': statement.number})}"
    if pk is not None:
        put = reverse("changes:act", args=["put-inline"])
        return "Edit inline policy", f"{put}?{urlencode({'on': pk, 'policy': statement.policy})}"
    return "", ""

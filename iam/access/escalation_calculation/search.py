"""Answers the questions of pages with the graph: who reaches a principal, by which path, and what closes
paths. For workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from iam.access.certainty import Certainty, UnreadSources, certainty_of
from iam.access.escalation import EscalationPosition, ReachingPrincipal
from iam.access.escalation_calculation.groups import fix_of
from iam.access.escalation_calculation.kept_paths import path_of, principal_of
from iam.access.escalation_calculation.models import (
    EscalationCalculation,
    EscalationFinding,
    EscalationOpening,
)
from iam.access.escalation_calculation.path_records import (
    by_name,
    principal_to,
    statement_from,
    statement_to,
    to_json,
)
from iam.access.escalation_graph import ExplainedGraph
from iam.access.persons import PersonMatcher, count_of
from iam.policy.escalation.graph import GoalDistances, GraphNode, PathHop
from iam.policy.escalation.paths import EscalationPath
from iam.policy.escalation.states import NewMember
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.question import UNREADABLE, AnswerLimitation
from iam.policy.request import PrincipalKind

UNREAD: Final = "Some policies couldn’t be read. What they allow or deny isn’t part of the answer."
NOWHERE: Final = GoalDistances({}, {})


def answer(
    known: ExplainedGraph, calculation: EscalationCalculation, asks: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer to a question, in stored form."""
    answers: dict[
        str, Callable[[ExplainedGraph, EscalationCalculation, Mapping[str, Any]], dict[str, Any]]
    ] = {
        "reach": _reach_to,
        "path": _path,
        "fix": _fix,
        "climb": _climb,
    }
    return answers[asks["question"]](known, calculation, asks)


def limitations_of(known: ExplainedGraph) -> list[AnswerLimitation]:
    """What the answers can't know."""
    unread: set[str] = set()
    for bundle in known.index.register.unreadable_bundles():
        for profile in bundle.profiles:
            unread.update(cls.account for cls in profile.classes)
    return [
        *known.graph.limitations(),
        *([AnswerLimitation(UNREADABLE, UNREAD, tuple(sorted(unread)))] if unread else []),
    ]


def on_the_way(
    known: ExplainedGraph, hops: Mapping[GraphNode, tuple[int, PathHop | None]], start: GraphNode
) -> Iterator[IndexedPrincipal]:
    """Everyone on the best path of a principal, starting with itself."""
    at: GraphNode | None = start
    while at is not None:
        member = known.graph.node(at).member
        if member is not None:
            yield member
        hop = hops[at][1]
        at = None if hop is None else hop.to


def _goal(known: ExplainedGraph, to: list[Any] | None) -> GoalDistances:
    if to is None:
        return known.graph.to_administrator()
    goal = known.graph.find(to[0], to[1])
    return NOWHERE if goal is None else known.graph.to([goal])


def _reach_to(known: ExplainedGraph, _: EscalationCalculation, asks: Mapping[str, Any]) -> dict[str, Any]:
    """A page of principals that reach a principal."""
    reach = _goal(known, asks["to"])
    accounts = None if asks["accounts"] is None else frozenset(asks["accounts"])
    kind = PrincipalKind(asks["kind"]) if asks["kind"] else None
    matcher, unread = PersonMatcher(asks["text"]), UnreadSources(known.index, at=known.at)
    asked = there = 0
    fitting: list[tuple[EscalationPosition, GraphNode, IndexedPrincipal, Certainty, tuple[str, ...]]] = []
    for at in known.graph.everybody:
        member = known.graph.node(at).member
        assert member is not None
        if (accounts is not None and at.account not in accounts) or kind not in (None, member.kind):
            continue
        asked += 1
        hops = reach.best(at)
        if hops is None:
            continue
        if not hops[at][0]:
            there += 1
            continue
        is_sure = at in reach.sure
        clauses = unread.about_members(on_the_way(known, hops, at))
        certainty = certainty_of(is_sure=is_sure, unread=clauses)
        if asks["certainty"] in ("", certainty.value) and matcher.matches(member):
            place = EscalationPosition(
                member.kind is PrincipalKind.ROLE, not is_sure, hops[at][0], at.account, member.arn
            )
            fitting.append((place, at, member, certainty, clauses))
    fitting.sort(key=lambda pair: pair[0])
    after, size = asks["after"], asks["size"]
    part = [pair for pair in fitting if after is None or pair[0] > EscalationPosition(*after)]
    shown = part if size is None else part[:size]
    by_certainty: dict[str, int] = {}
    for pair in fitting:
        by_certainty[pair[3].value] = by_certainty.get(pair[3].value, 0) + 1
    everyone = count_of(pair[2] for pair in fitting)
    return {
        "rows": [
            {
                "place": list(place),
                "certainty": certainty.value,
                "unread": list(clauses),
                "path": _path_record(known, at, reach),
            }
            for place, at, _, certainty, clauses in shown
        ],
        "has_after": len(part) > len(shown),
        "everyone": [everyone.users, everyone.people, everyone.unmatched, everyone.roles],
        "by_certainty": by_certainty,
        "there": there,
        "asked": asked,
    }


def _path_record(known: ExplainedGraph, start: GraphNode, reach: GoalDistances) -> dict[str, Any] | None:
    path = known.explorer.path(start, reach)
    return None if path is None else to_json(path_of(path))


def _path(known: ExplainedGraph, _: EscalationCalculation, asks: Mapping[str, Any]) -> dict[str, Any]:
    """The best path of a principal, and what closes every path."""
    start = known.graph.find(asks["account"], asks["pk"])
    nothing: dict[str, Any] = {"path": None, "closing": None, "unread": []}
    if start is None:
        return nothing
    reach = _goal(known, asks["to"])
    path = known.explorer.path(start, reach)
    if path is None:
        return nothing
    closing = None
    if path.steps:
        closing_found = known.explorer.closing(start, reach)
        closing = [
            [statement_to(statement) for statement in sorted(closing_found.statements, key=by_name)],
            closing_found.is_exact,
        ]
    unread = UnreadSources(known.index, at=known.at).about_members(members_on(path))
    return {"path": to_json(path_of(path)), "closing": closing, "unread": list(unread)}


def members_on(path: EscalationPath) -> list[IndexedPrincipal]:
    """The principals on a path, in order."""
    return [path.who, *(step.becomes for step in path.steps if step.becomes is not None)]


def _fix(
    known: ExplainedGraph, calculation: EscalationCalculation, asks: Mapping[str, Any]
) -> dict[str, Any]:
    """What closes the path of a group for everyone in these accounts."""
    opening = EscalationOpening.objects.filter(calculation=calculation, key=asks["key"]).first()
    rows = EscalationFinding.objects.filter(calculation=calculation, opener=asks["key"], steps__gt=0)
    if asks["accounts"] is not None:
        rows = rows.filter(account__in=asks["accounts"])
    order = ("certainty", "is_role", "steps", "account", "arn")
    places = [
        known.graph.find(account, pk)
        for account, pk in rows.order_by(*order).values_list("account", "principal")
    ]
    statements = frozenset(statement_from(statement) for statement in (opening.statements if opening else ()))
    fix = fix_of(known, statements, [at for at in places if at is not None])
    return {
        "closed": _numbers(known, fix.closed),
        "others": _numbers(known, fix.others),
        "more": [statement_to(statement) for statement in fix.more],
        "is_whole": fix.is_whole,
        "unchecked": fix.unchecked,
    }


def _numbers(known: ExplainedGraph, places: Iterable[GraphNode]) -> list[int]:
    members = (known.graph.node(at).member for at in places)
    return [member.id for member in members if member is not None]


def _climb(known: ExplainedGraph, _: EscalationCalculation, asks: Mapping[str, Any]) -> dict[str, Any]:
    """The principals of these accounts that can become one of the goals, by paths known to stay in accounts
    the viewer sees.
    """
    goals = [at for account, pk in asks["goals"] if (at := known.graph.find(account, pk)) is not None]
    accounts = None if asks["accounts"] is None else frozenset(asks["accounts"])
    seen = None if asks["seen"] is None else frozenset(asks["seen"])
    reachable = [
        reached
        for reached in can_reach(known, goals, accounts=accounts)
        if seen is None or _is_seen(reached, seen)
    ]
    return {
        "rows": [
            [
                principal_to(reached.member),
                reached.steps,
                reached.certainty.value,
                None if reached.first is None else principal_to(reached.first),
                list(reached.unread),
            ]
            for reached in reachable[: asks["most"]]
        ],
        "total": len(reachable),
        "sure": sum(reached.certainty is Certainty.CONFIRMED for reached in reachable),
    }


def _is_seen(reached: ReachingPrincipal, seen: frozenset[str]) -> bool:
    """True if the path is known to stay where the viewer sees; of a long path, only the first step
    is known.
    """
    return reached.steps == 1 and reached.first is not None and reached.first.account in seen


def can_reach(
    known: ExplainedGraph, goals: Iterable[GraphNode], *, accounts: frozenset[str] | None = None
) -> list[ReachingPrincipal]:
    """Other principals of these accounts that can become one of these, most certain and shortest first."""
    wanted = set(goals)
    if not wanted:
        return []
    reach = known.graph.to(wanted)
    unread = UnreadSources(known.index, at=known.at)
    reached_principals: list[ReachingPrincipal] = []
    for start in known.graph.everybody:
        hops = reach.best(start)
        if start in wanted or hops is None or (accounts is not None and start.account not in accounts):
            continue
        member = known.graph.node(start).member
        steps, hop = hops[start]
        if member is not None and hop is not None:
            first = known.graph.node(hop.to).member
            clauses = unread.about_members(on_the_way(known, hops, start))
            certainty = certainty_of(is_sure=start in reach.sure, unread=clauses)
            shown = None if first is None or isinstance(first, NewMember) else principal_of(first)
            reached_principals.append(
                ReachingPrincipal(principal_of(member), steps, certainty, shown, clauses)
            )
    return sorted(reached_principals, key=_surest_first)


def _surest_first(reached: ReachingPrincipal) -> tuple[bool, int, str, str]:
    return (
        reached.certainty is not Certainty.CONFIRMED,
        reached.steps,
        reached.member.account,
        reached.member.arn,
    )

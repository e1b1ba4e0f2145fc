"""Who can become administrator, or another principal, and how: within what the viewer sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from iam.access.certainty import Certainty, Unread, certainty_of
from iam.access.escalation_graph import Escalation, escalation
from iam.access.persons import Matcher, PrincipalCount, count_of, named_exactly, shown_name
from iam.mirror.queries.accounts import gatehouse_role_arns
from iam.policy.escalation.graph import At, Hop, Reach
from iam.policy.escalation.paths import Closing, Path
from iam.policy.escalation.states import NewMember
from iam.policy.index.classes import Member
from iam.policy.index.index import Index
from iam.policy.index.question import UNREADABLE, Limitation
from iam.policy.request import PrincipalKind

Accounts = frozenset[str] | None


class Place(NamedTuple):
    """Where somebody stands in the list: people before roles, sure before conditional, few steps before many."""

    is_role: bool
    is_conditional: bool
    steps: int
    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class Row:
    """A principal that reaches the goal; no steps: is it already. `path` is there on the rows of a page."""

    pk: int
    display: str
    place: Place
    member: Member
    certainty: Certainty
    unread: tuple[str, ...] = ()
    path: Path | None = None
    is_own: bool = False
    """A role of Gatehouse itself, which is no finding."""

    @property
    def name(self) -> str:
        """The name in IAM."""
        return self.place.arn.rpartition("/")[2]

    @property
    def kind(self) -> PrincipalKind:
        """User or role."""
        return PrincipalKind.ROLE if self.place.is_role else PrincipalKind.USER


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is asked about: those of some accounts; `to` (account, number) instead of administrators; `is_there` for those that already
    are the goal; narrowed by kind, certainty, or any part of name, user name, ARN or email address."""

    accounts: Accounts
    at: datetime | None = None
    to: tuple[str, int] | None = None
    is_there: bool = False
    kind: PrincipalKind | None = None
    text: str = ""
    certainty: Certainty | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an answer. Counts are of all that fit, but for Gatehouse's own roles, which `own` counts where administrators are asked
    about; `there` is how many are the goal already."""

    rows: list[Row]
    has_after: bool
    everyone: PrincipalCount
    by_certainty: Mapping[Certainty, int]
    there: int
    asked: int
    made_at: datetime
    seconds: float
    limitations: tuple[Limitation, ...]
    own: int = 0

    @property
    def total(self) -> int:
        """How many fit."""
        return self.everyone.total


def who_reaches(wanted: Wanted, *, size: int, after: Place | None = None) -> Found:
    """A page of those who reach the goal."""
    with escalation(wanted.at) as known:
        reach = _reach(known, wanted.to)
        rows = _rows(known, reach, wanted)
        fitting = _fitting(rows, wanted)
        part = [row for row in fitting if after is None or row.place > after][: size + 1]
        findings = [row for row in fitting if not row.is_own]
        by_certainty = dict.fromkeys(Certainty, 0)
        for row in findings:
            by_certainty[row.certainty] += 1
        return Found(
            rows=[_with_path(known, reach, row) for row in part[:size]],
            has_after=len(part) > size,
            everyone=count_of(row.member for row in findings),
            by_certainty=by_certainty,
            there=sum(row.place.steps == 0 for row in rows),
            asked=sum(_is_asked(known, at, wanted) for at in known.graph.everybody),
            made_at=known.made_at,
            seconds=known.seconds,
            limitations=_limitations(known, wanted.accounts),
            own=len(fitting) - len(findings),
        )


def every_row(wanted: Wanted) -> Iterator[Row]:
    """All of them, with their paths, in the order of the pages."""
    with escalation(wanted.at) as known:
        reach = _reach(known, wanted.to)
        rows = [_with_path(known, reach, row) for row in _fitting(_rows(known, reach, wanted), wanted)]
    yield from rows


def _fitting(rows: list[Row], wanted: Wanted) -> list[Row]:
    matcher = Matcher(wanted.text)
    fitting = [
        row
        for row in rows
        if wanted.is_there is (row.place.steps == 0)
        and (wanted.certainty is None or row.certainty is wanted.certainty)
        and matcher.fits(row.member)
    ]
    return sorted(fitting, key=lambda row: row.place)


@dataclass(frozen=True, slots=True)
class Explained:
    """One path, and what would close every path of its kind. `path` None: there is none. `policies` are numbers by ARN."""

    who: Member
    path: Path | None
    closing: Closing | None
    policies: Mapping[tuple[str, str], int]
    made_at: datetime
    limitations: tuple[Limitation, ...]
    unread: tuple[str, ...] = ()


def explained(
    account: str,
    pk: int,
    *,
    at: datetime | None,
    to: tuple[str, int] | None = None,
    accounts: Accounts = None,
) -> Explained | None:
    """The best path of a principal to administrator, or to another; None where it is not in the mirror at that moment.

    What cannot be known is told of some accounts only; the path goes through all.
    """
    with escalation(at) as known:
        start = known.graph.find(account, pk)
        member = known.index.member(account, pk)
        if start is None or member is None:
            return None
        reach = _reach(known, to)
        path = known.explorer.path(start, reach)
        closing = known.explorer.closing(start, reach) if path is not None and path.steps else None
        limitations = _limitations(known, accounts)
        unread = () if path is None else Unread(known.index, at=known.at).of([path.who, *members_on(path)])
        return Explained(member, path, closing, _policies(known.index), known.made_at, limitations, unread)


def members_on(path: Path) -> list[Member]:
    """Whom a path becomes, step by step."""
    return [step.becomes for step in path.steps if step.becomes is not None]


def limitations_at(accounts: Accounts, *, at: datetime | None) -> tuple[Limitation, ...]:
    """What the answers about some accounts cannot know."""
    with escalation(at) as known:
        return _limitations(known, accounts)


UNREAD: Final = "Some policies couldn’t be read. What they allow or deny isn’t part of the answer."


def _limitations(known: Escalation, accounts: Accounts) -> tuple[Limitation, ...]:
    """What the answers cannot know: of some accounts, and of no account in particular."""
    found = []
    unread = {
        cls.account
        for bundle in known.index.register.unreadable_bundles()
        for profile in bundle.profiles
        for cls in profile.classes
    }
    every = [
        *known.graph.limitations(),
        *([Limitation(UNREADABLE, UNREAD, tuple(sorted(unread)))] if unread else []),
    ]
    for one in every:
        told = tuple(number for number in one.accounts if accounts is None or number in accounts)
        if told or not one.accounts:
            found.append(replace(one, accounts=told))
    return tuple(found)


def find(text: str, *, accounts: Accounts, at: datetime | None) -> list[Member]:
    """Users and roles of some accounts by ARN, user name, display name or email address, in whatever case; several where that is not
    unique."""
    with escalation(at) as known:
        visible = (
            member
            for member in known.index.members
            if member.kind is not PrincipalKind.ROOT and (accounts is None or member.account in accounts)
        )
        return named_exactly(visible, text)


class Reached(NamedTuple):
    """A principal that can't do something, but can become one that can: in how many steps, and whom it becomes first."""

    member: Member
    steps: int
    certainty: Certainty
    first: Member | None
    unread: tuple[str, ...] = ()


def can_reach(
    known: Escalation, index: Index, members: Iterable[Member], *, accounts: Accounts = None
) -> list[Reached]:
    """Who is none of some principals, but can become one of them by a graph; those of some accounts, the surest and nearest first.

    `index` is the snapshot of the moment, which the caller holds. The list looks at principals of that snapshot.
    """
    goals = {goal for goal in map(known.graph.at, members) if goal is not None}
    if not goals:
        return []
    reach = known.graph.to(goals)
    unread = Unread(known.index, at=known.at)
    found: list[Reached] = []
    for start in known.graph.everybody:
        hops = reach.best(start)
        if start in goals or hops is None or (accounts is not None and start.account not in accounts):
            continue
        member = index.member(start.account, _number(known, start))
        steps, hop = hops[start]
        if member is not None and hop is not None:
            first = known.graph.node(hop.to).member
            if isinstance(first, NewMember):
                first = None
            clauses = unread.of(_on_the_way(known, hops, start))
            certainty = certainty_of(is_sure=start in reach.sure, unread=clauses)
            found.append(Reached(member, steps, certainty, first, clauses))
    return sorted(found, key=_surest_first)


def _surest_first(one: Reached) -> tuple[bool, int, str, str]:
    return one.certainty is not Certainty.CONFIRMED, one.steps, one.member.account, one.member.arn


def _number(known: Escalation, at: At) -> int:
    member = known.graph.node(at).member
    assert member is not None
    return member.id


NOWHERE: Final = Reach({}, {})


def _reach(known: Escalation, to: tuple[str, int] | None) -> Reach:
    if to is None:
        return known.graph.to_administrator()
    goal = known.graph.find(*to)
    return NOWHERE if goal is None else known.graph.to([goal])


def _is_asked(known: Escalation, at: At, wanted: Wanted) -> bool:
    member = known.graph.node(at).member
    assert member is not None
    return (wanted.accounts is None or at.account in wanted.accounts) and (
        wanted.kind is None or member.kind is wanted.kind
    )


def _rows(known: Escalation, reach: Reach, wanted: Wanted) -> list[Row]:
    unread = Unread(known.index, at=known.at)
    own_roles = frozenset[str]() if wanted.to or wanted.is_there else gatehouse_role_arns()
    rows = list[Row]()
    for at in known.graph.everybody:
        hops = reach.best(at)
        if hops is None or not _is_asked(known, at, wanted):
            continue
        member = known.graph.node(at).member
        assert member is not None
        is_sure = at in reach.sure
        place = Place(member.kind is PrincipalKind.ROLE, not is_sure, hops[at][0], at.account, member.arn)
        clauses = unread.of(_on_the_way(known, hops, at)) if hops[at][0] else ()
        certainty = certainty_of(is_sure=is_sure, unread=clauses)
        is_own = member.arn in own_roles and place.steps > 0
        row = Row(member.id, shown_name(member), place, member, certainty, clauses, is_own=is_own)
        rows.append(row)
    return rows


def _on_the_way(known: Escalation, hops: Mapping[At, tuple[int, Hop | None]], start: At) -> Iterator[Member]:
    """Everyone on the best path of a principal, itself first."""
    at: At | None = start
    while at is not None:
        member = known.graph.node(at).member
        if member is not None:
            yield member
        hop = hops[at][1]
        at = None if hop is None else hop.to


def _with_path(known: Escalation, reach: Reach, row: Row) -> Row:
    start = known.graph.find(row.place.account, row.pk)
    path = None if start is None else known.explorer.path(start, reach)
    return replace(row, path=path)


def policies_by_arn(at: datetime | None) -> dict[tuple[str, str], int]:
    """The numbers of the managed policies by account and ARN."""
    with escalation(at) as known:
        return _policies(known.index)


def _policies(index: Index) -> dict[tuple[str, str], int]:
    return {
        (number, row.name): row.id
        for number, shard in index.accounts.items()
        for row in shard.policies.values()
    }

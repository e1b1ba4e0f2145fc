"""Who can become administrator, or somebody else, and how: within what the asking person sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from iam.access.escalation_graph import Escalation, escalation_at, escalation_of
from iam.mirror.naming import display_name
from iam.policy.escalation.graph import At, Reach
from iam.policy.escalation.paths import Closing, Path
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
    """Somebody who reaches the goal; no steps: is it already. `path` is there on the rows of a page."""

    pk: int
    display: str
    place: Place
    path: Path | None = None

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
    """Who is asked about: those of some accounts; `to` (account, number) instead of administrators; `is_there` for those who are
    what the others become."""

    accounts: Accounts
    at: datetime | None = None
    to: tuple[str, int] | None = None
    is_there: bool = False
    kind: PrincipalKind | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an answer. Counts are of all that fit, by (is a role, is conditional); `there` is how many are there already."""

    rows: list[Row]
    has_after: bool
    counts: Mapping[tuple[bool, bool], int]
    there: int
    asked: int
    made_at: datetime
    seconds: float
    limitations: tuple[Limitation, ...]

    @property
    def total(self) -> int:
        """How many fit."""
        return sum(self.counts.values())


def who_reaches(wanted: Wanted, *, size: int, after: Place | None = None) -> Found:
    """A page of those who reach the goal."""
    known = escalation_at(wanted.at)
    reach = _reach(known, wanted.to)
    rows = sorted(_rows(known, reach, wanted), key=lambda row: row.place)
    fitting = [row for row in rows if wanted.is_there is (row.place.steps == 0)]
    counts: dict[tuple[bool, bool], int] = {}
    for row in fitting:
        key = (row.place.is_role, row.place.is_conditional)
        counts[key] = counts.get(key, 0) + 1
    part = [row for row in fitting if after is None or row.place > after][: size + 1]
    return Found(
        rows=[_with_path(known, reach, row) for row in part[:size]],
        has_after=len(part) > size,
        counts=counts,
        there=sum(row.place.steps == 0 for row in rows),
        asked=sum(_is_asked(known, at, wanted) for at in known.graph.everybody),
        made_at=known.made_at,
        seconds=known.seconds,
        limitations=_limitations(known, wanted.accounts),
    )


def every_row(wanted: Wanted) -> Iterator[Row]:
    """All of them, with their paths, in the order of the pages."""
    known = escalation_at(wanted.at)
    reach = _reach(known, wanted.to)
    for row in sorted(_rows(known, reach, wanted), key=lambda row: row.place):
        if wanted.is_there is (row.place.steps == 0):
            yield _with_path(known, reach, row)


@dataclass(frozen=True, slots=True)
class Explained:
    """One path, and what would close every path of its kind. `path` None: there is none. `policies` are numbers by ARN."""

    who: Member
    path: Path | None
    closing: Closing | None
    policies: Mapping[tuple[str, str], int]
    made_at: datetime
    limitations: tuple[Limitation, ...]


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
    known = escalation_at(at)
    start = known.graph.find(account, pk)
    member = known.index.member(account, pk)
    if start is None or member is None:
        return None
    reach = _reach(known, to)
    path = known.explorer.path(start, reach)
    closing = known.explorer.closing(start, reach) if path is not None and path.steps else None
    limitations = _limitations(known, accounts)
    return Explained(member, path, closing, _policies(known.index), known.made_at, limitations)


UNREAD: Final = "Some policies cannot be read, or have not been; what they say is not part of the answer."


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
    """Users and roles of some accounts by ARN, or by name in whatever case; several where a name is not unique."""
    known = escalation_at(at)
    lowered = text.strip().lower()
    return [
        member
        for member in known.index.members
        if member.kind is not PrincipalKind.ROOT
        and (accounts is None or member.account in accounts)
        and lowered in (member.arn.lower(), member.name.lower())
    ]


class Reached(NamedTuple):
    """Somebody who cannot do a thing, but can become somebody who can: in how many steps, and whom it becomes first."""

    member: Member
    steps: int
    is_sure: bool
    first: Member | None


def can_reach(
    index: Index, members: Iterable[Member], *, at: datetime | None = None, accounts: Accounts = None
) -> list[Reached]:
    """Who is none of some principals, but reaches one of them; those of some accounts, the surest and nearest first.

    `index` is the snapshot of the moment, which the caller holds. The list looks at principals of that snapshot.
    """
    known = escalation_of(index, at=at)
    goals = {goal for goal in map(known.graph.at, members) if goal is not None}
    if not goals:
        return []
    reach = known.graph.to(goals)
    found: list[Reached] = []
    for start in known.graph.everybody:
        hops = reach.best(start)
        if start in goals or hops is None or (accounts is not None and start.account not in accounts):
            continue
        member = index.member(start.account, _number(known, start))
        steps, hop = hops[start]
        if member is not None and hop is not None:
            first = known.graph.node(hop.to).member
            found.append(Reached(member, steps, start in reach.sure, first))
    return sorted(found, key=lambda one: (not one.is_sure, one.steps, one.member.account, one.member.arn))


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
    return (
        (wanted.accounts is None or at.account in wanted.accounts)
        and (wanted.kind is None or member.kind is wanted.kind)
        and wanted.text.lower() in member.arn.lower()
    )


def _rows(known: Escalation, reach: Reach, wanted: Wanted) -> Iterator[Row]:
    for at in known.graph.everybody:
        hops = reach.best(at)
        if hops is None or not _is_asked(known, at, wanted):
            continue
        member = known.graph.node(at).member
        assert member is not None
        place = Place(
            member.kind is PrincipalKind.ROLE, at not in reach.sure, hops[at][0], at.account, member.arn
        )
        yield Row(member.id, _display(member), place)


def _display(member: Member) -> str:
    return display_name(member.name, member.tags) if member.kind is PrincipalKind.USER else member.name


def _with_path(known: Escalation, reach: Reach, row: Row) -> Row:
    start = known.graph.find(row.place.account, row.pk)
    path = None if start is None else known.explorer.path(start, reach)
    return Row(row.pk, row.display, row.place, path)


def _policies(index: Index) -> dict[tuple[str, str], int]:
    return {
        (number, row.name): row.id
        for number, shard in index.accounts.items()
        for row in shard.policies.values()
    }

"""Who can do an action on a resource, page by page and with the reasons, within the accounts that the viewer sees."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import nlargest, nsmallest
from typing import Any, Final, NamedTuple

from iam.access.actions import Meant
from iam.access.certainty import Certainty, Unread, certainty_of
from iam.access.persons import Matcher, PrincipalCount, count_of, shown_name
from iam.access.reasons import Why, why
from iam.access.several import Tallied, tallied
from iam.access.stopped import Stopped, stopped
from iam.access.ways import Way, Ways
from iam.mirror.naming import people_of_users
from iam.mirror.snapshot import snapshot
from iam.policy.evaluate import Decision
from iam.policy.index.classes import Member
from iam.policy.index.index import Index
from iam.policy.index.question import OTHER_ACCOUNTS, Answer, Limitation, Question
from iam.policy.request import PrincipalKind, account_of

ORDER: Final = (Decision.ALLOWED, Decision.CONDITIONAL)
ROOT: Final = frozenset({PrincipalKind.ROOT})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as somebody asks it. `accounts` are those whose principals they may be told of, None for all; `is_hidden`
    says that the resource is in an account that they do not see, of whose policies they are told nothing. `is_any_time` leaves the time of the request open."""

    meant: Meant
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False
    owner: str = ""
    accounts: frozenset[str] | None = None
    at: datetime | None = None
    is_hidden: bool = False
    is_any_time: bool = False

    def question(self, action: str) -> Question:
        """As the index takes it, for one of the actions."""
        return Question(
            action,
            self.resource,
            self.context,
            accounts=self.accounts,
            resource_account=self.owner,
            strict=self.strict,
            is_any_time=self.is_any_time,
        )

    @property
    def place(self) -> str:
        """The account of the resource, where it is told."""
        return self.owner or account_of(self.resource)

    @property
    def needed(self) -> frozenset[str] | None:
        """The accounts that the index must hold to answer."""
        if self.accounts is None:
            return None
        return self.accounts | ({self.place} if self.place and not self.is_hidden else set())


class Place(NamedTuple):
    """Where a row stands: allowed before conditional, then by account and ARN."""

    rank: int
    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody who can, or whom a deny stops. `can` and `may` count the actions that are allowed, and allowed under conditions;
    `action` is the first of them, which `why` is about."""

    pk: int
    account: str
    arn: str
    display: str
    kind: PrincipalKind
    decision: Decision
    action: str
    why: Why
    can: int = 0
    may: int = 0
    certainty: Certainty = Certainty.CONFIRMED
    unread: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name in IAM."""
        return self.arn.rpartition("/")[2]

    @property
    def place(self) -> Place:
        """Where one who can stands in the list."""
        return Place(ORDER.index(self.decision), self.account, self.arn)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What an answer is narrowed to: a part of a name, login or email address, a kind, a certainty, the key of a way."""

    text: str = ""
    kind: PrincipalKind | None = None
    certainty: Certainty | None = None
    way: str = ""


WHOLE: Final = Narrowed()


@dataclass(frozen=True, slots=True)
class Group:
    """Everyone who can in one way, confirmed first; `rows` are the first of them, `users` how many of all are users."""

    way: Way
    counts: Mapping[Certainty, int]
    rows: list[Row]
    users: int

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an answer. Counts are exact: `everyone` and `by_certainty` of the whole answer, `counts` of what fits the filter.

    `asked` is how many users and roles there are, `roots` how many root users can. `stopped` are some whom only a deny stops, all of
    them if `is_stopped_whole`. `groups` are there only where they were asked for, `way` where the list is of one.
    """

    counts: Mapping[Decision, int]
    rows: list[Row]
    has_before: bool
    has_after: bool
    limitations: tuple[Limitation, ...]
    asked: int
    roots: int
    seconds: float
    stopped: list[Row]
    is_stopped_whole: bool
    everyone: PrincipalCount
    by_certainty: Mapping[Certainty, int]
    groups: list[Group]
    way: Way | None
    unread: Mapping[str, tuple[str, ...]]

    @property
    def fitting(self) -> int:
        """How many fit the filter."""
        return sum(self.counts.values())


def who_can(
    asked: Asked,
    *,
    size: int,
    after: Place | None = None,
    before: Place | None = None,
    denied: int = 0,
    narrowed: Narrowed = WHOLE,
    group_size: int = 0,
) -> Found:
    """A page of those who can and fit, and up to `denied` of those whom only a deny stops (of one action only).

    With `group_size` the answer also has the ways in which access is given, with so many principals of each.
    """
    with snapshot(asked.at, accounts=asked.needed) as index:
        began = time.perf_counter()
        answering = _Answering(index, asked, narrowed)
        fitting = answering.fitting
        page = _page(fitting, size=size, after=after, before=before)
        groups = answering.groups(group_size) if group_size else []
        seconds = time.perf_counter() - began
        whole = answering.found.whole
        barred = Stopped((), is_whole=True)
        if denied and asked.meant.is_one and not asked.is_hidden:
            barred = stopped(index, whole.question, whole, most=denied)
        return Found(
            counts={decision: sum(one is decision for _, one in fitting) for decision in ORDER},
            rows=_with_people([answering.row(*each) for each in page[:size]])[:: -1 if before else 1],
            has_before=len(page) > size if before else after is not None,
            has_after=before is not None or len(page) > size,
            limitations=whole.limitations,
            asked=_size(index, asked.accounts),
            roots=_roots(index, asked),
            seconds=seconds,
            stopped=_with_people([_denied(index, whole.question, member) for member in barred.members]),
            is_stopped_whole=barred.is_whole,
            everyone=count_of(member for member, _ in answering.everyone),
            by_certainty=answering.by_certainty,
            groups=_groups_with_people(groups),
            way=answering.way,
            unread=answering.unread.accounts,
        )


class _Answering:
    """One answer and what is worked out of it; only while the snapshot is held."""

    def __init__(self, index: Index, asked: Asked, narrowed: Narrowed) -> None:
        self.index, self.asked, self.narrowed = index, asked, narrowed
        self.found = answer_to(index, asked)
        self.unread = Unread(index, at=asked.at)
        self.ways = Ways(index, asked.question, self.found)
        self.everyone = [
            (member, each.decision) for each in self.found.whole.found() for member in each.members
        ]
        self.by_certainty = dict.fromkeys(Certainty, 0)
        for member, decision in self.everyone:
            self.by_certainty[self.certainty(member, decision)] += 1
        self.way: Way | None = None
        self.fitting = self._fitting()

    def certainty(self, member: Member, decision: Decision) -> Certainty:
        """How certain it is that one of them can."""
        return certainty_of(is_sure=decision is Decision.ALLOWED, unread=self.unread.of([member]))

    def _fitting(self) -> list[tuple[Member, Decision]]:
        narrowed = self.narrowed
        if narrowed == WHOLE:
            return self.everyone
        matcher = Matcher(narrowed.text)
        fitting = list[tuple[Member, Decision]]()
        for member, decision in self.everyone:
            if narrowed.kind is not None and member.kind is not narrowed.kind:
                continue
            if narrowed.certainty is not None and self.certainty(member, decision) is not narrowed.certainty:
                continue
            if not matcher.fits(member) or not self._has_way(member):
                continue
            fitting.append((member, decision))
        return fitting

    def _has_way(self, member: Member) -> bool:
        if not self.narrowed.way:
            return True
        way = self.ways.of(member)
        if way.key != self.narrowed.way:
            return False
        self.way = way
        return True

    def groups(self, size: int) -> list[Group]:
        """Those who fit by the way in which they can, the largest group first."""
        by_way: dict[Way, list[tuple[Member, Decision]]] = {}
        for member, decision in self.fitting:
            by_way.setdefault(self.ways.of(member), []).append((member, decision))
        groups = [self._group(way, members, size) for way, members in by_way.items()]
        return sorted(
            groups, key=lambda one: (-one.counts[Certainty.CONFIRMED], -one.total, one.way.sort_key)
        )

    def _group(self, way: Way, members: list[tuple[Member, Decision]], size: int) -> Group:
        counts = dict.fromkeys(Certainty, 0)
        for member, decision in members:
            counts[self.certainty(member, decision)] += 1
        first = _page(members, size=size, after=None, before=None)[:size]
        users = sum(member.kind is PrincipalKind.USER for member, _ in members)
        return Group(way, counts, [self.row(*each) for each in first], users)

    def row(self, member: Member, decision: Decision) -> Row:
        """One who can, with the reasons."""
        tally = self.found.of(member)
        reasons = why(self.index, member, self.asked.question(tally.first))
        unread = self.unread.of([member])
        certainty = certainty_of(is_sure=decision is Decision.ALLOWED, unread=unread)
        row = _shown(member, decision, tally.first, reasons, can=tally.can, may=tally.may)
        return replace(row, certainty=certainty, unread=unread)


def every_row(asked: Asked, *, size: int = 500, narrowed: Narrowed = WHOLE) -> Iterator[Row]:
    """All who can and fit, in the order of the pages, asked page by page: meanwhile others may ask, and the mirror may change."""
    after: Place | None = None
    while True:
        found = who_can(asked, size=size, after=after, narrowed=narrowed)
        yield from found.rows
        if not found.has_after or not found.rows:
            return
        after = found.rows[-1].place


def why_one(asked: Asked, *, account: str, pk: int) -> list[Row]:
    """Each action of a question as one principal can do it, with the reasons; nothing where nobody may be told of it."""
    if asked.is_hidden or (asked.accounts is not None and account not in asked.accounts):
        return []
    with snapshot(asked.at, accounts=asked.needed) as index:
        member = index.member(account, pk)
        if member is None:
            return []
        found = []
        for action in asked.meant.actions:
            reasons = why(index, member, asked.question(action))
            found.append(_shown(member, reasons.decision, action, reasons))
        return _with_people(found)


def answer_to(index: Index, asked: Asked) -> Tallied:
    """The answer to a question, whole."""
    question = asked.question(asked.meant.actions[0])
    if asked.is_hidden:
        return Tallied(Answer(question, {}, [], (_hidden(asked),)), {}, {})
    return tallied(index, question, asked.meant.actions)


def _hidden(asked: Asked) -> Limitation:
    return Limitation(
        OTHER_ACCOUNTS,
        f"The resource is in account {asked.place}, which isn’t connected or which you can’t see. Who can use it from other "
        "accounts depends on a policy there.",
    )


def _page(
    members: Iterable[tuple[Member, Decision]], *, size: int, after: Place | None, before: Place | None
) -> list[tuple[Member, Decision]]:
    """One more than the page, if there is one; before a place, the nearest first."""
    places = (
        (Place(ORDER.index(decision), member.account, member.arn), member) for member, decision in members
    )
    if before is not None:
        rows = nlargest(size + 1, (row for row in places if row[0] < before), key=_first)
    else:
        rows = nsmallest(size + 1, (row for row in places if after is None or row[0] > after), key=_first)
    return [(member, ORDER[place.rank]) for place, member in rows]


def _first(row: tuple[Place, Member]) -> Place:
    return row[0]


def _denied(index: Index, question: Question, member: Member) -> Row:
    reasons = why(index, member, question)
    return _shown(member, reasons.decision, question.action, reasons)


def _shown(
    member: Member, decision: Decision, action: str, reasons: Why, *, can: int = 0, may: int = 0
) -> Row:
    return Row(
        pk=member.id,
        account=member.account,
        arn=member.arn,
        display=shown_name(member),
        kind=member.kind,
        decision=decision,
        action=action,
        why=reasons,
        can=can,
        may=may,
    )


def _with_people(rows: list[Row]) -> list[Row]:
    """The same rows, with the name of the person in the directory where no tag has a name."""
    people = people_of_users(row.pk for row in rows if row.display == row.arn.rpartition("/")[2])
    return [replace(row, display=people[row.pk]) if row.pk in people else row for row in rows]


def _groups_with_people(groups: list[Group]) -> list[Group]:
    named = iter(_with_people([row for group in groups for row in group.rows]))
    return [replace(group, rows=[next(named) for _ in group.rows]) for group in groups]


def _size(index: Index, accounts: frozenset[str] | None) -> int:
    """How many users and roles are asked about."""
    shards = index.accounts.values()
    return sum(len(shard.members) - 1 for shard in shards if accounts is None or shard.number in accounts)


def _roots(index: Index, asked: Asked) -> int:
    """How many root users can, for sure."""
    if asked.is_hidden:
        return 0
    question = replace(asked.question(asked.meant.actions[0]), kinds=ROOT)
    return tallied(index, question, asked.meant.actions).whole.count(Decision.ALLOWED)

"""Who can become administrator, grouped by the policy statement that opens the path, and what would close it for everyone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import count, takewhile
from typing import Final

from iam.access.certainty import Certainty, Unread, certainty_of
from iam.access.escalation import Accounts, members_on
from iam.access.escalation_graph import Escalation, escalation, escalation_at, kept_escalation
from iam.access.persons import Matcher, PrincipalCount, count_of, shown_name
from iam.mirror.queries.accounts import gatehouse_role_arns
from iam.policy.escalation.graph import At
from iam.policy.escalation.grounds import TRUST, Statement
from iam.policy.escalation.paths import Path, Step, TooManyError
from iam.policy.index.classes import Member
from iam.policy.request import PrincipalKind

Opener = frozenset[Statement]
"""Statements without which a path is not there."""
CHECK_SECONDS: Final = 2.0
"""So long the other paths of a group are looked for while somebody waits."""
MOST_STATEMENTS: Final = 12
OWN_KEY: Final = "gatehouse"
RANK: Final = {Certainty.CONFIRMED: 0, Certainty.UNCONFIRMED: 1, Certainty.CONDITIONAL: 2}


@dataclass(frozen=True, slots=True)
class Affected:
    """A principal that can become administrator by a path."""

    start: At
    member: Member
    path: Path
    certainty: Certainty
    unread: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The display name of a user, the name of a role."""
        return shown_name(self.member)

    @property
    def is_role(self) -> bool:
        """Whether it is a role, not a user."""
        return self.member.kind is PrincipalKind.ROLE

    @property
    def order(self) -> tuple[int, bool, int, str, str]:
        """Confirmed first, users before roles, short paths first."""
        return (
            RANK[self.certainty],
            self.is_role,
            len(self.path.steps),
            self.member.account,
            self.member.arn,
        )


@dataclass(frozen=True, slots=True)
class Opening:
    """Statements that open a path to administrator, and everyone who has it. No statements: nothing that someone holds opens it."""

    statements: Opener
    affected: tuple[Affected, ...]
    is_own: bool = False
    """Gatehouse's own roles, which need what they can do: no finding, and not among the totals."""

    @property
    def key(self) -> str:
        """A short word for addresses, the same as long as the statements are."""
        if self.is_own:
            return OWN_KEY
        names = sorted(f"{one.holder} {one.policy} {one.number}" for one in self.statements)
        return blake2b("\n".join(names).encode(), digest_size=6).hexdigest()

    @property
    def confirmed(self) -> int:
        """How many paths are confirmed."""
        return sum(one.certainty is Certainty.CONFIRMED for one in self.affected)

    @property
    def order(self) -> tuple[int, int, int, str]:
        """The worst first: most confirmed users, then most confirmed, then most in all."""
        users = sum(one.certainty is Certainty.CONFIRMED and not one.is_role for one in self.affected)
        return -users, -self.confirmed, -len(self.affected), self.key


@dataclass(frozen=True, slots=True)
class EscalationTotals:
    """How many can become administrator in some accounts. `unconfirmed` are those that are not confirmed, for whatever reason."""

    confirmed: PrincipalCount
    unconfirmed: PrincipalCount
    conditional: int
    everyone: PrincipalCount
    openings: int
    administrators: int
    asked: int
    unread: tuple[str, ...]
    calculated_at: datetime
    own: int = 0
    """How many roles of Gatehouse itself could; they are in none of the other numbers."""

    @property
    def words(self) -> str:
        """'44 IAM users (38 people) and 12 roles can become administrator: 37 confirmed, 19 conditional'."""
        if not self.everyone.total:
            return "No one can become administrator"
        unread = self.unconfirmed.total - self.conditional
        parts = [f"{self.confirmed.total:,} confirmed"] if self.confirmed.total else []
        parts += [f"{self.conditional:,} conditional"] if self.conditional else []
        parts += [f"{unread:,} unconfirmed"] if unread else []
        return f"{self.everyone.words} can become administrator: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of groups is narrowed to."""

    text: str = ""
    kind: PrincipalKind | None = None
    certainty: Certainty | None = None


NO_FILTER: Final = Filter()


def escalation_totals(
    accounts: Accounts, *, at: datetime | None = None, wait: bool = True
) -> EscalationTotals | None:
    """The numbers that the overview and the escalation page show. Without `wait`, None where they are not calculated yet."""
    known = escalation_at(at) if wait else kept_escalation(at)
    if known is None or not (wait or _is_explained(known, accounts)):
        return None
    with known.gate.reading():
        everyone, own = _apart(_affected(known, accounts))
        return _totals(known, accounts, everyone, len(_grouped(everyone)), own=len(own))


def _is_explained(known: Escalation, accounts: Accounts) -> bool:
    wanted = known.graph.estates.keys() if accounts is None else accounts & known.graph.estates.keys()
    return known.explained.issuperset(wanted)


def openings(
    accounts: Accounts, *, at: datetime | None = None, narrowed: Filter = NO_FILTER
) -> tuple[EscalationTotals, list[Opening]]:
    """The totals, and the groups that fit, the worst first, Gatehouse's own roles last. A group keeps only those of its principals
    that fit."""
    with escalation(at) as known:
        everyone, own = _apart(_affected(known, accounts))
        groups = _grouped(everyone)
        totals = _totals(known, accounts, everyone, len(groups), own=len(own))
        if own:
            groups.append(Opening(frozenset(), tuple(sorted(own, key=lambda one: one.order)), is_own=True))
        if narrowed != NO_FILTER:
            matcher = Matcher(narrowed.text)
            groups = [group for one in groups if (group := _narrowed(one, narrowed, matcher)).affected]
        return totals, sorted(groups, key=lambda group: (group.is_own, group.order))


def _apart(affected: Iterable[Affected]) -> tuple[list[Affected], list[Affected]]:
    """Those who need attention, and Gatehouse's own roles."""
    roles = gatehouse_role_arns()
    everyone, own = list[Affected](), list[Affected]()
    for one in affected:
        (own if one.member.arn in roles else everyone).append(one)
    return everyone, own


def _narrowed(opening: Opening, narrowed: Filter, matcher: Matcher) -> Opening:
    fitting = [
        one
        for one in opening.affected
        if (narrowed.kind is None or one.member.kind is narrowed.kind)
        and (narrowed.certainty is None or one.certainty is narrowed.certainty)
        and matcher.fits(one.member)
    ]
    return Opening(opening.statements, tuple(fitting), opening.is_own)


def _affected(known: Escalation, accounts: Accounts) -> Iterator[Affected]:
    """Everyone in some accounts who is no administrator, but can become one."""
    unread = Unread(known.index, at=known.at)
    for start in known.reaching_in(accounts).starts:
        path = known.path_to_administrator(start)
        if path is None:
            continue
        clauses = unread.of([path.who, *members_on(path)])
        yield Affected(start, path.who, path, certainty_of(is_sure=path.is_sure, unread=clauses), clauses)
    known.explained.update(known.graph.estates if accounts is None else accounts)


def _options(steps: Iterable[Step]) -> set[Opener]:
    return {option for step in steps for ground in step.grounds for option in ground.closing if option}


def _grouped(everyone: Sequence[Affected]) -> list[Opening]:
    """Each principal in one group: that of the statements which open the path for the most of those left."""
    options = {one.start: _options(one.path.steps) for one in everyone}
    waiting = {one.start: one for one in everyone}
    tally: Counter[Opener] = Counter(option for mine in options.values() for option in mine)
    groups = list[Opening]()
    while waiting:
        tally += Counter()
        opener = min(tally, key=lambda option: _cost(option, tally[option]), default=None)
        if opener is None:
            groups.append(_opening(frozenset(), waiting.values()))
            break
        mine = [one for one in waiting.values() if opener in options[one.start]]
        groups.append(_opening(opener, mine))
        for one in mine:
            del waiting[one.start]
            tally.subtract(options[one.start])
    return groups


def _opening(statements: Opener, affected: Iterable[Affected]) -> Opening:
    return Opening(statements, tuple(sorted(affected, key=lambda one: one.order)))


def _cost(option: Opener, closes: int) -> tuple[int, int, int, list[tuple[str, str, int]]]:
    """Trust policies last, since a workload may need them; then the fewest statements, then those that close the most."""
    trusts = sum(one.policy == TRUST for one in option)
    return trusts, len(option), -closes, sorted((one.holder, one.policy, one.number) for one in option)


def _totals(
    known: Escalation, accounts: Accounts, everyone: Sequence[Affected], groups: int, *, own: int
) -> EscalationTotals:
    confirmed = [one.member for one in everyone if one.certainty is Certainty.CONFIRMED]
    others = [one.member for one in everyone if one.certainty is not Certainty.CONFIRMED]
    reaching = known.reaching_in(accounts)
    unread = Unread(known.index, at=known.at).accounts
    return EscalationTotals(
        confirmed=count_of(confirmed),
        unconfirmed=count_of(others),
        conditional=sum(one.certainty is Certainty.CONDITIONAL for one in everyone),
        everyone=count_of([*confirmed, *others]),
        openings=groups,
        administrators=reaching.there,
        asked=reaching.asked,
        unread=tuple(_unread_words(unread, accounts)),
        calculated_at=known.made_at,
        own=own,
    )


def _unread_words(unread: Mapping[str, tuple[str, ...]], accounts: Accounts) -> Iterator[str]:
    """'SCPs weren't synced for 2 accounts'."""
    numbers: Counter[str] = Counter()
    for number, clauses in unread.items():
        if accounts is None or number in accounts:
            numbers.update(clauses)
    for clause, many in sorted(numbers.items()):
        yield f"{clause} for {many:,} account{'' if many == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Fix:
    """What closes the path of a group. `closed` have no other path; `others` keep one, until `more` are removed as well.

    `is_whole` False: there was no time to look at everyone, so `unchecked` may keep a path.
    """

    statements: Opener
    closed: tuple[Affected, ...]
    others: tuple[Affected, ...]
    more: tuple[Statement, ...]
    is_whole: bool
    unchecked: int = 0


def fix_of(opening: Opening, *, at: datetime | None = None) -> Fix:
    """Removes the statements of a group, looks who still becomes administrator, and adds statements until no one does."""
    with escalation(at) as known:
        return _Fixing(known, opening).fix()


@dataclass(slots=True)
class _Fixing:
    known: Escalation
    opening: Opening
    gone: set[Statement] = field(default_factory=set)
    looks: Iterator[int] = field(default_factory=lambda: iter(()))

    def fix(self) -> Fix:
        """Look for what is left until nothing is, or no time."""
        until = time.thread_time() + CHECK_SECONDS
        self.looks = takewhile(lambda _: time.thread_time() < until, count())
        self.gone = set(self.opening.statements)
        waiting = list(self.opening.affected)
        try:
            left = self._left(waiting)
        except TooManyError:
            return self._fix((), (), is_whole=False, unchecked=len(waiting))
        open_starts = {one.start for one, _ in left}
        closed = tuple(one for one in waiting if one.start not in open_starts)
        others = tuple(one for one, _ in left)
        return self._fix(closed, others, is_whole=self._close(left))

    def _fix(
        self,
        closed: tuple[Affected, ...],
        others: tuple[Affected, ...],
        *,
        is_whole: bool,
        unchecked: int = 0,
    ) -> Fix:
        more = sorted(
            self.gone - self.opening.statements, key=lambda one: (one.holder, one.policy, one.number)
        )
        return Fix(self.opening.statements, closed, others, tuple(more), is_whole, unchecked)

    def _close(self, left: list[tuple[Affected, list[Step]]]) -> bool:
        """Add the statements that most of those left depend on; False where that does not come to an end."""
        while left:
            tally: Counter[Opener] = Counter(option for _, steps in left for option in _options(steps))
            if not tally or len(self.gone) >= MOST_STATEMENTS:
                return False
            option = min(tally, key=lambda option: _cost(option, tally[option]))
            self.gone |= option
            try:
                left = self._left([one for one, _ in left])
            except TooManyError:
                return False
        return True

    def _left(self, affected: Iterable[Affected]) -> list[tuple[Affected, list[Step]]]:
        reach, gone = self.known.graph.to_administrator(), frozenset(self.gone)
        found = list[tuple[Affected, list[Step]]]()
        for one in affected:
            steps = self.known.explorer.left(one.start, reach, gone, looks=self.looks)
            if steps is not None:
                found.append((one, steps))
        return found

"""One answer to who can, and what is worked out of it: who fits a filter, how certain each is, in which way
each can, page by page.

Principals are kept in the runs in which the index found them, each of one decision and account, so that tens
of thousands are counted without a look at each.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest, nsmallest
from itertools import chain
from typing import Final, NamedTuple

from iam.access.certainty import Certainty, Unread, certainty_of
from iam.access.denied_principals import Stopped
from iam.access.explanation import Why
from iam.access.multi_action import Tallied
from iam.access.persons import Matcher, PrincipalCount, users_and_roles
from iam.access.ways import Way, Ways
from iam.linking.generation import generation
from iam.policy.evaluate import Decision
from iam.policy.index.classes import Member, Members
from iam.policy.index.question import Found as Run
from iam.policy.request import PrincipalKind

ORDER: Final = (Decision.ALLOWED, Decision.CONDITIONAL)
REASONS: Final = 256
"""Of so many principals of an answer the reasons are kept."""


class Place(NamedTuple):
    """Where a row stands: allowed before conditional, then by account and ARN."""

    rank: int
    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What an answer is narrowed to: a part of a name, login or email address, a kind, a certainty, the key
    of a way.
    """

    text: str = ""
    kind: PrincipalKind | None = None
    certainty: Certainty | None = None
    way: str = ""


WHOLE: Final = Narrowed()


class WayGroup(NamedTuple):
    """Everyone who can in one way: how many of each certainty, how many of all are users, and the runs that
    they are in.
    """

    way: Way
    counts: Mapping[Certainty, int]
    users: int
    runs: Runs


class Runs:
    """Runs of principals, counted once. Those of a whole answer are kept with it until the index changes."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs = list(runs)
        self._counted: tuple[Hashable, PrincipalCount] | None = None
        self._firsts: dict[int, list[tuple[Member, Decision]]] = {}

    @cached_property
    def sizes(self) -> Mapping[tuple[Decision, str], int]:
        """How many there are of each decision and account."""
        sizes: dict[tuple[Decision, str], int] = {}
        for run in self.runs:
            key = (run.decision, run.account)
            sizes[key] = sizes.get(key, 0) + len(run.members)
        return sizes

    @cached_property
    def first(self) -> Mapping[tuple[Decision, str], Member]:
        """One of each decision and account."""
        return {(run.decision, run.account): run.members[0] for run in reversed(self.runs)}

    def users(self) -> Iterator[Sequence[Member]]:
        """The users among them, part by part."""
        for run in self.runs:
            if not isinstance(run.members, Members):
                yield [member for member in run.members if member.kind is PrincipalKind.USER]
            elif run.members[0].kind is PrincipalKind.USER:
                # Those of one class are of one kind.
                yield run.members

    @cached_property
    def user_count(self) -> int:
        """How many users there are."""
        return sum(len(run) for run in self.users())

    def principals(self) -> PrincipalCount:
        """How many people are behind them; counted again when a user was linked or matched since: one query
        where none was.
        """
        now = generation()
        counted = self._counted
        if counted is None or counted[0] != now:
            users = list(chain.from_iterable(self.users()))
            counted = self._counted = (now, users_and_roles(users, len(self) - len(users)))
        return counted[1]

    @cached_property
    def by_account(self) -> Mapping[tuple[int, str], list[Sequence[Member]]]:
        """The members of each place in the order of decisions, and account."""
        members_by_account: dict[tuple[int, str], list[Sequence[Member]]] = {}
        for run in self.runs:
            members_by_account.setdefault((ORDER.index(run.decision), run.account), []).append(run.members)
        return members_by_account

    def __len__(self) -> int:
        return sum(self.sizes.values())

    def count(self, decision: Decision) -> int:
        """How many are judged so."""
        return sum(size for (ranked, _), size in self.sizes.items() if ranked is decision)

    def page(
        self, *, size: int, after: Place | None = None, before: Place | None = None
    ) -> list[tuple[Member, Decision]]:
        """One more than the page, if there is one; before a place, the nearest first. The first page is
        looked for once.
        """
        if after is not None or before is not None:
            return self._page(size, after, before)
        known = self._firsts.get(size)
        if known is None:
            known = self._firsts[size] = self._page(size, None, None)
        return known

    def _page(self, size: int, after: Place | None, before: Place | None) -> list[tuple[Member, Decision]]:
        nearest_members: list[tuple[Member, Decision]] = []
        for rank, account in sorted(self.by_account, reverse=before is not None):
            wanted = size + 1 - len(nearest_members)
            if wanted <= 0:
                break
            members = chain.from_iterable(self.by_account[rank, account])
            if before is not None:
                rows = (member for member in members if Place(rank, account, member.arn) < before)
                nearest = nlargest(wanted, rows, key=_arn)
            else:
                rows = (
                    member for member in members if after is None or Place(rank, account, member.arn) > after
                )
                nearest = nsmallest(wanted, rows, key=_arn)
            nearest_members += [(member, ORDER[rank]) for member in nearest]
        return nearest_members


def _arn(member: Member) -> str:
    return member.arn


class Everyone:
    """An answer whole, root users apart; valid, and kept, as long as the index is not changed."""

    def __init__(self, tallied: Tallied, ways: Ways) -> None:
        self.tallied, self.ways = tallied, ways
        runs = list(tallied.whole.found())
        self.runs = Runs(run for run in runs if run.members[0].kind is not PrincipalKind.ROOT)
        self.roots = sum(
            len(run.members)
            for run in runs
            if run.decision is Decision.ALLOWED and run.members[0].kind is PrincipalKind.ROOT
        )
        self._stopped: dict[int, Stopped] = {}
        self._reasons: dict[tuple[Member, str], Why] = {}

    def why(self, member: Member, action: str, find: Callable[[], Why]) -> Why:
        """Why a principal can or cannot; of the first that were shown it is kept, since an answer begins with
        the same rows each time.
        """
        key = (member, action)
        reasons = self._reasons.get(key)
        if reasons is None:
            reasons = find()
            if len(self._reasons) < REASONS:
                self._reasons[key] = reasons
        return reasons

    def stopped(self, most: int, find: Callable[[], Stopped]) -> Stopped:
        """Up to `most` whom only a deny stops, found once."""
        known = self._stopped.get(most)
        if known is None:
            known = self._stopped[most] = find()
        return known

    @cached_property
    def by_way(self) -> Mapping[Way, Runs]:
        """Everyone by the way in which they can."""
        return by_way(self.runs, self.ways)


def by_way(runs: Runs, ways: Ways) -> Mapping[Way, Runs]:
    """Principals by the way in which they can."""
    runs_by_way: dict[Way, list[Run]] = {}
    for run in runs.runs:
        for way, members in ways.among(run.members).items():
            runs_by_way.setdefault(way, []).append(Run(run.decision, run.account, members))
    return {way: Runs(way_runs) for way, way_runs in runs_by_way.items()}


class OneAnswer:
    """An answer narrowed, with what was not synced at this time."""

    def __init__(self, everyone: Everyone, unread: Unread, narrowed: Narrowed) -> None:
        self._narrowed, self._unread, self._everyone = narrowed, unread, everyone
        self.by_certainty = self._counts(everyone.runs)
        self.way: Way | None = None
        self.fitting = everyone.runs if narrowed == WHOLE else Runs(self._fitting())

    def certainty(self, member: Member, decision: Decision) -> Certainty:
        """How certain it is that one of them can."""
        return certainty_of(is_sure=decision is Decision.ALLOWED, unread=self._unread.of([member]))

    def _counts(self, runs: Runs) -> dict[Certainty, int]:
        counts = dict.fromkeys(Certainty, 0)
        if self._unread.has_policies:
            for run in runs.runs:
                for member in run.members:
                    counts[self.certainty(member, run.decision)] += 1
        else:
            for (decision, account), size in runs.sizes.items():
                counts[self.certainty(runs.first[decision, account], decision)] += size
        return counts

    def _fitting(self) -> Iterator[Run]:
        matcher = Matcher(self._narrowed.text)
        for run in self._everyone.runs.runs:
            members = [member for member in run.members if self._fits(member, run.decision, matcher)]
            if members:
                yield Run(run.decision, run.account, members)

    def _fits(self, member: Member, decision: Decision, matcher: Matcher) -> bool:
        narrowed = self._narrowed
        if narrowed.kind is not None and member.kind is not narrowed.kind:
            return False
        if narrowed.certainty is not None and self.certainty(member, decision) is not narrowed.certainty:
            return False
        return matcher.fits(member) and self._has_way(member)

    def _has_way(self, member: Member) -> bool:
        if not self._narrowed.way:
            return True
        way = self._everyone.ways.of(member)
        if way.key != self._narrowed.way:
            return False
        self.way = way
        return True

    def groups(self) -> list[WayGroup]:
        """Those who fit by the way in which they can, the largest group first."""
        everyone = self._everyone
        groups_by_way = (
            everyone.by_way if self.fitting is everyone.runs else by_way(self.fitting, everyone.ways)
        )
        groups = [
            WayGroup(way, self._counts(runs), runs.user_count, runs) for way, runs in groups_by_way.items()
        ]
        return sorted(
            groups,
            key=lambda group: (-group.counts[Certainty.CONFIRMED], -len(group.runs), group.way.sort_key),
        )

"""Holds the principals of an answer in runs of one decision and account, so that tens of thousands are
counted without visiting each.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from heapq import nlargest, nsmallest
from itertools import chain, starmap
from operator import attrgetter
from typing import Final, NamedTuple

from iam.access.persons import PrincipalCount, users_and_roles
from iam.linking.generation import generation
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.classes import ClassMembers, IndexedPrincipal, PrincipalClass
from iam.policy.index.question import MatchedPrincipals as Run
from iam.policy.index.question import WhoCanAnswer
from iam.policy.request import PrincipalKind

ORDER: Final = (EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL)
BY_ARN: Final = attrgetter("arn")
Where = tuple[int, str]
"""The sort key of runs: the position of the decision in `ORDER`, and the account."""


class AnswerPlace(NamedTuple):
    """The sort key of a row: allowed before conditional, then by account and ARN."""

    rank: int
    account: str
    arn: str


Among = PrincipalClass | Sequence[IndexedPrincipal]
"""Principals of one run: a whole class, as most are, or single members."""


def members_of(principals: Among) -> Sequence[IndexedPrincipal]:
    """The members of a class, or the principals themselves."""
    return principals.members if isinstance(principals, PrincipalClass) else principals


class StoredRun(NamedTuple):
    """A run, as it is kept, and how many principals it has."""

    decision: EvaluationDecision
    account: str
    principals: Among
    size: int

    @classmethod
    def of(cls, decision: EvaluationDecision, account: str, members: Sequence[IndexedPrincipal]) -> StoredRun:
        """A run of members. Where they are all of their class, the class is kept."""
        size = len(members)
        if isinstance(members, ClassMembers) and size == members.cls.size:
            return cls(decision, account, members.cls, size)
        return cls(decision, account, members, size)


def stored_runs(matched: WhoCanAnswer) -> Iterator[StoredRun]:
    """The runs of all who match."""
    for decision, classes in matched.whole.items():
        for cls in classes:
            yield StoredRun(decision, cls.account, cls, cls.size)
    yield from starmap(StoredRun.of, matched.parts)


class RunParts(NamedTuple):
    """Sizes and first members by decision and account, the users of each run, and their total number."""

    sizes: Mapping[tuple[EvaluationDecision, str], int]
    firsts: Mapping[tuple[EvaluationDecision, str], IndexedPrincipal]
    users: Sequence[Among]
    user_count: int


class PrincipalRuns:
    """Runs of principals, with cached results.

    A run isn’t kept as an object, nor are the members of a class: a large answer has 100,000 of them, and
    everyone waits while the garbage collector visits each.
    """

    def __init__(self, runs: Iterable[Run]) -> None:
        self._decisions: list[EvaluationDecision] = []
        self._accounts: list[str] = []
        self._principals: list[Among] = []
        self._sizes = array("I")
        self._add(starmap(StoredRun.of, runs))
        self._counted: tuple[Hashable, PrincipalCount] | None = None
        self._firsts: dict[tuple[Where, int], list[IndexedPrincipal]] = {}

    @classmethod
    def of(cls, runs: Iterable[StoredRun]) -> PrincipalRuns:
        """The same runs, as another object."""
        made = cls(())
        made._add(runs)
        return made

    def _add(self, runs: Iterable[StoredRun]) -> None:
        for decision, account, principals, size in runs:
            self._decisions.append(decision)
            self._accounts.append(account)
            self._principals.append(principals)
            self._sizes.append(size)

    @property
    def stored(self) -> Iterator[StoredRun]:
        """The runs as they are kept."""
        return map(StoredRun, self._decisions, self._accounts, self._principals, self._sizes)

    @property
    def runs(self) -> Iterator[Run]:
        """The runs, each made anew."""
        return map(Run, self._decisions, self._accounts, map(members_of, self._principals))

    @cached_property
    def parts(self) -> RunParts:
        """The results of one pass over all runs."""
        sizes: dict[tuple[EvaluationDecision, str], int] = {}
        firsts: dict[tuple[EvaluationDecision, str], IndexedPrincipal] = {}
        users: list[Among] = []
        user_count = 0
        for decision, account, principals, size in self.stored:
            key = decision, account
            if key in sizes:
                sizes[key] += size
            else:
                sizes[key], firsts[key] = size, members_of(principals)[0]
            if isinstance(principals, (PrincipalClass, ClassMembers)):
                if principals.kind is PrincipalKind.USER:
                    users.append(principals)
                    user_count += size
                continue
            among = [member for member in principals if member.kind is PrincipalKind.USER]
            if among:
                users.append(among)
                user_count += len(among)
        return RunParts(sizes, firsts, users, user_count)

    def principals(self) -> PrincipalCount:
        """Count users, the people behind them, and roles.

        The count is repeated after a user was linked or matched; otherwise it takes one query.
        """
        now = generation()
        counted = self._counted
        if counted is None or counted[0] != now:
            users = list(map(members_of, self.parts.users))
            roles = len(self) - self.parts.user_count
            counted = self._counted = (now, users_and_roles(users, roles))
        return counted[1]

    @cached_property
    def by_account(self) -> Mapping[Where, Sequence[Among]]:
        """The principals by decision and account."""
        by_place: dict[Where, list[Among]] = {}
        for decision, account, principals in zip(
            self._decisions, self._accounts, self._principals, strict=True
        ):
            by_place.setdefault((ORDER.index(decision), account), []).append(principals)
        return by_place

    def __len__(self) -> int:
        return sum(self.parts.sizes.values())

    def count(self, decision: EvaluationDecision) -> int:
        """The number of principals with this decision."""
        return sum(size for (ranked, _), size in self.parts.sizes.items() if ranked is decision)

    def page(
        self, *, size: int, after: AnswerPlace | None = None, before: AnswerPlace | None = None
    ) -> list[tuple[IndexedPrincipal, EvaluationDecision]]:
        """Up to `size` + 1 rows after or before a place; the extra row shows that there are more.

        Rows before a place are returned nearest first.
        """
        rows: list[tuple[IndexedPrincipal, EvaluationDecision]] = []
        for where in sorted(self.by_account, reverse=before is not None):
            wanted = size + 1 - len(rows)
            if wanted <= 0:
                break
            if after is None and before is None:
                nearest = self.firsts(where, wanted)
            else:
                nearest = self._nearest(where, wanted, after, before)
            rows += [(member, ORDER[where[0]]) for member in nearest]
        return rows

    def firsts(self, where: Where, wanted: int) -> list[IndexedPrincipal]:
        """The first members, by ARN, of one decision and account; cached."""
        known = self._firsts.get((where, wanted))
        if known is None:
            members = chain.from_iterable(map(members_of, self.by_account[where]))
            known = self._firsts[where, wanted] = nsmallest(wanted, members, key=BY_ARN)
        return known

    def _nearest(
        self, where: Where, wanted: int, after: AnswerPlace | None, before: AnswerPlace | None
    ) -> list[IndexedPrincipal]:
        members = chain.from_iterable(map(members_of, self.by_account[where]))
        if before is not None:
            return nlargest(
                wanted, (member for member in members if AnswerPlace(*where, member.arn) < before), key=BY_ARN
            )
        rows = (member for member in members if after is None or AnswerPlace(*where, member.arn) > after)
        return nsmallest(wanted, rows, key=BY_ARN)


class JoinedRuns(PrincipalRuns):
    """The runs of several accounts. It reuses the results that each account's runs have cached."""

    def __init__(self, parts: Mapping[str, PrincipalRuns]) -> None:
        super().__init__(())
        self._of_accounts = parts

    @property
    def stored(self) -> Iterator[StoredRun]:
        """The runs of all accounts, as they are kept."""
        return chain.from_iterable(part.stored for part in self._of_accounts.values())

    @property
    def runs(self) -> Iterator[Run]:
        """The runs of all accounts."""
        return chain.from_iterable(part.runs for part in self._of_accounts.values())

    @cached_property
    def parts(self) -> RunParts:
        """The combined results of all accounts."""
        sizes: dict[tuple[EvaluationDecision, str], int] = {}
        firsts: dict[tuple[EvaluationDecision, str], IndexedPrincipal] = {}
        users: list[Among] = []
        user_count = 0
        for runs in self._of_accounts.values():
            of_account = runs.parts
            sizes.update(of_account.sizes)
            firsts.update(of_account.firsts)
            users += of_account.users
            user_count += of_account.user_count
        return RunParts(sizes, firsts, users, user_count)

    @cached_property
    def by_account(self) -> Mapping[Where, Sequence[Among]]:
        """The principals of all accounts."""
        return dict(chain.from_iterable(part.by_account.items() for part in self._of_accounts.values()))

    def firsts(self, where: Where, wanted: int) -> list[IndexedPrincipal]:
        """The first members, from the part of that account."""
        return self._of_accounts[where[1]].firsts(where, wanted)

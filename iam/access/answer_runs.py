"""Holds the principals of an answer in runs of one decision and account, so that tens of thousands are
counted without visiting each.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from heapq import nlargest, nsmallest
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

from iam.access.persons import PrincipalCount, users_and_roles
from iam.access.whole_classes import WholeClasses
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


def runs_of(matched: WhoCanAnswer) -> Iterator[Run]:
    """All who match, each run with members of one kind."""
    for decision, classes in matched.whole.items():
        classes_by_place: dict[tuple[str, PrincipalKind], list[PrincipalClass]] = {}
        for cls in classes:
            classes_by_place.setdefault((cls.account, cls.kind), []).append(cls)
        for (account, _), classes_there in classes_by_place.items():
            yield Run(decision, account, WholeClasses(classes_there))
    yield from matched.parts


class RunParts(NamedTuple):
    """Sizes and first members by decision and account, the users of each run, and their total number."""

    sizes: Mapping[tuple[EvaluationDecision, str], int]
    firsts: Mapping[tuple[EvaluationDecision, str], IndexedPrincipal]
    users: Sequence[Sequence[IndexedPrincipal]]
    user_count: int


class PrincipalRuns:
    """Runs of principals, with cached results."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = list(runs)
        self._counted: tuple[Hashable, PrincipalCount] | None = None
        self._firsts: dict[tuple[Where, int], list[IndexedPrincipal]] = {}

    @property
    def runs(self) -> Iterator[Run]:
        """The runs."""
        return iter(self._runs)

    @cached_property
    def parts(self) -> RunParts:
        """The results of one pass over all runs."""
        sizes: dict[tuple[EvaluationDecision, str], int] = {}
        firsts: dict[tuple[EvaluationDecision, str], IndexedPrincipal] = {}
        users: list[Sequence[IndexedPrincipal]] = []
        for decision, account, members in self.runs:
            key = decision, account
            sizes[key] = sizes.get(key, 0) + len(members)
            if key not in firsts:
                firsts[key] = members[0]
            if isinstance(members, WholeClasses | ClassMembers):
                if members.kind is PrincipalKind.USER:
                    users.append(members)
                continue
            among = [member for member in members if member.kind is PrincipalKind.USER]
            if among:
                users.append(among)
        return RunParts(sizes, firsts, users, sum(map(len, users)))

    def principals(self) -> PrincipalCount:
        """Count users, the people behind them, and roles.

        The count is repeated after a user was linked or matched; otherwise it takes one query.
        """
        now = generation()
        counted = self._counted
        if counted is None or counted[0] != now:
            roles = len(self) - self.parts.user_count
            counted = self._counted = (now, users_and_roles(self.parts.users, roles))
        return counted[1]

    @cached_property
    def by_account(self) -> Mapping[Where, Sequence[Sequence[IndexedPrincipal]]]:
        """The principals by decision and account."""
        by_place: dict[Where, list[Sequence[IndexedPrincipal]]] = {}
        for decision, account, members in self.runs:
            by_place.setdefault((ORDER.index(decision), account), []).append(members)
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
            members = chain.from_iterable(self.by_account[where])
            known = self._firsts[where, wanted] = nsmallest(wanted, members, key=BY_ARN)
        return known

    def _nearest(
        self, where: Where, wanted: int, after: AnswerPlace | None, before: AnswerPlace | None
    ) -> list[IndexedPrincipal]:
        members = chain.from_iterable(self.by_account[where])
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
    def runs(self) -> Iterator[Run]:
        """The runs of all accounts."""
        return chain.from_iterable(part.runs for part in self._of_accounts.values())

    @cached_property
    def parts(self) -> RunParts:
        """The combined results of all accounts."""
        sizes: dict[tuple[EvaluationDecision, str], int] = {}
        firsts: dict[tuple[EvaluationDecision, str], IndexedPrincipal] = {}
        users: list[Sequence[IndexedPrincipal]] = []
        user_count = 0
        for runs in self._of_accounts.values():
            of_account = runs.parts
            sizes.update(of_account.sizes)
            firsts.update(of_account.firsts)
            users += of_account.users
            user_count += of_account.user_count
        return RunParts(sizes, firsts, users, user_count)

    @cached_property
    def by_account(self) -> Mapping[Where, Sequence[Sequence[IndexedPrincipal]]]:
        """The principals of all accounts."""
        return dict(chain.from_iterable(part.by_account.items() for part in self._of_accounts.values()))

    def firsts(self, where: Where, wanted: int) -> list[IndexedPrincipal]:
        """The first members, from the part of that account."""
        return self._of_accounts[where[1]].firsts(where, wanted)

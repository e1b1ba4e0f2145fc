"""A complete who-can answer, and what is derived from it: filtered rows, certainty, and the ways access is
given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Protocol

from iam.access.answer_runs import JoinedRuns, PrincipalRuns, runs_of
from iam.access.certainty import Certainty, UnreadSources, certainty_of
from iam.access.denied_principals import StoppedPrincipals, stopped
from iam.access.explanation import DecisionReasons, explanation_of
from iam.access.multi_action import TalliedActions
from iam.access.persons import PersonMatcher
from iam.access.ways import AccessWay, AccessWays
from iam.access.whole_classes import WholeClasses
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.classes import ClassMembers, IndexedPrincipal, PrincipalClass
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.question import MatchedPrincipals as Run
from iam.policy.index.shard import AccountShard
from iam.policy.request import PrincipalKind

REASONS: Final = 256
"""The number of principals per account whose reasons are cached with an answer."""


class PrincipalFilter(Protocol):
    """Selects users and roles by more than their names. It is hashable."""

    def fits(self, member: IndexedPrincipal, shard: AccountShard, decision: EvaluationDecision) -> bool:
        """True if the user or role, which is in this account, is selected."""


@dataclass(frozen=True, slots=True)
class AnswerFilter:
    """A filter on an answer: part of a name, login or email address; principal kind; certainty; the key of a
    way; and a further filter.
    """

    text: str = ""
    kind: PrincipalKind | None = None
    certainty: Certainty | None = None
    way: str = ""
    only: PrincipalFilter | None = None


WHOLE: Final = AnswerFilter()


class WayGroup(NamedTuple):
    """All principals with access in one way: counts by certainty, the number of users among them, and their
    runs.
    """

    way: AccessWay
    counts: Mapping[Certainty, int]
    users: int
    runs: PrincipalRuns


class AnswerBasis(NamedTuple):
    """What one account's part of an answer depends on, besides the question.

    These are the account and the owner of the resource, each as shard and version, and the dates that have
    passed.
    """

    account: tuple[AccountShard, int]
    owner: tuple[AccountShard, int] | None
    dates: Hashable


class AccountAnswer:
    """One account's part of an answer, valid as long as its basis is unchanged."""

    def __init__(self, runs: Iterable[Run], basis: AnswerBasis) -> None:
        self.basis = basis
        self.roots = 0
        others = []
        for run in runs:
            # Members of a run have one kind.
            members = run.members
            kind = members.kind if isinstance(members, WholeClasses | ClassMembers) else members[0].kind
            if kind is not PrincipalKind.ROOT:
                others.append(run)
            elif run.decision is EvaluationDecision.ALLOWED:
                self.roots += len(members)
        self.runs = PrincipalRuns(others)
        self.by_way: Mapping[AccessWay, PrincipalRuns] | None = None
        self.reasons: dict[tuple[IndexedPrincipal, str], DecisionReasons] = {}


class CompleteAnswer:
    """A complete answer without root users, cached until the index changes.

    The next answer then reuses the parts of accounts that have not changed.
    """

    def __init__(
        self,
        tallied: TalliedActions,
        ways: AccessWays,
        bases: Mapping[str, AnswerBasis],
        former: CompleteAnswer | None = None,
    ) -> None:
        self.tallied = tallied
        self.ways = ways
        former_parts = {} if former is None else former.parts
        runs_by_account: dict[str, list[Run]] = {}
        for run in runs_of(tallied.whole):
            runs_by_account.setdefault(run.account, []).append(run)
        self.parts: dict[str, AccountAnswer] = {}
        for account, runs in runs_by_account.items():
            basis = bases[account]
            part = former_parts.get(account)
            if part is None or part.basis != basis:
                part = AccountAnswer(runs, basis)
            self.parts[account] = part
        self.runs = JoinedRuns({account: part.runs for account, part in self.parts.items()})
        self.roots = sum(part.roots for part in self.parts.values())
        self._stopped: dict[int, StoppedPrincipals] = {}

    def why(self, index: PolicyIndex, member: IndexedPrincipal, question: AccessQuestion) -> DecisionReasons:
        """The reasons for one principal.

        Reasons of the first principals are cached, because every page of an answer starts with the same rows.
        """
        part = self.parts.get(member.account)
        if part is None:
            return explanation_of(index, member, question)
        reasons = part.reasons.get((member, question.action))
        if reasons is None:
            reasons = explanation_of(index, member, question)
            if len(part.reasons) < REASONS:
                part.reasons[member, question.action] = reasons
        return reasons

    def stopped(self, index: PolicyIndex, question: AccessQuestion, *, most: int) -> StoppedPrincipals:
        """Up to `most` principals that only a deny stops; cached."""
        known = self._stopped.get(most)
        if known is None:
            known = self._stopped[most] = stopped(index, question, self.tallied.whole, most=most)
        return known

    @cached_property
    def by_way(self) -> Mapping[AccessWay, PrincipalRuns]:
        """All principals grouped by the way they have access."""
        runs_by_way: dict[AccessWay, dict[str, PrincipalRuns]] = {}
        for account, part in self.parts.items():
            if part.by_way is None:
                part.by_way = by_way(part.runs, self.ways)
            for way, runs in part.by_way.items():
                runs_by_way.setdefault(way, {})[account] = runs
        return {way: JoinedRuns(of_accounts) for way, of_accounts in runs_by_way.items()}


def by_way(runs: PrincipalRuns, ways: AccessWays) -> Mapping[AccessWay, PrincipalRuns]:
    """Group principals by the way they have access."""
    runs_by_way: dict[AccessWay, list[Run]] = defaultdict(list)
    for decision, account, members in runs.runs:
        if isinstance(members, WholeClasses):
            parts_by_way = classes_by_way(members.classes, ways)
        else:
            parts_by_way = {way: [part] for way, part in ways.group_by_way(members).items()}
        for way, parts in parts_by_way.items():
            runs_by_way[way] += [Run(decision, account, part) for part in parts]
    return {way: PrincipalRuns(way_runs) for way, way_runs in runs_by_way.items()}


def classes_by_way(
    classes: Iterable[PrincipalClass], ways: AccessWays
) -> Mapping[AccessWay, list[Sequence[IndexedPrincipal]]]:
    """Group the members of classes, which have one account and kind, by the way they have access."""
    whole: dict[AccessWay, list[PrincipalClass]] = {}
    parts_by_way: dict[AccessWay, list[Sequence[IndexedPrincipal]]] = {}
    for cls in classes:
        only_way = ways.only_way(cls)
        if only_way is not None:
            whole.setdefault(only_way, []).append(cls)
            continue
        for way, members in ways.group_by_way(cls.members).items():
            if len(members) == cls.size:
                whole.setdefault(way, []).append(cls)
            else:
                parts_by_way.setdefault(way, []).append(members)
    for way, whole_classes in whole.items():
        parts_by_way.setdefault(way, []).append(WholeClasses(whole_classes))
    return parts_by_way


class OneAnswer:
    """A filtered answer, combined with what is not synced at the moment."""

    def __init__(self, everyone: CompleteAnswer, unread: UnreadSources, narrowed: AnswerFilter) -> None:
        self._narrowed, self._unread, self._everyone = narrowed, unread, everyone
        self.by_certainty = self._counts(everyone.runs)
        self.way: AccessWay | None = None
        self.fitting = everyone.runs if narrowed == WHOLE else PrincipalRuns(self._matching())

    def certainty(self, member: IndexedPrincipal, decision: EvaluationDecision) -> Certainty:
        """The certainty that this principal can do it."""
        return certainty_of(
            is_sure=decision is EvaluationDecision.ALLOWED, unread=self._unread.about_members([member])
        )

    def _counts(self, runs: PrincipalRuns) -> dict[Certainty, int]:
        counts = dict.fromkeys(Certainty, 0)
        if self._unread.has_policies:
            for run in runs.runs:
                for member in run.members:
                    counts[self.certainty(member, run.decision)] += 1
        else:
            for (decision, account), size in runs.parts.sizes.items():
                counts[self.certainty(runs.parts.firsts[decision, account], decision)] += size
        return counts

    def _matching(self) -> Iterator[Run]:
        matcher = PersonMatcher(self._narrowed.text)
        for run in self._everyone.runs.runs:
            members = [member for member in run.members if self._matches(member, run.decision, matcher)]
            if members:
                yield Run(run.decision, run.account, members)

    def _matches(
        self, member: IndexedPrincipal, decision: EvaluationDecision, matcher: PersonMatcher
    ) -> bool:
        narrowed = self._narrowed
        if narrowed.kind is not None and member.kind is not narrowed.kind:
            return False
        if narrowed.certainty is not None and self.certainty(member, decision) is not narrowed.certainty:
            return False
        if narrowed.only is not None:
            shard, _ = self._everyone.parts[member.account].basis.account
            if not narrowed.only.fits(member, shard, decision):
                return False
        return matcher.matches(member) and self._has_way(member)

    def _has_way(self, member: IndexedPrincipal) -> bool:
        if not self._narrowed.way:
            return True
        way = self._everyone.ways.main_way(member)
        if way.key != self._narrowed.way:
            return False
        self.way = way
        return True

    def groups(self) -> list[WayGroup]:
        """The matching principals grouped by way, most confirmed first."""
        everyone = self._everyone
        groups_by_way = (
            everyone.by_way if self.fitting is everyone.runs else by_way(self.fitting, everyone.ways)
        )
        groups = [
            WayGroup(way, self._counts(runs), runs.parts.user_count, runs)
            for way, runs in groups_by_way.items()
        ]
        return sorted(
            groups,
            key=lambda group: (-group.counts[Certainty.CONFIRMED], -len(group.runs), group.way.sort_key),
        )

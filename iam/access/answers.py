"""One answer to who can, and what is worked out of it: who fits a filter, how certain each is, in which way
each can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from iam.access.answer_runs import JoinedRuns, PrincipalRuns
from iam.access.certainty import Certainty, UnreadSources, certainty_of
from iam.access.denied_principals import StoppedPrincipals, stopped
from iam.access.explanation import DecisionReasons, explanation_of
from iam.access.multi_action import TalliedActions
from iam.access.persons import PersonMatcher
from iam.access.ways import AccessWay, AccessWays
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.classes import ClassMembers, IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.question import MatchedPrincipals as Run
from iam.policy.index.shard import AccountShard
from iam.policy.request import PrincipalKind

REASONS: Final = 256
"""Of so many principals of an account the reasons are kept with an answer."""


@dataclass(frozen=True, slots=True)
class AnswerFilter:
    """What an answer is narrowed to: a part of a name, login or email address, a kind, a certainty, the key
    of a way.
    """

    text: str = ""
    kind: PrincipalKind | None = None
    certainty: Certainty | None = None
    way: str = ""


WHOLE: Final = AnswerFilter()


class WayGroup(NamedTuple):
    """Everyone who can in one way: how many of each certainty, how many of all are users, and the runs that
    they are in.
    """

    way: AccessWay
    counts: Mapping[Certainty, int]
    users: int
    runs: PrincipalRuns


class AnswerBasis(NamedTuple):
    """What the part of an answer that is about one account rests on, beside the question: the account and the
    owner of the resource as they are (shard and version), and which dates have passed.
    """

    account: tuple[AccountShard, int]
    owner: tuple[AccountShard, int] | None
    dates: Hashable


class AccountAnswer:
    """The part of an answer that is about one account: valid as long as its basis is."""

    def __init__(self, runs: Iterable[Run], basis: AnswerBasis) -> None:
        self.basis = basis
        self.roots = 0
        others = []
        for run in runs:
            # Those of one class are of one kind; of others the first says whether they are root users.
            members = run.members
            kind = members.kind if isinstance(members, ClassMembers) else members[0].kind
            if kind is not PrincipalKind.ROOT:
                others.append(run)
            elif run.decision is EvaluationDecision.ALLOWED:
                self.roots += len(run.members)
        self.runs = PrincipalRuns(others)
        self.by_way: Mapping[AccessWay, PrincipalRuns] | None = None
        self.reasons: dict[tuple[IndexedPrincipal, str], DecisionReasons] = {}


class CompleteAnswer:
    """An answer whole, root users apart; valid, and kept, as long as the index is not changed. Then it is the
    former of the next: the parts about accounts that have not changed are taken over.
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
        for run in tallied.whole.groups_of():
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
        """Why a principal can or cannot; of the first that were shown it is kept, since an answer begins with
        the same rows each time.
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
        """Up to `most` whom only a deny stops, found once."""
        known = self._stopped.get(most)
        if known is None:
            known = self._stopped[most] = stopped(index, question, self.tallied.whole, most=most)
        return known

    @cached_property
    def by_way(self) -> Mapping[AccessWay, PrincipalRuns]:
        """Everyone by the way in which they can."""
        runs_by_way: dict[AccessWay, dict[str, PrincipalRuns]] = {}
        for account, part in self.parts.items():
            if part.by_way is None:
                part.by_way = by_way(part.runs, self.ways)
            for way, runs in part.by_way.items():
                runs_by_way.setdefault(way, {})[account] = runs
        return {way: JoinedRuns(of_accounts) for way, of_accounts in runs_by_way.items()}


def by_way(runs: PrincipalRuns, ways: AccessWays) -> Mapping[AccessWay, PrincipalRuns]:
    """Principals by the way in which they can."""
    runs_by_way: dict[AccessWay, list[Run]] = defaultdict(list)
    for run in runs.runs:
        only_way = ways.only_way(run.members)
        if only_way is not None:
            runs_by_way[only_way].append(run)
            continue
        for way, members in ways.group_by_way(run.members).items():
            runs_by_way[way].append(Run(run.decision, run.account, members))
    return {way: PrincipalRuns(way_runs) for way, way_runs in runs_by_way.items()}


class OneAnswer:
    """An answer narrowed, with what was not synced at this time."""

    def __init__(self, everyone: CompleteAnswer, unread: UnreadSources, narrowed: AnswerFilter) -> None:
        self._narrowed, self._unread, self._everyone = narrowed, unread, everyone
        self.by_certainty = self._counts(everyone.runs)
        self.way: AccessWay | None = None
        self.fitting = everyone.runs if narrowed == WHOLE else PrincipalRuns(self._matching())

    def certainty(self, member: IndexedPrincipal, decision: EvaluationDecision) -> Certainty:
        """How certain it is that one of them can."""
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
        """Those who fit by the way in which they can, the largest group first."""
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

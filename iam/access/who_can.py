"""Who can do an action on a resource, page by page and with the reasons, within the accounts that the viewer
sees.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import Any, Final

from iam.access.actions import ActionSelection
from iam.access.answer_runs import ORDER, AnswerPlace
from iam.access.answers import WHOLE, AnswerBasis, AnswerFilter, CompleteAnswer, OneAnswer, WayGroup
from iam.access.certainty import Certainty, UnreadSources
from iam.access.denied_principals import StoppedPrincipals
from iam.access.explanation import DecisionReasons, explanation_of
from iam.access.index_cache import cached_on
from iam.access.multi_action import TalliedActions, tallied
from iam.access.persons import PrincipalCount, shown_name
from iam.access.ways import AccessWay, AccessWays
from iam.mirror.display_names import with_people
from iam.mirror.snapshot import snapshot
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import (
    OTHER_ACCOUNTS,
    PEOPLE_AND_ROLES,
    WITH_ROOT,
    AccessQuestion,
    AnswerLimitation,
    WhoCanAnswer,
)
from iam.policy.letter_case import fold
from iam.policy.memory import collecting_paused
from iam.policy.request import TIMES, PrincipalKind, account_of

GROUPS: Final = 20
"""Of so many ways principals are named; of the others it is said how many there are."""
NONE_STOPPED: Final = StoppedPrincipals((), is_whole=True)


@dataclass(frozen=True, slots=True)
class WhoCanQuestion:
    """A question as somebody asks it. `accounts` are those whose principals they may be told of, None for
    all; `is_hidden` says that the resource is in an account that they do not see, of whose policies they are
    told nothing. `is_any_time` leaves the time of the request open; `is_now`: the time in the context is that
    of the question.
    """

    selection: ActionSelection
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False
    owner: str = ""
    accounts: frozenset[str] | None = None
    at: datetime | None = None
    is_hidden: bool = False
    is_any_time: bool = False
    is_now: bool = False

    def question(self, action: str) -> AccessQuestion:
        """As the index takes it, for one of the actions."""
        return AccessQuestion(
            action,
            self.resource,
            self.context,
            accounts=self.accounts,
            resource_account=self.owner,
            strict=self.strict,
            is_any_time=self.is_any_time,
        )

    @property
    def key(self) -> Hashable:
        """What tells it from other questions about the same moment."""
        # What dates decide is kept with the index, which is another when one has passed.
        left_out = TIMES if self.is_now else frozenset()
        context = tuple(
            sorted((key, repr(value)) for key, value in self.context.items() if fold(key) not in left_out)
        )
        return (
            "who can",
            self.selection.actions,
            self.resource,
            context,
            self.strict,
            self.owner,
            self.accounts,
            self.is_hidden,
            self.is_any_time,
        )

    @property
    def resource_account(self) -> str:
        """The account of the resource, where it is told."""
        return self.owner or account_of(self.resource)

    @property
    def needed(self) -> frozenset[str] | None:
        """The accounts that the index must hold to answer."""
        if self.accounts is None:
            return None
        return self.accounts | (
            {self.resource_account} if self.resource_account and not self.is_hidden else set()
        )


@dataclass(frozen=True, slots=True)
class WhoCanRow:
    """Somebody who can, or whom a deny stops. `can` and `may` count the actions that are allowed, and allowed
    under conditions; `action` is the first of them, which `why` is about.
    """

    pk: int
    account: str
    arn: str
    display: str
    kind: PrincipalKind
    decision: EvaluationDecision
    action: str
    why: DecisionReasons
    can: int = 0
    may: int = 0
    certainty: Certainty = Certainty.CONFIRMED
    unread: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name in IAM."""
        return self.arn.rpartition("/")[2]

    @property
    def list_position(self) -> AnswerPlace:
        """Where one who can stands in the list."""
        return AnswerPlace(ORDER.index(self.decision), self.account, self.arn)


@dataclass(frozen=True, slots=True)
class PeopleByWay:
    """Everyone who can in one way, confirmed first; `rows` are the first of them, `users` how many of all are
    users.
    """

    way: AccessWay
    counts: Mapping[Certainty, int]
    rows: list[WhoCanRow]
    users: int

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class WhoCanPage:
    """A page of an answer. Counts are exact: `everyone` and `by_certainty` of the whole answer, `counts` of
    what fits the filter.

    `asked` is how many users and roles there are, `roots` how many root users can. `stopped` are some whom
    only a deny stops, all of them if `is_stopped_whole`. `groups` are there only where they were asked for,
    `way` where the list is of one.
    """

    counts: Mapping[EvaluationDecision, int]
    rows: list[WhoCanRow]
    has_before: bool
    has_after: bool
    limitations: tuple[AnswerLimitation, ...]
    asked: int
    roots: int
    stopped: list[WhoCanRow]
    is_stopped_whole: bool
    everyone: PrincipalCount
    by_certainty: Mapping[Certainty, int]
    groups: list[PeopleByWay]
    way: AccessWay | None
    unread: Mapping[str, tuple[str, ...]]

    @property
    def matching_count(self) -> int:
        """How many fit the filter."""
        return sum(self.counts.values())


def who_can(
    asked: WhoCanQuestion,
    *,
    size: int,
    after: AnswerPlace | None = None,
    before: AnswerPlace | None = None,
    denied: int = 0,
    narrowed: AnswerFilter = WHOLE,
    group_size: int = 0,
) -> WhoCanPage:
    """A page of those who can and fit, and up to `denied` of those whom only a deny stops (of one action
    only).

    With `group_size` the answer also has the ways in which access is given, the first of them with so many
    principals of each; the page of those who can is then left out unless it has all of them.
    """
    with snapshot(asked.at, accounts=asked.needed, may_lag=True) as index, collecting_paused():
        shown = _ShownAnswer(index, asked, narrowed)
        answer = shown.answer
        page = answer.fitting.page(size=size, after=after, before=before)
        has_more = len(page) > size
        whole = shown.tallied.whole
        is_stopped_asked = denied and asked.selection.is_one and not asked.is_hidden
        barred = NONE_STOPPED
        if is_stopped_asked:
            question = asked.question(asked.selection.actions[0])
            barred = shown.everyone.stopped(index, question, most=denied)
        # Beside groups, a page of the list is shown only where it is the whole of it.
        is_listed = not (group_size and has_more)
        rows = [shown.row(*each) for each in page[:size]] if is_listed else []
        answer_groups = answer.groups() if group_size else ()
        groups = []
        for number, group in enumerate(answer_groups):
            rows_shown = group_size if number < GROUPS else 0
            groups.append(shown.group(group, rows_shown))
        if before:
            rows.reverse()
        stopped_rows = [shown.denied(member) for member in barred.members]
        rows_of_groups = chain.from_iterable(group.rows for group in groups)
        named = iter(_with_people([*rows, *stopped_rows, *rows_of_groups]))
        rows = list(islice(named, len(rows)))
        stopped_rows = list(islice(named, len(stopped_rows)))
        groups = [replace(group, rows=list(islice(named, len(group.rows)))) for group in groups]
        has_before = has_more if before else after is not None
        return WhoCanPage(
            counts={decision: answer.fitting.count(decision) for decision in ORDER},
            rows=rows,
            has_before=has_before,
            has_after=before is not None or has_more,
            limitations=whole.limitations,
            asked=_size(index, asked.accounts),
            roots=shown.everyone.roots,
            stopped=stopped_rows,
            is_stopped_whole=barred.is_whole,
            everyone=shown.everyone.runs.principals(),
            by_certainty=answer.by_certainty,
            groups=groups,
            way=answer.way,
            unread={
                number: clauses
                for number, clauses in shown.unread.accounts.items()
                if asked.accounts is None or number in asked.accounts
            },
        )


class _ShownAnswer:
    """An answer, and the rows that are shown of it; only while the snapshot is held."""

    def __init__(self, index: PolicyIndex, asked: WhoCanQuestion, narrowed: AnswerFilter) -> None:
        self._index, self._asked = index, asked
        find = partial(everyone_who_can, index, asked)
        self.everyone: CompleteAnswer = cached_on(index, asked.key, find)
        self.tallied = self.everyone.tallied
        self.unread = UnreadSources(index, at=asked.at)
        self.answer = OneAnswer(self.everyone, self.unread, narrowed)

    def group(self, group: WayGroup, size: int) -> PeopleByWay:
        """A way, with the first of those who can in it. Where none is shown, none is looked for."""
        first = group.runs.page(size=size)[:size] if size else []
        return PeopleByWay(group.way, group.counts, [self.row(*each) for each in first], group.users)

    def row(self, member: IndexedPrincipal, decision: EvaluationDecision) -> WhoCanRow:
        """One who can, with the reasons."""
        tally = self.tallied.tally_of(member)
        reasons = self.everyone.why(self._index, member, self._asked.question(tally.first))
        row = _row(member, decision, tally.first, reasons, can=tally.can, may=tally.may)
        return replace(
            row, certainty=self.answer.certainty(member, decision), unread=self.unread.about_members([member])
        )

    def denied(self, member: IndexedPrincipal) -> WhoCanRow:
        """One whom a deny stops."""
        action = self.tallied.whole.question.action
        reasons = self.everyone.why(self._index, member, self._asked.question(action))
        return _row(member, reasons.decision, action, reasons)


def everyone_who_can(
    index: PolicyIndex, asked: WhoCanQuestion, former: CompleteAnswer | None = None
) -> CompleteAnswer:
    """The whole answer; what is `former`, and still holds, is taken over."""
    # Before the answer: a date that passes meanwhile makes it one of before.
    dates = index.documents.passed()
    tallies = answer_to(index, asked, kinds=WITH_ROOT)
    states = {number: (shard, shard.version) for number, shard in index.accounts.items()}
    owner = states.get(asked.resource_account)
    bases = {number: AnswerBasis(state, owner, dates) for number, state in states.items()}
    return CompleteAnswer(tallies, AccessWays(index, asked.question, tallies), bases, former)


def every_row(
    asked: WhoCanQuestion, *, size: int = 500, narrowed: AnswerFilter = WHOLE
) -> Iterator[WhoCanRow]:
    """All who can and fit, in the order of the pages, asked page by page: meanwhile others may ask, and the
    mirror may change.
    """
    after: AnswerPlace | None = None
    while True:
        page = who_can(asked, size=size, after=after, narrowed=narrowed)
        yield from page.rows
        if not page.has_after or not page.rows:
            return
        after = page.rows[-1].list_position


def why_one(asked: WhoCanQuestion, *, account: str, pk: int) -> list[WhoCanRow]:
    """Each action of a question as one principal can do it, with the reasons; nothing where nobody may be
    told of it.
    """
    if asked.is_hidden or (asked.accounts is not None and account not in asked.accounts):
        return []
    with snapshot(asked.at, accounts=asked.needed, may_lag=True) as index:
        member = index.member(account, pk)
        if member is None:
            return []
        rows = []
        for action in asked.selection.actions:
            reasons = explanation_of(index, member, asked.question(action))
            rows.append(_row(member, reasons.decision, action, reasons))
        return _with_people(rows)


def answer_to(
    index: PolicyIndex, asked: WhoCanQuestion, *, kinds: frozenset[PrincipalKind] = PEOPLE_AND_ROLES
) -> TalliedActions:
    """The answer to a question, whole."""
    question = replace(asked.question(asked.selection.actions[0]), kinds=kinds)
    if asked.is_hidden:
        return TalliedActions(WhoCanAnswer(question, {}, [], (_hidden(asked),)), {}, {})
    return tallied(index, question, asked.selection.actions)


def _hidden(asked: WhoCanQuestion) -> AnswerLimitation:
    return AnswerLimitation(
        OTHER_ACCOUNTS,
        f"The resource is in account {asked.resource_account}, which isn’t connected or which you can’t see. "
        "Who can use it from other accounts depends on a policy there.",
    )


def _row(
    member: IndexedPrincipal,
    decision: EvaluationDecision,
    action: str,
    reasons: DecisionReasons,
    *,
    can: int = 0,
    may: int = 0,
) -> WhoCanRow:
    return WhoCanRow(
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


def _with_people(rows: list[WhoCanRow]) -> list[WhoCanRow]:
    """The same rows, with the name of the person in the directory where no tag has a name, and in the
    person's own spelling where one has. One query.
    """
    users = [row for row in rows if row.kind is PrincipalKind.USER]
    called = with_people({row.pk: (row.arn.rpartition("/")[2], row.display) for row in users})
    return [replace(row, display=called.get(row.pk, row.display)) for row in rows]


def _size(index: PolicyIndex, accounts: frozenset[str] | None) -> int:
    """How many users and roles are asked about."""
    shards = index.accounts.values()
    return sum(len(shard.members) - 1 for shard in shards if accounts is None or shard.number in accounts)

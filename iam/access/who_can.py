"""Who can do something on a resource, page by page and with the reasons, within the accounts that the asking person sees."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import nlargest, nsmallest
from typing import Any, Final, NamedTuple

from iam.access.actions import Meant
from iam.access.reasons import Why, why
from iam.access.several import Tallied, tallied
from iam.access.stopped import Stopped, stopped
from iam.mirror.naming import display_name, people_of_users
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
    says that the resource is in an account that they do not see, of whose policies they are told nothing."""

    meant: Meant
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False
    owner: str = ""
    accounts: frozenset[str] | None = None
    at: datetime | None = None
    is_hidden: bool = False

    def question(self, action: str) -> Question:
        """As the index takes it, for one of the actions."""
        return Question(
            action,
            self.resource,
            self.context,
            accounts=self.accounts,
            resource_account=self.owner,
            strict=self.strict,
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

    @property
    def name(self) -> str:
        """The name in IAM."""
        return self.arn.rpartition("/")[2]

    @property
    def place(self) -> Place:
        """Where one who can stands in the list."""
        return Place(ORDER.index(self.decision), self.account, self.arn)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an answer. Counts are exact; `asked` is how many users and roles there are, `roots` how many root users can;
    `stopped` are some whom only a deny stops, all of them if `is_stopped_whole`."""

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


def who_can(
    asked: Asked, *, size: int, after: Place | None = None, before: Place | None = None, denied: int = 0
) -> Found:
    """A page of those who can, and up to `denied` of those whom only a deny stops (of one action only)."""
    with snapshot(asked.at, accounts=asked.needed) as index:
        began = time.perf_counter()
        found = answer_to(index, asked)
        counts = {decision: found.whole.count(decision) for decision in ORDER}
        page = _page(found.whole, size=size, after=after, before=before)
        seconds = time.perf_counter() - began
        barred = Stopped((), is_whole=True)
        if denied and asked.meant.is_one and not asked.is_hidden:
            barred = stopped(index, found.whole.question, found.whole, most=denied)
        return Found(
            counts=counts,
            rows=_with_people(
                [_row(index, asked, found, member, decision) for member, decision in page[:size]]
            )[:: -1 if before else 1],
            has_before=len(page) > size if before else after is not None,
            has_after=before is not None or len(page) > size,
            limitations=found.whole.limitations,
            asked=_size(index, asked.accounts),
            roots=_roots(index, asked),
            seconds=seconds,
            stopped=_with_people([_denied(index, found.whole.question, member) for member in barred.members]),
            is_stopped_whole=barred.is_whole,
        )


def every_row(asked: Asked, *, size: int = 500) -> Iterator[Row]:
    """All who can, in the order of the pages, asked page by page: meanwhile others may ask, and the mirror may change."""
    after: Place | None = None
    while True:
        found = who_can(asked, size=size, after=after)
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
        f"The resource is in the account {asked.place}, which is not connected here or which you do not see: who may use it from "
        "elsewhere depends on a policy there.",
    )


def _page(
    answer: Answer, *, size: int, after: Place | None, before: Place | None
) -> list[tuple[Member, Decision]]:
    """One more than the page, if there is one; before a place, the nearest first."""

    def places() -> Iterator[tuple[Place, Member]]:
        for each in answer.found():
            rank = ORDER.index(each.decision)
            if after is None or rank >= after.rank:
                yield from ((Place(rank, each.account, member.arn), member) for member in each.members)

    if before is not None:
        found = nlargest(size + 1, (row for row in places() if row[0] < before), key=_first)
    else:
        rows = places() if after is None else (row for row in places() if row[0] > after)
        found = nsmallest(size + 1, rows, key=_first)
    return [(member, ORDER[place.rank]) for place, member in found]


def _first(row: tuple[Place, Member]) -> Place:
    return row[0]


def _row(index: Index, asked: Asked, found: Tallied, member: Member, decision: Decision) -> Row:
    tally = found.of(member)
    reasons = why(index, member, asked.question(tally.first))
    return _shown(member, decision, tally.first, reasons, can=tally.can, may=tally.may)


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
        display=display_name(member.name, member.tags),
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

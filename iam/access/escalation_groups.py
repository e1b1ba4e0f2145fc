"""Groups the principals that can become administrator by the statement that opens their path, with a fix for
each group.

It reads the results that a worker calculated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from iam.access.certainty import Certainty
from iam.access.escalation import (
    CERTAIN,
    CERTAINTIES,
    Accounts,
    at_least,
    findings_in,
    no_one_words,
    people_in,
)
from iam.access.escalation_calculation import models, stored_calculation
from iam.access.escalation_calculation.coverage import NOTHING_COVERED, CalculationCoverage
from iam.access.escalation_calculation.models import EscalationCertainty, EscalationFinding
from iam.access.escalation_calculation.path_records import (
    FindingAct,
    FindingPath,
    FindingPrincipal,
    from_json,
    statement_from,
)
from iam.access.escalation_calculation.questions import answer_to
from iam.access.escalation_calculation.stored_calculation import BeingCalculatedError, StoredCalculation
from iam.access.opening_keys import OWN_KEY, key_of
from iam.access.persons import PrincipalCount, shown_names, text_filter
from iam.mirror.queries.result_cache import KeptResults
from iam.policy.escalation.held_statements import HeldStatement
from iam.policy.request import PrincipalKind

Opener = frozenset[HeldStatement]
"""Statements that the path depends on."""
ORDER: Final = ("certainty", "is_role", "steps", "account", "arn")
"""Sort order: confirmed first, users before roles, short paths first."""


@dataclass(frozen=True, slots=True)
class AffectedByOpening:
    """A principal that can become administrator by a path.

    `name` is the name of the person behind a user, or of the role.
    """

    start: tuple[str, int]
    member: FindingPrincipal
    path: FindingPath
    certainty: Certainty
    unread: tuple[str, ...] = ()
    name: str = ""

    @property
    def is_role(self) -> bool:
        """True for a role, False for a user."""
        return self.member.kind is PrincipalKind.ROLE


Means = tuple[tuple[FindingAct, ...], ...]
"""The acts of a path, step by step."""


@dataclass(frozen=True, slots=True)
class OpeningStatements:
    """Statements that open a path to administrator, and the principals that have it.

    Without statements, the path depends on nothing that a principal holds. `affected` are the principals that
    were requested, `counts` counts all of them by certainty and by whether they are roles, `means` are the
    most frequent paths.
    """

    statements: Opener
    affected: tuple[AffectedByOpening, ...]
    counts: Mapping[tuple[Certainty, bool], int] = field(default_factory=dict)
    means: tuple[Means, ...] = ()
    is_own: bool = False
    """True for the group of Gatehouse's own roles, which need their permissions: no finding, and not in the
    totals.
    """

    @property
    def key(self) -> str:
        """A short key for URLs that depends only on the statements."""
        return OWN_KEY if self.is_own else key_of(self.statements)

    @property
    def total(self) -> int:
        """The number of principals with the path."""
        return sum(self.counts.values())

    @property
    def roles(self) -> int:
        """The number of roles with the path."""
        return sum(many for (_, is_role), many in self.counts.items() if is_role)

    @property
    def users(self) -> int:
        """The number of users with the path."""
        return self.total - self.roles

    @property
    def by_certainty(self) -> Mapping[Certainty, int]:
        """The number of principals by certainty."""
        tally: Counter[Certainty] = Counter()
        for (certainty, _), many in self.counts.items():
            tally[certainty] += many
        return tally

    @property
    def confirmed(self) -> int:
        """The number of principals whose path is confirmed."""
        return self.by_certainty.get(Certainty.CONFIRMED, 0)

    @property
    def order(self) -> tuple[int, int, int, str]:
        """The sort key: most confirmed users, then most confirmed, then most principals."""
        users = self.counts.get((Certainty.CONFIRMED, False), 0)
        return -users, -self.confirmed, -self.total, self.key


@dataclass(frozen=True, slots=True)
class EscalationTotals:
    """How many principals of some accounts can become administrator.

    `unconfirmed` counts everyone who is not confirmed, for any reason.
    """

    confirmed: PrincipalCount
    unconfirmed: PrincipalCount
    conditional: int
    everyone: PrincipalCount
    openings: int
    administrators: int
    asked: int
    calculated_at: datetime
    own: int = 0
    """The number of Gatehouse's own roles that could; no other number includes them."""
    coverage: CalculationCoverage = NOTHING_COVERED

    @property
    def words(self) -> str:
        """'44 IAM users (38 people) and 12 roles can become administrator: 37 confirmed, 19 conditional'."""
        if not self.everyone.total:
            return no_one_words("can become administrator", self.coverage)
        numbers = {
            "confirmed": self.confirmed.total,
            "conditional": self.conditional,
            "unconfirmed": self.unconfirmed.total - self.conditional,
        }
        parts = [f"{number:,} {word}" for word, number in numbers.items() if number]
        everyone = at_least(self.everyone.words, self.coverage)
        return f"{everyone} can become administrator: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """A filter on groups and their principals."""

    text: str = ""
    kind: PrincipalKind | None = None
    certainty: Certainty | None = None


NO_FILTER: Final = GroupFilter()
_totals: KeptResults[EscalationTotals] = KeptResults()


def forget() -> None:
    """Clear the cached counts."""
    _totals.forget()


def escalation_totals(
    accounts: Accounts, *, at: datetime | None = None, wait: bool = True
) -> EscalationTotals | None:
    """The totals for the overview and the escalation page.

    If nothing is calculated for these accounts, returns None or, with `wait`, raises BeingCalculatedError.
    """
    known = stored_calculation.checked_at(at, accounts) if wait else stored_calculation.kept_at(at)
    if known is None:
        stored_calculation.nudge()
        return None
    totals = _totals_of(known, accounts)
    return None if totals.coverage.has_nothing else totals


def _totals_of(known: StoredCalculation, accounts: Accounts) -> EscalationTotals:
    coverage = known.coverage(accounts)
    about = known.moment, known.number, known.calculated_at, accounts, coverage
    return _totals.get_or_make(about, lambda: _count(known, accounts, coverage))


def _count(known: StoredCalculation, accounts: Accounts, coverage: CalculationCoverage) -> EscalationTotals:
    findings = findings_in(known, accounts)
    climbing = findings.filter(steps__gt=0).exclude(opener=OWN_KEY)
    confirmed, unconfirmed, everyone = people_in(climbing)
    return EscalationTotals(
        confirmed=confirmed,
        unconfirmed=unconfirmed,
        conditional=climbing.filter(certainty=EscalationCertainty.CONDITIONAL).count(),
        everyone=everyone,
        openings=climbing.order_by().values("opener").distinct().count(),
        administrators=findings.filter(steps=0).count(),
        asked=known.asked(accounts),
        calculated_at=known.calculated_at,
        own=findings.filter(opener=OWN_KEY).count(),
        coverage=coverage,
    )


@dataclass(frozen=True, slots=True)
class OpeningGroups:
    """The matching groups, worst first, with Gatehouse's own roles last.

    `more` counts groups that are left out. `fitting` counts all groups and `principals` their members, both
    without Gatehouse's own roles.
    """

    totals: EscalationTotals
    shown: list[OpeningStatements]
    more: int
    fitting: int
    principals: int


def all_groups(
    accounts: Accounts, *, at: datetime | None = None, narrowed: GroupFilter = NO_FILTER
) -> tuple[EscalationTotals, list[OpeningStatements]]:
    """The totals, and all matching groups with all their principals."""
    groups = groups_of(accounts, at=at, narrowed=narrowed, most=None, each=None)
    return groups.totals, groups.shown


def opening_of(key: str, accounts: Accounts, *, at: datetime | None = None) -> OpeningStatements | None:
    """One group with all its principals, or None."""
    known = stored_calculation.stored_at(at)
    rows = _climbing(known, accounts, NO_FILTER).filter(opener=key)
    groups = _groups(known, rows, accounts, only=key)
    return _filled(groups, rows, each=None)[0] if groups else None


def groups_of(
    accounts: Accounts,
    *,
    at: datetime | None = None,
    narrowed: GroupFilter = NO_FILTER,
    most: int | None,
    each: int | None,
) -> OpeningGroups:
    """Up to `most` groups, each with up to `each` of its matching principals."""
    known = stored_calculation.checked_at(at, accounts)
    rows = _climbing(known, accounts, narrowed)
    groups = sorted(_groups(known, rows, accounts), key=lambda group: (group.is_own, group.order))
    findings = [group for group in groups if not group.is_own]
    return OpeningGroups(
        totals=_totals_of(known, accounts),
        shown=_filled(groups[:most], rows, each=each),
        more=len(groups) - len(groups[:most]),
        fitting=len(findings),
        principals=sum(group.total for group in findings),
    )


def _climbing(
    known: StoredCalculation, accounts: Accounts, narrowed: GroupFilter
) -> QuerySet[EscalationFinding, EscalationFinding]:
    rows = findings_in(known, accounts).filter(steps__gt=0).filter(text_filter(narrowed.text))
    if narrowed.kind is not None:
        rows = rows.filter(is_role=narrowed.kind is PrincipalKind.ROLE)
    if narrowed.certainty is not None:
        rows = rows.filter(certainty=CERTAIN[narrowed.certainty])
    return rows


def _groups(
    known: StoredCalculation,
    rows: QuerySet[EscalationFinding, EscalationFinding],
    accounts: Accounts,
    *,
    only: str = "",
) -> list[OpeningStatements]:
    """The groups with their counts, without principals."""
    counts: dict[str, dict[tuple[Certainty, bool], int]] = {}
    tally = rows.order_by().values_list("opener", "certainty", "is_role").annotate(many=Count("pk"))
    for key, certainty, is_role, many in tally:
        counts.setdefault(key, {})[CERTAINTIES[EscalationCertainty(certainty)], is_role] = many
    kept = models.EscalationOpening.objects.filter(calculation=known.moment)
    if only:
        kept = kept.filter(key=only)
    opening_groups = []
    for key, statements, means in kept.values_list("key", "statements", "means"):
        if key in counts:
            opener = frozenset(statement_from(statement) for statement in statements)
            means_shown = tuple(_means(means, accounts))
            opening_groups.append(
                OpeningStatements(opener, (), counts[key], means_shown, is_own=key == OWN_KEY)
            )
    return opening_groups


def _means(kept: Mapping[str, list[Any]], accounts: Accounts) -> Iterator[Means]:
    tally: dict[Means, int] = {}
    for number, alternatives in kept.items():
        if accounts is None or number in accounts:
            for many, steps in alternatives:
                means = tuple(tuple(FindingAct(*act) for act in step) for step in steps)
                tally[means] = tally.get(means, 0) + many
    for means, _ in sorted(tally.items(), key=lambda each: -each[1]):
        yield means


def _filled(
    groups: Sequence[OpeningStatements],
    rows: QuerySet[EscalationFinding, EscalationFinding],
    *,
    each: int | None,
) -> list[OpeningStatements]:
    """The groups with their first principals, or all if `each` is None. Two queries."""
    wanted = rows.filter(opener__in=[group.key for group in groups])
    if each is not None:
        rank = Window(RowNumber(), partition_by="opener", order_by=[F(name).asc() for name in ORDER])
        wanted = wanted.annotate(rank=rank).filter(rank__lte=each)
    findings = [(finding, from_json(finding.path)) for finding in wanted.order_by(*ORDER)]
    names = shown_names(path.who for _, path in findings)
    affected: dict[str, list[AffectedByOpening]] = {}
    for finding, path in findings:
        affected.setdefault(finding.opener, []).append(_affected(finding, path, names[path.who.id]))
    return [
        OpeningStatements(
            group.statements,
            tuple(affected.get(group.key, ())),
            group.counts,
            group.means,
            group.is_own,
        )
        for group in groups
    ]


def _affected(finding: EscalationFinding, path: FindingPath, name: str) -> AffectedByOpening:
    certainty = CERTAINTIES[EscalationCertainty(finding.certainty)]
    return AffectedByOpening(
        (finding.account, finding.principal), path.who, path, certainty, tuple(finding.unread), name
    )


@dataclass(frozen=True, slots=True)
class EscalationFix:
    """The effect of removing a group's statements.

    `closed` have no other path; `others` keep one until `more` is removed too. `is_whole` is False if time
    ran out, so that `unchecked` principals may keep a path.
    """

    statements: Opener
    closed: tuple[AffectedByOpening, ...]
    others: tuple[AffectedByOpening, ...]
    more: tuple[HeldStatement, ...]
    is_whole: bool
    unchecked: int = 0


def fix_of(
    opening: OpeningStatements, accounts: Accounts = None, *, at: datetime | None = None
) -> EscalationFix:
    """The effect of removing a group's statements, for principals of these accounts.

    Raises BeingCalculatedError until a worker has calculated it.
    """
    asks = {"key": opening.key, "accounts": None if accounts is None else sorted(accounts)}
    answer = answer_to(stored_calculation.stored_at(at), "fix", asks)
    by_number = {affected.start[1]: affected for affected in opening.affected}
    return EscalationFix(
        opening.statements,
        tuple(by_number[number] for number in answer["closed"] if number in by_number),
        tuple(by_number[number] for number in answer["others"] if number in by_number),
        tuple(statement_from(statement) for statement in answer["more"]),
        answer["is_whole"],
        answer["unchecked"],
    )


__all__ = ["BeingCalculatedError", "all_groups", "escalation_totals"]

"""Finds who can become administrator or another principal, and how, within what the viewer sees.

It reads the results that a worker calculated. A missing result raises BeingCalculatedError and notifies a
worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Count, QuerySet

from iam.access.certainty import Certainty
from iam.access.escalation_calculation.coverage import NOTHING_COVERED, CalculationCoverage
from iam.access.escalation_calculation.models import EscalationCertainty, EscalationFinding
from iam.access.escalation_calculation.path_records import FindingPath, FindingPrincipal, from_json
from iam.access.escalation_calculation.questions import answer_to
from iam.access.escalation_calculation.stored_calculation import StoredCalculation, checked_at, stored_at
from iam.access.persons import PrincipalCount, named_exactly, people_of, shown_names, text_filter
from iam.access.principals import candidates
from iam.keyset import rows_beyond
from iam.mirror.models import EntityState, Kind, TagSet, valid_at
from iam.mirror.queries.accounts import gatehouse_role_arns
from iam.policy.escalation.held_statements import HeldStatement
from iam.policy.index.question import AnswerLimitation
from iam.policy.request import PrincipalKind

Accounts = frozenset[str] | None
CERTAINTIES: Final = {
    EscalationCertainty.CONFIRMED: Certainty.CONFIRMED,
    EscalationCertainty.UNCONFIRMED: Certainty.UNCONFIRMED,
    EscalationCertainty.CONDITIONAL: Certainty.CONDITIONAL,
}
CERTAIN: Final = {certainty: level for level, certainty in CERTAINTIES.items()}
KINDS: Final = {Kind.USER.value: PrincipalKind.USER, Kind.ROLE.value: PrincipalKind.ROLE}
PLACE: Final = ("is_role", "is_conditional", "steps", "account", "arn")
BATCH: Final = 500


class EscalationPosition(NamedTuple):
    """The sort key of a row: users before roles, confirmed before conditional, fewer steps first."""

    is_role: bool
    is_conditional: bool
    steps: int
    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class EscalationRow:
    """A principal that reaches the goal; without steps it already is the goal.

    `display` is the name of the person behind a user, or of the role.
    """

    pk: int
    place: EscalationPosition
    member: FindingPrincipal
    display: str
    certainty: Certainty
    path: FindingPath
    unread: tuple[str, ...] = ()
    is_own: bool = False
    """True for roles of Gatehouse itself, which are not findings."""

    @property
    def name(self) -> str:
        """The name in IAM."""
        return self.member.name

    @property
    def kind(self) -> PrincipalKind:
        """User or role."""
        return self.member.kind


@dataclass(frozen=True, slots=True)
class EscalationFilter:
    """Which principals to list.

    `to` (account, primary key) replaces administrator as the goal. `is_there` selects principals that already
    are the goal. `text` matches any part of name, user name, ARN or email address.
    """

    accounts: Accounts
    at: datetime | None = None
    to: tuple[str, int] | None = None
    is_there: bool = False
    kind: PrincipalKind | None = None
    text: str = ""
    certainty: Certainty | None = None


@dataclass(frozen=True, slots=True)
class EscalationPage:
    """A page of results.

    Counts cover all matches except Gatehouse's own roles, which `own` counts if the goal is administrator.
    `there` counts principals that already are the goal.
    """

    rows: list[EscalationRow]
    has_after: bool
    everyone: PrincipalCount
    by_certainty: Mapping[Certainty, int]
    there: int
    asked: int
    made_at: datetime
    seconds: float
    limitations: tuple[AnswerLimitation, ...]
    own: int = 0
    coverage: CalculationCoverage = NOTHING_COVERED

    @property
    def total(self) -> int:
        """The number of matches."""
        return self.everyone.total


def who_reaches(
    wanted: EscalationFilter, *, size: int, after: EscalationPosition | None = None
) -> EscalationPage:
    """A page of principals that reach the goal."""
    stored = checked_at(wanted.at, wanted.accounts)
    if wanted.to is not None:
        return _who_reaches_one(stored, wanted, size=size, after=after)
    own_roles = frozenset[str]() if wanted.is_there else gatehouse_role_arns()
    asked_about = findings_in(stored, wanted.accounts)
    if wanted.kind is not None:
        asked_about = asked_about.filter(is_role=wanted.kind is PrincipalKind.ROLE)
    there = asked_about.filter(steps=0).count()
    fitting = asked_about.filter(steps=0) if wanted.is_there else asked_about.filter(steps__gt=0)
    if wanted.certainty is not None:
        fitting = fitting.filter(certainty=CERTAIN[wanted.certainty])
    fitting = fitting.filter(text_filter(wanted.text))
    findings = fitting.exclude(arn__in=own_roles)
    counts = dict(findings.order_by().values_list("certainty").annotate(many=Count("pk")))
    everyone = people_in(findings)[2]
    rows = fitting.order_by(*PLACE)
    if after is not None:
        rows = rows.filter(rows_beyond(PLACE, after))
    part = _rows_with_people([_row(finding, own_roles) for finding in rows[: size + 1]])
    own = fitting.filter(arn__in=own_roles).count() if own_roles else 0
    return EscalationPage(
        rows=part[:size],
        has_after=len(part) > size,
        everyone=everyone,
        by_certainty={certainty: counts.get(level, 0) for level, certainty in CERTAINTIES.items()},
        there=there,
        asked=stored.asked(wanted.accounts, wanted.kind),
        made_at=stored.calculated_at,
        seconds=stored.seconds,
        limitations=stored.limitations(wanted.accounts),
        own=own,
        coverage=stored.coverage(wanted.accounts),
    )


def no_one_words(does: str, coverage: CalculationCoverage) -> str:
    """The sentence for an empty result: 'No one can become administrator' if the calculation is complete."""
    return f"No one found who {does}" if coverage.may_miss_someone else f"No one {does}"


def at_least(number: str, coverage: CalculationCoverage) -> str:
    """'At least 3 roles' if the calculation may miss someone, else '3 roles'."""
    return f"At least {number}" if coverage.may_miss_someone else number


def findings_in(
    stored: StoredCalculation, accounts: Accounts
) -> QuerySet[EscalationFinding, EscalationFinding]:
    """The stored findings of these accounts, including administrators."""
    findings = EscalationFinding.objects.filter(calculation=stored.moment)
    return findings if accounts is None else findings.filter(account__in=accounts)


def people_in(
    findings: QuerySet[EscalationFinding, EscalationFinding],
) -> tuple[PrincipalCount, PrincipalCount, PrincipalCount]:
    """Counts of confirmed, other and all findings, with the people behind the users."""
    rows = findings.order_by().values_list("principal", "arn", "aws_id", "is_role", "certainty")
    principals = [
        (_UserKey(number, arn, aws_id), is_role, certainty == EscalationCertainty.CONFIRMED)
        for number, arn, aws_id, is_role, certainty in rows
    ]
    owners = people_of([user for user, is_role, _ in principals if not is_role])

    def count(*wanted: bool) -> PrincipalCount:
        users = []
        roles = 0
        for principal, is_role, is_sure in principals:
            if is_sure not in wanted:
                continue
            if is_role:
                roles += 1
            else:
                users.append(principal)
        people = [owners[user.id] for user in users if user.id in owners]
        return PrincipalCount(len(users), len(set(people)), len(users) - len(people), roles)

    return count(True), count(False), count(True, False)


class _UserKey(NamedTuple):
    """The fields of a user that are needed to find its person."""

    id: int
    arn: str
    unique_id: str


def _row(finding: EscalationFinding, own_roles: frozenset[str]) -> EscalationRow:
    path = from_json(finding.path)
    place = EscalationPosition(
        finding.is_role, finding.is_conditional, finding.steps, finding.account, finding.arn
    )
    is_own = finding.steps > 0 and finding.arn in own_roles
    return EscalationRow(
        finding.principal,
        place,
        path.who,
        path.who.name,
        CERTAINTIES[EscalationCertainty(finding.certainty)],
        path,
        tuple(finding.unread),
        is_own=is_own,
    )


def _rows_with_people(rows: list[EscalationRow]) -> list[EscalationRow]:
    """The rows with display names of people. One query.

    Workers store only the names in tags.
    """
    names = shown_names(row.member for row in rows)
    return [replace(row, display=names[row.pk]) for row in rows]


def _who_reaches_one(
    stored: StoredCalculation, wanted: EscalationFilter, *, size: int | None, after: EscalationPosition | None
) -> EscalationPage:
    """A page of principals that reach a goal other than administrator."""
    answer = answer_to(
        stored,
        "reach",
        {
            "to": list(wanted.to or ()),
            "accounts": None if wanted.accounts is None else sorted(wanted.accounts),
            "kind": wanted.kind.value if wanted.kind else "",
            "text": wanted.text,
            "certainty": wanted.certainty.value if wanted.certainty else "",
            "size": size,
            "after": None if after is None else list(after),
        },
    )
    return EscalationPage(
        rows=_rows_with_people([_row_from(row) for row in answer["rows"]]),
        has_after=answer["has_after"],
        everyone=PrincipalCount(*answer["everyone"]),
        by_certainty={each: answer["by_certainty"].get(each.value, 0) for each in Certainty},
        there=answer["there"],
        asked=answer["asked"],
        made_at=stored.calculated_at,
        seconds=stored.seconds,
        limitations=stored.limitations(wanted.accounts),
        coverage=stored.coverage(wanted.accounts),
    )


def _row_from(kept: Mapping[str, object]) -> EscalationRow:
    path = from_json(kept["path"])  # type: ignore[arg-type]
    place = EscalationPosition(*kept["place"])  # type: ignore[misc]
    return EscalationRow(
        path.who.id,
        place,
        path.who,
        path.who.name,
        Certainty(kept["certainty"]),  # type: ignore[arg-type]
        path,
        tuple(kept["unread"]),  # type: ignore[arg-type]
    )


def every_row(wanted: EscalationFilter) -> Iterator[EscalationRow]:
    """All rows with their paths, in page order."""
    stored = checked_at(wanted.at, wanted.accounts)
    if wanted.to is not None:
        yield from _who_reaches_one(stored, wanted, size=None, after=None).rows
        return
    after: EscalationPosition | None = None
    while True:
        page = who_reaches(wanted, size=BATCH, after=after)
        yield from page.rows
        if not page.has_after:
            return
        after = page.rows[-1].place


def limitations_at(accounts: Accounts, *, at: datetime | None) -> tuple[AnswerLimitation, ...]:
    """The limitations of answers about these accounts."""
    return stored_at(at).limitations(accounts)


def find(text: str, *, accounts: Accounts, at: datetime | None) -> list[FindingPrincipal]:
    """Users and roles by ARN, user name, display name or email address, ignoring case; several if it is not
    unique.
    """
    rows = candidates(text, accounts=accounts, at=at)
    tags = dict(
        TagSet.objects.filter(valid_at(at), entity__in=[pk for pk, *_ in rows]).values_list(
            "entity_id", "tags"
        )
    )
    return named_exactly(
        [FindingPrincipal(pk, arn, KINDS[kind], tags.get(pk)) for pk, arn, kind in rows], text
    )


class ReachingPrincipal(NamedTuple):
    """A principal that can't do something but can become one that can.

    `steps` is the length of its path, `first` the principal it becomes first.
    """

    member: FindingPrincipal
    steps: int
    certainty: Certainty
    first: FindingPrincipal | None
    unread: tuple[str, ...] = ()


def policies_of(statements: Iterable[HeldStatement], *, at: datetime | None) -> dict[tuple[str, str], int]:
    """The primary keys of the managed policies that contain these statements, by account and ARN.
    One query.
    """
    holders = {statement.holder for statement in statements if ":policy/" in statement.holder}
    if not holders:
        return {}
    rows = EntityState.objects.filter(valid_at(at), kind=Kind.POLICY, arn__in=holders)
    rows = rows.filter(account__removed_at__isnull=True).order_by("-entity_id")
    return {
        (number, arn): pk for number, arn, pk in rows.values_list("account__account_id", "arn", "entity_id")
    }

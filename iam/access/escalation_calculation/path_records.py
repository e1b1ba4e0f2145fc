"""The stored form of escalation paths, with all that a page shows; converts to and from JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from iam.policy.escalation.held_statements import HeldStatement
from iam.policy.evaluate import EvaluationDecision
from iam.policy.explain import DecisionReason, ReasonOutcome
from iam.policy.request import PrincipalKind

FORMAT: Final = 2
"""Results in another format are recalculated and not shown."""
GAINS: Final = ("full", "unbound", "removed", "freed")


@dataclass(frozen=True, slots=True)
class FindingPrincipal:
    """A user or role.

    `is_new`: it doesn't exist yet and somebody can create it. `tags` is None if unknown.
    """

    id: int
    arn: str
    kind: PrincipalKind
    tags: Mapping[str, str] | None = None
    is_new: bool = False

    @property
    def account(self) -> str:
        """The account ID."""
        return self.arn.split(":", 5)[4]

    @property
    def name(self) -> str:
        """The name in IAM, without its path."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class RequiredRequest:
    """A request that must be allowed: its principal and action, the statements that allow it, and its
    conditions.
    """

    action: str
    resource: str
    who_arn: str
    who_kind: PrincipalKind
    decision: EvaluationDecision
    open_reasons: tuple[DecisionReason, ...]
    identity: tuple[HeldStatement, ...]
    by_resource: tuple[HeldStatement, ...]

    @property
    def statements(self) -> tuple[HeldStatement, ...]:
        """All statements that allow it."""
        return (*self.identity, *self.by_resource)


@dataclass(frozen=True, slots=True)
class FindingAct:
    """One method applied to one subject. `title` has one placeholder for the subject's name."""

    title: str
    subject: str
    subject_arn: str
    assumes: str = ""
    grounds: tuple[RequiredRequest, ...] = ()

    @property
    def is_assumed(self) -> bool:
        """True if it needs something whose existence policies don't show."""
        return bool(self.assumes)


@dataclass(frozen=True, slots=True)
class FindingStep:
    """A step from one principal to the next; without `becomes`, to any administrator of the account. `gains`
    is what it then has, of GAINS.
    """

    who: FindingPrincipal
    becomes: FindingPrincipal | None
    gains: frozenset[str]
    acts: tuple[FindingAct, ...]
    is_sure: bool

    @property
    def all_evidence(self) -> Iterator[RequiredRequest]:
        """Everything that the step is based on."""
        return chain.from_iterable(act.grounds for act in self.acts)


@dataclass(frozen=True, slots=True)
class FindingPath:
    """A path from a principal to a goal. `closing` is the smallest set of statements that this path depends
    on.
    """

    who: FindingPrincipal
    steps: tuple[FindingStep, ...]
    ends_sure: bool
    is_sure: bool
    closing: frozenset[HeldStatement] = frozenset()


def to_json(path: FindingPath) -> dict[str, Any]:
    """A path as JSON; each principal and statement is included once."""
    table = _Table()
    steps = [
        [
            table.principal_index(step.who),
            None if step.becomes is None else table.principal_index(step.becomes),
            sorted(step.gains),
            int(step.is_sure),
            [
                [
                    act.title,
                    act.subject,
                    act.subject_arn,
                    act.assumes,
                    [table.evidence_index(g) for g in act.grounds],
                ]
                for act in step.acts
            ],
        ]
        for step in path.steps
    ]
    return {
        "path": [table.principal_index(path.who), int(path.ends_sure), int(path.is_sure), steps],
        "closing": table.all_of(sorted(path.closing, key=by_name)),
        "who": table.principals,
        "said": table.statements,
    }


def from_json(kept: Mapping[str, Any]) -> FindingPath:
    """Parse a path."""
    who = [principal_from(principal) for principal in kept["who"]]
    statements = [statement_from(statement) for statement in kept["said"]]
    start, ends_sure, is_sure, steps = kept["path"]

    def ground(texts: list[Any]) -> RequiredRequest:
        action, resource, arn, kind, decision, reasons, identity, by_resource = texts
        return RequiredRequest(
            action,
            resource,
            arn,
            PrincipalKind(kind),
            EvaluationDecision(decision),
            tuple(_reason_from(reason) for reason in reasons),
            tuple(statements[place] for place in identity),
            tuple(statements[place] for place in by_resource),
        )

    def step(kept_step: list[Any]) -> FindingStep:
        source, target, gains, sure, acts = kept_step
        becomes = None if target is None else who[target]
        return FindingStep(
            who[source],
            becomes,
            frozenset(gains),
            tuple(
                FindingAct(title, subject, arn, assumes, tuple(map(ground, grounds)))
                for title, subject, arn, assumes, grounds in acts
            ),
            bool(sure),
        )

    return FindingPath(
        who[start],
        tuple(map(step, steps)),
        bool(ends_sure),
        bool(is_sure),
        frozenset(statements[place] for place in kept["closing"]),
    )


class _Table:
    """Principals and statements by index."""

    def __init__(self) -> None:
        self.principals: list[list[Any]] = []
        self.statements: list[list[Any]] = []
        self._who: dict[str, int] = {}
        self._said: dict[HeldStatement, int] = {}

    def principal_index(self, principal: FindingPrincipal) -> int:
        """The index of a principal."""
        place = self._who.setdefault(principal.arn, len(self._who))
        if place == len(self.principals):
            self.principals.append(principal_to(principal))
        return place

    def all_of(self, statements: Iterable[HeldStatement]) -> list[int]:
        """The indexes of statements."""
        numbers = []
        for statement in statements:
            place = self._said.setdefault(statement, len(self._said))
            if place == len(self.statements):
                self.statements.append(statement_to(statement))
            numbers.append(place)
        return numbers

    def evidence_index(self, ground: RequiredRequest) -> list[Any]:
        """The evidence in JSON form."""
        return [
            ground.action,
            ground.resource,
            ground.who_arn,
            ground.who_kind.value,
            ground.decision.value,
            [
                [r.kind, r.text, r.policy, r.statement, r.sid, r.level, list(r.conditions), r.is_deny]
                for r in ground.open_reasons
            ],
            self.all_of(ground.identity),
            self.all_of(ground.by_resource),
        ]


def _reason_from(kept: list[Any]) -> DecisionReason:
    kind, text, policy, statement, sid, level, conditions, is_deny = kept
    return DecisionReason(
        kind=kind,
        outcome=ReasonOutcome.DEPENDS,
        text=text,
        policy=policy,
        statement=statement,
        sid=sid,
        level=level,
        conditions=tuple(conditions),
        is_deny=is_deny,
    )


def principal_to(principal: FindingPrincipal) -> list[Any]:
    """A principal as JSON."""
    tags = None if principal.tags is None else dict(principal.tags)
    return [principal.id, principal.arn, principal.kind.value, tags, int(principal.is_new)]


def principal_from(kept: list[Any]) -> FindingPrincipal:
    """Parse a principal."""
    number, arn, kind, tags, is_new = kept
    return FindingPrincipal(number, arn, PrincipalKind(kind), tags, bool(is_new))


def statement_to(statement: HeldStatement) -> list[Any]:
    """A statement as JSON."""
    return [statement.holder, statement.policy, statement.number, statement.sid, int(statement.is_given)]


def statement_from(kept: list[Any]) -> HeldStatement:
    """Parse a statement."""
    holder, policy, number, sid, is_given = kept
    return HeldStatement(holder, policy, number, sid, bool(is_given))


def by_name(statement: HeldStatement) -> tuple[str, str, int]:
    """The sort key of statements."""
    return statement.holder, statement.policy, statement.number

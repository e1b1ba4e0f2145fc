"""Explains why a principal can or can't do something, linking each reason to policies and groups of the
mirror.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from iam.policy.compiled import CompiledStatement, PolicyKind, PolicySet
from iam.policy.document import Statement
from iam.policy.evaluate import EvaluationDecision, RequestPolicies
from iam.policy.explain import DecisionExplanation, DecisionReason, ReasonOutcome, explain
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import GroupRow, PolicyHoldings
from iam.policy.index.shard import AccountShard
from iam.policy.request import Request

UNREAD: Final = "the policy of the resource"
"""The engine's name for the assumed policy of a resource whose policy is unknown."""
DECIDING: Final = frozenset(
    {ReasonOutcome.ALLOWS, ReasonOutcome.DENIES, ReasonOutcome.DEPENDS, ReasonOutcome.RULE}
)


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A group or policy: its name, and its primary key in the mirror (None if it has no row)."""

    pk: int | None
    name: str


@dataclass(frozen=True, slots=True)
class HeldPolicy:
    """An identity policy that a principal holds directly or through a group."""

    policy: NamedPolicy
    group: NamedPolicy | None = None
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class ExplanationStep:
    """A reason with its statement and policy.

    `held` is set only for identity policies.
    """

    reason: DecisionReason
    policy: NamedPolicy | None = None
    held: HeldPolicy | None = None
    source: Statement | None = None

    @property
    def allows(self) -> bool:
        """True if the step supports the request: an Allow, or a rule of AWS."""
        return self.source.allows if self.source is not None else self.reason.outcome is ReasonOutcome.RULE

    @property
    def is_unread(self) -> bool:
        """True if the step is about a required resource-based policy that is not synced."""
        return self.reason.kind == "resource" and self.reason.policy == UNREAD

    @property
    def statement(self) -> str:
        """'statement 2', with its Sid if it has one; "" if the reason has no statement."""
        if self.reason.statement is None:
            return ""
        sid = f" ({self.reason.sid})" if self.reason.sid else ""
        return f"statement {self.reason.statement + 1}{sid}"

    @property
    def allows_everything(self) -> bool:
        """True if the statement allows all actions on all resources without conditions."""
        statement = self.source
        if (
            statement is None
            or not statement.allows
            or statement.conditions
            or statement.is_not_action
            or statement.is_not_resource
        ):
            return False
        return "*" in statement.actions and "*" in (statement.resources or ())


@dataclass(frozen=True, slots=True)
class DecisionReasons:
    """A decision about one principal, with its reasons, deciding ones first."""

    decision: EvaluationDecision
    steps: tuple[ExplanationStep, ...]

    @property
    def deciding(self) -> tuple[ExplanationStep, ...]:
        """The steps that allow or deny, definitely or conditionally."""
        return tuple(step for step in self.steps if step.reason.outcome in DECIDING)

    @property
    def grants(self) -> tuple[ExplanationStep, ...]:
        """The principal's own statements that allow it; if there are none, those of the resource, or the rule
        of AWS.
        """
        allowing = [step for step in self.deciding if step.allows]
        own = tuple(step for step in allowing if step.held is not None)
        return own or tuple(step for step in allowing if step.reason.kind in {"resource", "rule"})

    @property
    def denies(self) -> tuple[ExplanationStep, ...]:
        """The statements that deny it, definitely or conditionally."""
        return tuple(step for step in self.deciding if not step.allows)

    @property
    def open_conditions(self) -> tuple[str, ...]:
        """The conditions that a conditional decision depends on, without duplicates."""
        return DecisionExplanation(self.decision, tuple(step.reason for step in self.steps)).open_conditions


def explanation_of(index: PolicyIndex, member: IndexedPrincipal, question: AccessQuestion) -> DecisionReasons:
    """Explain a question about an indexed principal, with policies linked to how they are held."""
    return explained(index, member, *index.request_and_policies(member, question))


def explained(
    index: PolicyIndex, member: IndexedPrincipal, request: Request, policies: RequestPolicies
) -> DecisionReasons:
    """Explain a request with policies that may differ from those in the index."""
    explanation = explain(request, policies)
    shard = index.accounts[member.account]
    held_policies = dict(holdings(shard, member.grants))
    number = member.grants.boundary
    boundary = None if number is None else _policy(shard, number)
    return DecisionReasons(
        explanation.decision,
        tuple(_step(reason, held_policies, policies, boundary) for reason in explanation.reasons),
    )


def holdings(shard: AccountShard, grants: PolicyHoldings) -> Iterator[tuple[str, HeldPolicy]]:
    """Each identity policy with the name that explanations use. IAM names have no spaces, so these names are
    unique.
    """
    yield from _statement_of(shard, grants, None)
    for number in grants.groups:
        group = shard.groups.get(number)
        if group is not None:
            yield from _statement_of(shard, group.grants, NamedPolicy(number, group.name))


def held_as(shard: AccountShard, policy: int, *, group: GroupRow | None = None) -> HeldPolicy:
    """How a managed policy is held: directly or through a group."""
    through = None if group is None else NamedPolicy(group.id, group.name)
    return HeldPolicy(_policy(shard, policy), through)


def _statement_of(
    shard: AccountShard, grants: PolicyHoldings, group: NamedPolicy | None
) -> Iterator[tuple[str, HeldPolicy]]:
    whose = "" if group is None else f" of group {group.name}"
    for name, _ in grants.inline:
        yield f"inline policy {name}{whose}", HeldPolicy(NamedPolicy(None, name), group, is_inline=True)
    for number in grants.attached:
        policy = shard.policies.get(number)
        policy_name = f"policy {number}" if policy is None else policy.name
        yield f"{policy_name}{whose}", HeldPolicy(_policy(shard, number), group)


def _policy(shard: AccountShard, number: int) -> NamedPolicy:
    policy = shard.policies.get(number)
    return (
        NamedPolicy(None, f"policy {number}")
        if policy is None
        else NamedPolicy(number, policy.name.rpartition("/")[2])
    )


def _step(
    reason: DecisionReason,
    held_policies: dict[str, HeldPolicy],
    policies: RequestPolicies,
    boundary: NamedPolicy | None,
) -> ExplanationStep:
    statement = _statement(reason, policies)
    source = None if statement is None else statement.source
    if reason.kind == PolicyKind.IDENTITY:
        mine = held_policies.get(reason.policy)
        policy = None if mine is None else mine.policy
        return ExplanationStep(reason, policy, mine, source)
    if reason.kind == PolicyKind.BOUNDARY:
        return ExplanationStep(reason, boundary, None, source)
    policy = NamedPolicy(None, reason.policy) if reason.policy else None
    return ExplanationStep(reason, policy, None, source)


def _statement(reason: DecisionReason, policies: RequestPolicies) -> CompiledStatement | None:
    if reason.statement is None:
        return None
    wanted = (reason.policy, reason.statement)
    policies_of_kind: PolicySet | None
    if reason.kind == PolicyKind.SCP:
        policies_of_kind = policies.scps[reason.level - 1]
    elif reason.kind == PolicyKind.RCP:
        policies_of_kind = policies.rcps[reason.level - 1]
    else:
        policies_of_kind = getattr(policies, reason.kind, None)
    statements = () if policies_of_kind is None else policies_of_kind.statements
    return next(
        (statement for statement in statements if (statement.policy, statement.source.index) == wanted), None
    )

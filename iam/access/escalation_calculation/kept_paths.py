"""Converts paths of the graph to their stored form. For workers."""

from __future__ import annotations

from iam.access.escalation_calculation.path_records import (
    GAINS,
    FindingAct,
    FindingPath,
    FindingPrincipal,
    FindingStep,
    RequiredRequest,
)
from iam.policy.escalation import paths
from iam.policy.escalation.evidence import StepEvidence as FoundGround
from iam.policy.escalation.states import NewMember
from iam.policy.explain import ReasonOutcome
from iam.policy.index.classes import IndexedPrincipal


def principal_of(member: IndexedPrincipal) -> FindingPrincipal:
    """The stored form of an index member."""
    return FindingPrincipal(member.id, member.arn, member.kind, member.tags, isinstance(member, NewMember))


def path_of(path: paths.EscalationPath) -> FindingPath:
    """The stored form of a path."""
    return FindingPath(
        principal_of(path.who),
        tuple(_step_of(step) for step in path.steps),
        path.ends_sure,
        path.is_sure,
        path.closing,
    )


def _step_of(step: paths.PathStep) -> FindingStep:
    is_same = step.who is step.becomes
    gains = {
        name
        for name in GAINS
        if getattr(step.into, name)
        and not (
            is_same
            and (step.state.removed == step.into.removed if name == "removed" else getattr(step.state, name))
        )
    }
    becomes = None if step.becomes is None else principal_of(step.becomes)
    return FindingStep(
        principal_of(step.who), becomes, frozenset(gains), tuple(map(_act_of, step.acts)), step.is_sure
    )


def _act_of(act: paths.PathAct) -> FindingAct:
    method, subject = act.alternative.method, act.alternative.subject
    assumes = method.assumes if act.is_assumed else ""
    return FindingAct(method.title, subject.name, subject.arn, assumes, tuple(map(_ground_of, act.grounds)))


def _ground_of(ground: FoundGround) -> RequiredRequest:
    explanation, who = ground.explanation, ground.request.principal
    return RequiredRequest(
        ground.action,
        ground.request.resource,
        who.arn,
        who.kind,
        explanation.decision,
        tuple(reason for reason in explanation.reasons if reason.outcome is ReasonOutcome.DEPENDS),
        ground.identity,
        ground.resource,
    )

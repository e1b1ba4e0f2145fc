"""Computes the progress of a waiting set: approvals that count, the next stage, and who can decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from django.conf import settings

from iam.changes.approval.models import Requirement
from iam.changes.approval.people import owners_of, people_of
from iam.changes.approval.rules import ApprovalStage, ApproverSpec
from iam.changes.models import Approval, Change, Decision


@dataclass(frozen=True, slots=True)
class StageState:
    """One stage: its counting approvals, and the names of those who could still decide it."""

    stage: ApprovalStage
    approvals: tuple[Approval, ...]
    able: dict[UUID, str]

    @property
    def is_done(self) -> bool:
        """True if enough people have approved."""
        return len(self.approvals) >= self.stage.count

    @property
    def missing(self) -> int:
        """The number of missing approvals."""
        return max(0, self.stage.count - len(self.approvals))


@dataclass(frozen=True, slots=True)
class ApprovalProgress:
    """The stages of a set, in order.

    `void` are approvals that no longer count, `about` the people whose own IAM users it concerns.
    """

    stages: tuple[StageState, ...]
    void: tuple[Approval, ...]
    about: frozenset[UUID] = frozenset()

    @property
    def at(self) -> int:
        """The index of the waiting stage; the number of stages if all are done."""
        return next((place for place, stage in enumerate(self.stages) if not stage.is_done), len(self.stages))

    @property
    def is_complete(self) -> bool:
        """True if no approval is missing."""
        return self.at == len(self.stages)

    @property
    def current(self) -> StageState | None:
        """The waiting stage."""
        return None if self.is_complete else self.stages[self.at]

    def has_agreed(self, person: UUID) -> bool:
        """True if an approval by this person counts in any stage. Each person counts once."""
        approvals = chain.from_iterable(stage.approvals for stage in self.stages)
        return any(approval.approver_id == person for approval in approvals)

    def stage_of(self, person: UUID) -> int | None:
        """The first waiting or later stage that this person could decide."""
        open_places = (
            place for place, stage in enumerate(self.stages) if place >= self.at and person in stage.able
        )
        return next(open_places, None)

    def stands_in_any(self, person: UUID) -> bool:
        """True if this person has approved a stage or can decide one."""
        return self.has_agreed(person) or any(person in stage.able for stage in self.stages)


def progress_of(requirement: Requirement, *, parts: Sequence[Change]) -> ApprovalProgress:
    """The progress of a set. One query per stage, and two more.

    An approval counts if it is for the current receipt and by someone who can still decide that stage, once
    per person. Approvals by the requester or by people whose own IAM users are concerned don't count. In
    single-operator mode one person is enough for all stages.
    """
    accounts = {part.account.account_id for part in parts}
    alone = settings.SINGLE_OPERATOR
    about = frozenset() if alone else owners_of(part.subject_arn for part in parts)
    barred = set() if alone else {parts[0].requested_by, *about}
    approvals = list(
        Approval.objects.filter(change_set=requirement.pk, decision=Decision.APPROVE).order_by("id")
    )
    counted: set[UUID] = set()
    stages, valid = [], set()
    for place, stage in enumerate(_stages(requirement, alone=alone)):
        people = people_of(_deciders(requirement, stage), accounts=accounts)
        here = [
            approval
            for approval in approvals
            if (approval.stage == place or alone)
            and approval.receipt_digest == requirement.digest
            and approval.approver_id in people
            and approval.approver_id not in counted | barred
        ]
        counted |= {approval.approver_id for approval in here}
        valid |= {approval.pk for approval in here}
        stages.append((stage, here, people))
    stage_states = []
    for stage, here, people in stages:
        able = {pk: name for pk, name in people.items() if pk not in counted | barred}
        stage_states.append(StageState(stage, tuple(here), able))
    return ApprovalProgress(
        stages=tuple(stage_states),
        void=tuple(approval for approval in approvals if approval.pk not in valid),
        about=about,
    )


def _stages(requirement: Requirement, *, alone: bool) -> tuple[ApprovalStage, ...]:
    stages = requirement.need.stages
    if not alone:
        return stages
    everybody = tuple(dict.fromkeys(chain.from_iterable(stage.who for stage in stages)))
    return (ApprovalStage(everybody, 1),)


def _deciders(requirement: Requirement, stage: ApprovalStage) -> tuple[ApproverSpec, ...]:
    """Who can decide a stage. People to whom the set was escalated can decide every stage."""
    return (*stage.who, *requirement.need.escalate_to) if requirement.escalated_at else stage.who

"""Finds who could approve a request, before it is submitted and while it waits, so that no request is
undecidable.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from uuid import UUID

from django.conf import settings

from iam.changes.approval.models import Requirement
from iam.changes.approval.needs import need_for
from iam.changes.approval.people import owners_of, people_of, subject_arn_of
from iam.changes.approval.progress import ApprovalProgress
from iam.changes.approval.rule_names import names_in
from iam.changes.approval.rule_texts import hours, sentence
from iam.changes.approval.rules import ADMINISTRATORS, ApprovalNeed, ApprovalStage
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.mirror.models import Account
from iam.moments import moment_words
from iam.phrases import joined

NAMED = 3
SERVER_FIX = "On the server, `manage.py bootstrap` appoints an administrator."


class NoApproverError(RefusedError):
    """Raised if no one could approve the request; the message says why and who can change that.

    `approvers` are the people who were considered.
    """

    def __init__(self, approvers: PossibleApprovers) -> None:
        super().__init__(approvers.problem)
        self.approvers = approvers


@dataclass(frozen=True, slots=True)
class StageApprovers:
    """One stage: how many approvals it still needs, and the people who could give them, by id."""

    stage: ApprovalStage
    missing: int
    people: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class PossibleApprovers:
    """Who could approve a request by one person.

    `subjects` have a suitable role, but the request concerns their own AWS users; `is_about_others` is true
    if it concerns other people as well. `later` are the people to whom an unanswered request escalates and
    `escalates` says when; both are empty without escalation.
    """

    need: ApprovalNeed
    stages: tuple[StageApprovers, ...]
    accounts: frozenset[str]
    requester: UUID
    subjects: Mapping[UUID, str]
    is_about_others: bool
    requester_is_able: bool
    later: Mapping[UUID, str]
    escalates: str

    @property
    def people(self) -> dict[UUID, str]:
        """Everyone who could approve one of the stages, by name."""
        everybody: dict[UUID, str] = {}
        for stage in self.stages:
            everybody.update(stage.people)
        return dict(sorted(everybody.items(), key=lambda item: item[1].casefold()))

    @property
    def is_possible_now(self) -> bool:
        """True if there are enough different people for all stages."""
        return _can_fill([(stage.missing, stage.people.keys()) for stage in self.stages])

    @property
    def is_possible(self) -> bool:
        """True if there are enough different people for all stages, including those after escalation."""
        return _can_fill([(stage.missing, {*stage.people, *self.later}) for stage in self.stages])

    @property
    def problem(self) -> str:
        """Sentences on why no one can approve it and who can change that; "" if someone can."""
        if self.is_possible_now:
            return ""
        if self.is_possible:
            return (
                f"No one can approve this at once. {self._why()} It escalates to {_names(self.later)} "
                f"{self.escalates}."
            )
        return f"No one can approve this request. {self._why()} {self._how_to_fix()}"

    def _why(self) -> str:
        words = sentence(self.need, names=names_in(self.need))
        words = f"{words[0].lower()}{words[1:]}"
        reasons = [f"It {words} in {_account_names(self.accounts)}."]
        if self.subjects:
            verb = "is" if len(self.subjects) == 1 else "are"
            reasons.append(
                f"{_names(self.subjects)} {verb} among the people it’s about, and no one approves a change "
                "to their own AWS user."
            )
        if self.requester_is_able:
            reasons.append("No one approves their own request.")
        people = self.people
        if people:
            reasons.append(f"That leaves only {_names(people)}.")
        elif not self.subjects and not self.requester_is_able:
            reasons.append("No one has that role.")
        return " ".join(reasons)

    def _how_to_fix(self) -> str:
        split = ""
        if self.subjects and self.is_about_others:
            split = "Split it into two requests, or leave some people out. "
        what = "give someone else the role under Operators, or change the approval rules"
        return f"{split}{fix_by_administrators(what, accounts=self.accounts)}"


def fix_by_administrators(what: str, *, accounts: Collection[str]) -> str:
    """Return a sentence that names the administrators of these accounts who can do `what`, or says how to
    appoint one. It addresses nobody, because the reader may be one of them or not.
    """
    administrators = people_of([ADMINISTRATORS], accounts=accounts)
    if administrators:
        plural = "An administrator" if len(administrators) == 1 else "Administrators"
        return f"{plural} ({_names(administrators)}) can {what}."
    return f"No administrator can {what}. {SERVER_FIX}"


def who_could_approve(
    operations: Sequence[Operation],
    *,
    receipts: Sequence[Mapping[str, Any]],
    impact: Mapping[str, Any],
    requester: UUID,
) -> PossibleApprovers:
    """Who could approve these operations if this person requested them. Writes nothing.

    `receipts` are the bodies of their receipts and `impact` is that of the set: sensitivity and risks
    determine the rules.
    """
    need = need_for(operations, receipts=receipts, impact=impact, requester=requester)
    accounts = frozenset(operation.account.account_id for operation in operations)
    escalates = f"after {hours(need.escalate_hours)}" if need.escalate_hours else ""
    return _approvers(
        need,
        accounts=accounts,
        requester=requester,
        about=owners_of(subject_arn_of(operation) for operation in operations),
        missing=[stage.count for stage in need.stages],
        agreed=frozenset(),
        escalates=escalates,
    )


def still_possible(
    requirement: Requirement, progress: ApprovalProgress, *, parts: Sequence[Change]
) -> PossibleApprovers:
    """Who can still approve a waiting set, given the approvals so far."""
    need = requirement.need
    if requirement.escalated_at:
        everywhere = [replace(stage, who=(*stage.who, *need.escalate_to)) for stage in need.stages]
        need = replace(need, stages=tuple(everywhere))
    at = requirement.escalate_at
    alone = settings.SINGLE_OPERATOR
    missing = [stage.missing for stage in progress.stages] if not alone else [1] * len(need.stages)
    approvals = chain.from_iterable(stage.approvals for stage in progress.stages)
    escalates = f"on {moment_words(at)}" if at else ""
    return _approvers(
        need,
        accounts=frozenset(part.account.account_id for part in parts),
        requester=parts[0].requested_by,
        about=progress.about,
        missing=missing,
        agreed=frozenset(approval.approver_id for approval in approvals),
        escalates=escalates,
    )


def _approvers(
    need: ApprovalNeed,
    *,
    accounts: frozenset[str],
    requester: UUID,
    about: Collection[UUID],
    missing: Sequence[int],
    agreed: frozenset[UUID],
    escalates: str,
) -> PossibleApprovers:
    alone = settings.SINGLE_OPERATOR
    barred = set(agreed) if alone else {requester, *about, *agreed}
    with_role = [people_of(stage.who, accounts=accounts) for stage in need.stages]
    everybody: dict[UUID, str] = {}
    for people in with_role:
        everybody.update(people)
    later = people_of(need.escalate_to, accounts=accounts) if escalates else {}
    stages = tuple(
        StageApprovers(stage, count, _without(people, barred))
        for stage, count, people in zip(need.stages, missing, with_role, strict=True)
    )
    if alone:
        who = tuple(dict.fromkeys(chain.from_iterable(stage.who for stage in need.stages)))
        stages = (StageApprovers(ApprovalStage(who, 1), min(1, sum(missing)), _without(everybody, barred)),)
    subjects = {}
    if not alone:
        subjects = {pk: everybody[pk] for pk in everybody if pk in about and pk != requester}
    return PossibleApprovers(
        need=need,
        stages=stages,
        accounts=accounts,
        requester=requester,
        subjects=subjects,
        is_about_others=len(subjects) > 1 or any(pk not in subjects for pk in about),
        requester_is_able=not alone and requester in everybody,
        later=_without(later, barred),
        escalates=escalates,
    )


def require_still_possible(
    requirement: Requirement, progress: ApprovalProgress, *, parts: Sequence[Change]
) -> None:
    """Raises NoApproverError if no one could approve a set that was just written. Makes no queries if someone
    can.
    """
    if _can_fill([(stage.missing, stage.able.keys()) for stage in progress.stages]):
        return
    approvers = still_possible(requirement, progress, parts=parts)
    if not approvers.is_possible:
        raise NoApproverError(approvers)


def why_nobody(requirement: Requirement, progress: ApprovalProgress, *, parts: Sequence[Change]) -> str:
    """Why no one can approve a waiting set any more, or not before it escalates; "" if someone can."""
    if _can_fill([(stage.missing, stage.able.keys()) for stage in progress.stages]):
        return ""
    return still_possible(requirement, progress, parts=parts).problem


def _without(people: Mapping[UUID, str], barred: Collection[UUID]) -> dict[UUID, str]:
    return {pk: name for pk, name in people.items() if pk not in barred}


def _can_fill(stages: Sequence[tuple[int, Collection[UUID]]]) -> bool:
    """True if every place of every stage can have a different person (bipartite matching by augmenting
    paths).
    """
    places: list[Collection[UUID]] = []
    for count, people in stages:
        places.extend([people] * count)
    place_of: dict[UUID, int] = {}

    def seat(place: int, tried: set[UUID]) -> bool:
        for person in places[place]:
            if person in tried:
                continue
            tried.add(person)
            if person not in place_of or seat(place_of[person], tried):
                place_of[person] = place
                return True
        return False

    return all(seat(place, set()) for place in range(len(places)))


def _names(people: Mapping[UUID, str]) -> str:
    names = list(people.values())
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return joined(names)


def _account_names(numbers: Collection[str]) -> str:
    known = dict(Account.objects.filter(account_id__in=numbers).values_list("account_id", "name"))
    return _names({UUID(int=at): known.get(number, number) for at, number in enumerate(sorted(numbers))})

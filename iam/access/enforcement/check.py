"""Checks that users can still set up MFA: each user in scope is evaluated with the policy, without MFA, step
by step.

The engine evaluates all that they hold: groups, boundary and organization policies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Final

from iam.access.enforcement.policy import LEFT, PRESENT
from iam.access.levels import LevelCounts, counted
from iam.policy.catalogue import catalogue
from iam.policy.evaluate import FREE, EvaluationDecision
from iam.policy.index.classes import IndexedPrincipal, PrincipalClass
from iam.policy.index.documents import IndexedStatement
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import AccountRows, PolicyRow
from iam.policy.index.scenario import row_of
from iam.policy.letter_case import fold

NEW: Final = 10**15
"""The number of the policy while it is not attached; numbers of the mirror are smaller."""
DEVICE_NAME: Final = "device"


class PasswordState(StrEnum):
    """The state of a user's password."""

    NONE = "none"
    MUST_CHANGE = "must-change"
    SET = "set"
    UNREAD = "unread"


class MfaStep(StrEnum):
    """A step that a user may have to do without MFA in order to set it up."""

    PASSWORD = "password"  # noqa: S105 - the name of a step
    ENROL = "enrol"
    RESYNC = "resync"
    SESSION = "session"


ACTIONS: Final[Mapping[MfaStep, tuple[tuple[str, str], ...]]] = {
    MfaStep.PASSWORD: (("iam:GetAccountPasswordPolicy", "*"), ("iam:ChangePassword", "user")),
    MfaStep.ENROL: (
        ("iam:CreateVirtualMFADevice", "device"),
        ("iam:EnableMFADevice", "user"),
        ("iam:ListMFADevices", "user"),
    ),
    MfaStep.RESYNC: (("iam:ResyncMFADevice", "user"),),
    MfaStep.SESSION: (("sts:GetSessionToken", "*"),),
}
"""By step: the required calls as (action, resource)."""


@dataclass(frozen=True, slots=True)
class SignInSituation:
    """How a user signs in; unknown data counts as the worse case."""

    password: PasswordState
    devices: int
    active_keys: int = 0

    @property
    def steps(self) -> tuple[MfaStep, ...]:
        """The steps needed without MFA: a password may have expired by tomorrow, and a device clock
        drifted.
        """
        steps: list[MfaStep] = []
        if self.password is not PasswordState.NONE:
            steps.append(MfaStep.PASSWORD)
        if not self.devices:
            steps.append(MfaStep.ENROL)
        else:
            steps.append(MfaStep.RESYNC)
        if self.active_keys:
            steps.append(MfaStep.SESSION)
        return tuple(steps)


@dataclass(frozen=True, slots=True)
class MfaOutlook:
    """The expected result for a user.

    `stopped` are calls of the setup that would fail, `depends` those that depend on unknown values:
    conditions, such as the network, or an unreadable policy. `left` is what they can still do without MFA by
    access level, `besides` the number of these actions outside the setup.
    """

    number: int
    situation: SignInSituation
    stopped: tuple[tuple[MfaStep, str], ...]
    depends: tuple[tuple[MfaStep, str], ...]
    left: LevelCounts
    besides: int

    @property
    def gets_out(self) -> bool:
        """True if nothing stops them."""
        return not self.stopped


@dataclass(frozen=True, slots=True)
class PolicyTrial:
    """The policy text to try, attached to everyone in an account or to a group (its number)."""

    account: str
    text: str
    group: int | None

    @property
    def digest(self) -> str:
        """The digest of the text."""
        return hashlib.blake2b(self.text.encode(), digest_size=16).hexdigest()


def situations_with(
    index: PolicyIndex, trial: PolicyTrial, *, people: Mapping[int, SignInSituation]
) -> list[MfaOutlook]:
    """The expected results for all users; those that the index lacks are left out. The caller holds the
    index.

    Users of a class who can't differ are evaluated once.
    """
    there = [member for number in people if (member := index.member(trial.account, number)) is not None]
    if not there:
        return []
    document = index.documents.add(trial.digest, trial.text)
    then = _index_with_policy(index, trial, there)
    effective = then.effective(context={PRESENT: "false"})
    way = effective.space.without_permission
    for action in LEFT:
        way |= effective.space.catalogue.mask(action)
    bearing: dict[PrincipalClass, Hashable | None] = {}
    verdicts: dict[tuple[Hashable, SignInSituation], Verdicts] = {}
    rests: dict[PrincipalClass, tuple[LevelCounts, int]] = {}
    standings = []
    for member in there:
        moved, situation = then.accounts[trial.account].members[member.id], people[member.id]
        cls = moved.cls
        if cls not in bearing:
            bearing[cls] = _bearing(cls, trial.digest) if are_alike(cls, trial.digest) else None
        # Only the members themselves have these numbers.
        key = member.id if bearing[cls] is None else bearing[cls]
        if (key, situation) not in verdicts:
            verdicts[key, situation] = tuple(_judged(then, moved, situation))
        if cls not in rests or bearing[cls] is None:
            can = effective.for_member(moved)
            rests[cls] = (
                counted(can, effective.space),
                catalogue().listed(can.allowed_mask & ~way).bit_count(),
            )
        standings.append(_standing(member.id, situation, verdicts[key, situation], rests[cls]))
    del document
    return standings


Verdicts = tuple[tuple[MfaStep, str, EvaluationDecision], ...]
"""The calls of a user's setup that are not definitely allowed without MFA."""


def _standing(
    number: int, situation: SignInSituation, verdicts: Verdicts, rest: tuple[LevelCounts, int]
) -> MfaOutlook:
    return MfaOutlook(
        number=number,
        situation=situation,
        stopped=tuple(
            (step, action)
            for step, action, decision in verdicts
            if decision is not EvaluationDecision.CONDITIONAL
        ),
        depends=tuple(
            (step, action)
            for step, action, decision in verdicts
            if decision is EvaluationDecision.CONDITIONAL
        ),
        left=rest[0],
        besides=rest[1],
    )


def are_alike(cls: PrincipalClass, digest: str) -> bool:
    """True if all members of a class get the same result; each has the policy with this digest.

    The policy allows each of them every call of the way on what is their own, so that what else allows these
    makes no difference. What may deny them, or bounds them, must be about all resources, and no statement may
    require more of a principal than what the class has in common.

    Nothing else can tell two of a class apart: they have their documents, boundary, account and organization
    in common, and agree in all conditions that the principal alone decides and in each tag that a document
    names; what AWS knows of the user or device as a resource, such as its tags, is asked of nobody and stays
    open for both; and how they sign in, the caller tells apart.
    """
    limits = cls.profile.limits
    docs = cls.profile.bundle.docs
    other_docs = [doc for doc in docs if doc.digest != digest]
    if len(other_docs) == len(docs):
        return False
    bounding_docs = [doc for _, doc in chain.from_iterable((*limits.levels.scps, *limits.levels.rcps))]
    if limits.boundary is not None:
        bounding_docs.append(limits.boundary)
    others = list(chain.from_iterable(doc.clauses for doc in other_docs))
    bounds = list(chain.from_iterable(doc.clauses for doc in bounding_docs))
    for clause in (*others, *bounds):
        traits = clause.traits
        if traits.raw or traits.named_in_conditions or traits.names_principals:
            return False
    denies = [clause for clause in others if not clause.allows]
    return not any(clause.is_partial and _speaks_of_way(clause) for clause in (*denies, *bounds))


def _bearing(cls: PrincipalClass, digest: str) -> Hashable:
    """The part of a class's policies that bears on the calls of the way; classes that have it in common are
    judged as one.

    It is the class itself where something could not be read, or where statements tell principals apart by
    their marks.
    """
    denies = []
    for doc in cls.profile.bundle.docs:
        if doc.digest == digest:
            continue
        if doc.problems:
            return cls
        denies += [clause for clause in doc.clauses if not clause.allows and _speaks_of_way(clause)]
    if not all(clause.traits.is_plain for clause in denies):
        return cls
    return frozenset(denies), cls.profile.limits


def _speaks_of_way(clause: IndexedStatement) -> bool:
    of_way = chain.from_iterable(ACTIONS.values())
    return any(clause.actions.covers_action(fold(action)) for action, _ in of_way)


def reasons(
    index: PolicyIndex, trial: PolicyTrial, standings: Sequence[MfaOutlook]
) -> dict[int, tuple[str, ...]]:
    """What stops each of these users, as distinct sentences. The caller holds the index."""
    stopped = {
        standing.number: [action for _, action in standing.stopped]
        for standing in standings
        if standing.stopped
    }
    there = [member for number in stopped if (member := index.member(trial.account, number)) is not None]
    if not there:
        return {}
    document = index.documents.add(trial.digest, trial.text)
    then = _index_with_policy(index, trial, there)
    members = then.accounts[trial.account].members
    reasons_by_id = {member.id: _because(then, members[member.id], stopped[member.id]) for member in there}
    del document
    return reasons_by_id


def _index_with_policy(
    index: PolicyIndex, trial: PolicyTrial, people: Sequence[IndexedPrincipal]
) -> PolicyIndex:
    """An index of only these users, with the policy."""
    shard = index.accounts[trial.account]
    rows, groups = [row_of(member) for member in people], dict(shard.groups)
    if trial.group is not None and trial.group in groups:
        row = groups[trial.group]
        grants = replace(row.grants, attached=(*row.grants.attached, NEW))
        groups[trial.group] = replace(row, grants=grants)
    else:
        for principal_row in rows:
            principal_row.grants = replace(
                principal_row.grants, attached=(*principal_row.grants.attached, NEW)
            )
    policies = [*shard.policies.values(), PolicyRow(NEW, "the policy that demands MFA", trial.digest)]
    index_then = PolicyIndex(index.documents, moment=index.moment)
    index_then.enter_account(
        AccountRows(rows, groups.values(), policies, (), shard.number, shard.partition, shard.standing)
    )
    return index_then


def _judged(
    then: PolicyIndex, member: IndexedPrincipal, situation: SignInSituation
) -> Iterator[tuple[MfaStep, str, EvaluationDecision]]:
    """The calls that are not definitely allowed without MFA."""
    is_unread = _is_unread(member.cls)
    for step in situation.steps:
        for action, on in ACTIONS[step]:
            decision = then.decide(member, _question(member, action, on))
            if decision is EvaluationDecision.ALLOWED and is_unread and fold(action) not in FREE:
                decision = EvaluationDecision.CONDITIONAL
            if decision is not EvaluationDecision.ALLOWED:
                yield step, action, decision


def _is_unread(cls: PrincipalClass) -> bool:
    """True if a policy that may deny could not be parsed."""
    limits = cls.profile.limits
    docs = [*cls.profile.bundle.docs, *(doc for _, doc in chain.from_iterable(limits.levels.scps))]
    if limits.boundary is not None:
        docs.append(limits.boundary)
    return any(doc.problems for doc in docs)


def _because(then: PolicyIndex, member: IndexedPrincipal, actions: Sequence[str]) -> tuple[str, ...]:
    """What stops these calls, without duplicates."""
    texts: dict[str, None] = {}
    for step in ACTIONS.values():
        for action, on in step:
            if action in actions:
                reasons = then.explain(member, _question(member, action, on)).reasons
                texts |= {reason.text: None for reason in reasons[:1]}
    return tuple(texts)


def _question(member: IndexedPrincipal, action: str, on: str) -> AccessQuestion:
    return AccessQuestion(action, _resource(member, on), {PRESENT: "false"}, is_pattern=False)


def _resource(member: IndexedPrincipal, on: str) -> str:
    if on == "user":
        return member.arn
    return member.arn.partition(":user/")[0] + f":mfa/{DEVICE_NAME}" if on == "device" else on

"""Whether people get out of it: each in scope is judged with the policy, as they would be, without MFA and step by step.

What AWS itself would let them do is asked of the engine over all that they hold: groups, boundary, control policies of the organization.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from iam.access.enforcement.policy import LEFT, PRESENT
from iam.access.levels import Levels, counted
from iam.policy.evaluate import Decision
from iam.policy.index.classes import Member
from iam.policy.index.index import Index
from iam.policy.index.question import Question
from iam.policy.index.rows import AccountRows, PolicyRow
from iam.policy.index.scenario import row_of

NEW: Final = 10**15
"""The number of the policy while nobody has it yet; the mirror's own are smaller."""
DEVICE_NAME: Final = "device"


class Password(StrEnum):
    """How a user's password stands."""

    NONE = "none"
    MUST_CHANGE = "must-change"
    SET = "set"
    UNREAD = "unread"


class Step(StrEnum):
    """What somebody may have to do without MFA, on the way to it."""

    PASSWORD = "password"  # noqa: S105 - the name of a step
    ENROL = "enrol"
    RESYNC = "resync"
    SESSION = "session"


ACTIONS: Final[Mapping[Step, tuple[tuple[str, str], ...]]] = {
    Step.PASSWORD: (("iam:GetAccountPasswordPolicy", "*"), ("iam:ChangePassword", "user")),
    Step.ENROL: (
        ("iam:CreateVirtualMFADevice", "device"),
        ("iam:EnableMFADevice", "user"),
        ("iam:ListMFADevices", "user"),
    ),
    Step.RESYNC: (("iam:ResyncMFADevice", "user"),),
    Step.SESSION: (("sts:GetSessionToken", "*"),),
}
"""Step → (action, on what): the calls of which each is needed."""


@dataclass(frozen=True, slots=True)
class Situation:
    """How somebody signs in; what the mirror does not know counts as the worse."""

    password: Password
    devices: int
    active_keys: int = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        """What they need without MFA: a password may have expired by tomorrow, and a clock have drifted."""
        found: list[Step] = []
        if self.password is not Password.NONE:
            found.append(Step.PASSWORD)
        if not self.devices:
            found.append(Step.ENROL)
        else:
            found.append(Step.RESYNC)
        if self.active_keys:
            found.append(Step.SESSION)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody would stand. `stopped` are the calls of their way that they could not make, `depends` those for which conditions
    decide that no one knows here, such as the network; `because` says what stops them. `left` is what they can still do without MFA by level
    of access, `besides` how many of these actions are not of the way."""

    number: int
    situation: Situation
    stopped: tuple[tuple[Step, str], ...]
    depends: tuple[tuple[Step, str], ...]
    because: tuple[str, ...]
    left: Levels
    besides: int

    @property
    def gets_out(self) -> bool:
        """Whether nothing stops them."""
        return not self.stopped


def stand(
    index: Index, *, account: str, text: str, people: Mapping[int, Situation], group: int | None
) -> list[Standing]:
    """Everybody of an account as they would stand with the policy, attached to themselves or to a group; whom the index lacks is left out.

    The caller holds the lock of the index, which stays as it is.
    """
    there = [member for number in people if (member := index.member(account, number)) is not None]
    if not there:
        return []
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    held = index.documents.add(digest, text)
    then = _then(index, account, there, digest=digest, group=group)
    effective = then.effective(context={PRESENT: "false"})
    way = 0
    for action in LEFT:
        way |= effective.space.catalogue.mask(action)
    found = []
    for member in there:
        moved = then.accounts[account].members[member.id]
        can = effective.of(moved)
        judged = list(_judged(then, moved, people[member.id]))
        stopped = [one for one in judged if one[2] is not Decision.CONDITIONAL]
        besides = (can.any & ~effective.space.free & ~way).bit_count()
        found.append(
            Standing(
                number=member.id,
                situation=people[member.id],
                stopped=tuple((step, action) for step, action, _ in stopped),
                depends=tuple((step, action) for step, action, one in judged if one is Decision.CONDITIONAL),
                because=_because(then, moved, [action for _, action, _ in stopped]),
                left=counted(can, effective.space),
                besides=besides,
            )
        )
    del held
    return found


def _then(index: Index, account: str, people: Sequence[Member], *, digest: str, group: int | None) -> Index:
    """An index of these people alone, with the policy."""
    shard = index.accounts[account]
    rows, groups = [row_of(member) for member in people], dict(shard.groups)
    if group is not None and group in groups:
        row = groups[group]
        grants = replace(row.grants, attached=(*row.grants.attached, NEW))
        groups[group] = replace(row, grants=grants)
    else:
        for one in rows:
            one.grants = replace(one.grants, attached=(*one.grants.attached, NEW))
    policies = [*shard.policies.values(), PolicyRow(NEW, "the policy that demands MFA", digest)]
    found = Index(index.documents)
    found.put(AccountRows(rows, groups.values(), policies, (), shard.number, shard.partition, shard.standing))
    return found


def _judged(then: Index, member: Member, situation: Situation) -> Iterator[tuple[Step, str, Decision]]:
    """The calls that are not surely allowed without MFA."""
    for step in situation.steps:
        for action, on in ACTIONS[step]:
            decision = then.decide(member, _question(member, action, on))
            if decision is not Decision.ALLOWED:
                yield step, action, decision


def _because(then: Index, member: Member, actions: Sequence[str]) -> tuple[str, ...]:
    """What stops these calls, each reason once."""
    found: dict[str, None] = {}
    for step in ACTIONS.values():
        for action, on in step:
            if action in actions:
                reasons = then.explain(member, _question(member, action, on)).reasons
                found |= {reason.text: None for reason in reasons[:1]}
    return tuple(found)


def _question(member: Member, action: str, on: str) -> Question:
    return Question(action, _resource(member, on), {PRESENT: "false"}, is_pattern=False)


def _resource(member: Member, on: str) -> str:
    if on == "user":
        return member.arn
    return member.arn.partition(":user/")[0] + f":mfa/{DEVICE_NAME}" if on == "device" else on

"""The graph of one account: principals, the states they could reach, and the ways that lead to each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from iam.policy.escalation.choices import TargetChoice
from iam.policy.escalation.method_types import EscalationMethod
from iam.policy.escalation.permission_checks import NOBODY, PrincipalBits
from iam.policy.escalation.states import PrincipalState
from iam.policy.index.classes import IndexedPrincipal

ADMINISTRATOR = 0
"""The node that represents any administrator of the account."""


@dataclass(frozen=True, slots=True)
class NeedSubject:
    """The subject of a method's needs. `boundary` is the ARN of a permissions boundary with which its member
    would be created; None means the boundary that the member has.
    """

    kind: str
    arn: str
    name: str
    number: int
    member: IndexedPrincipal | None = None
    boundary: str | None = None


Call = tuple[str, str]
"""An action, and the ARN of its resource."""


@dataclass(frozen=True, slots=True)
class StepOption:
    """A method on a subject, and who can use it. `others` are ARNs of further objects, one of which is
    enough: policies to attach or detach, or identity providers. `calls` lists all requests if they don't
    follow from the method and the subject.
    """

    method: EscalationMethod
    subject: NeedSubject
    bits: PrincipalBits
    others: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class EscalationWay:
    """A way into a node. It needs one option of each part; `bits` are the principals that have
    one of each.
    """

    parts: tuple[tuple[StepOption, ...], ...]
    bits: PrincipalBits


@dataclass(slots=True)
class EscalationNode:
    """A principal in a state. `round` selects its choices. The first node has no member."""

    member: IndexedPrincipal | None
    state: PrincipalState
    round: int


@dataclass(slots=True)
class AccountGraph:
    """The graph of an account. Bits are node numbers. `inward` are the ways into each node, `outward` those
    to administrators of other accounts of the organization. `ceiling` is False if no one can be
    administrator.
    """

    number: str
    nodes: list[EscalationNode] = field(default_factory=list)
    place: dict[tuple[int, PrincipalState], int] = field(default_factory=dict)
    inward: dict[int, list[EscalationWay]] = field(default_factory=dict)
    outward: list[EscalationWay] = field(default_factory=list)
    administrators: PrincipalBits = NOBODY
    choices: list[dict[EscalationMethod | tuple[EscalationMethod, int], tuple[TargetChoice, ...]]] = field(
        default_factory=list
    )
    ceiling: bool = True
    is_whole: bool = True
    regions: tuple[str, ...] = ()

    def add(self, member: IndexedPrincipal | None, state: PrincipalState, round: int) -> int:
        """Add a node and return its number."""
        self.nodes.append(EscalationNode(member, state, round))
        if member is not None:
            self.place[member.id, state] = len(self.nodes) - 1
        return len(self.nodes) - 1

    def lead(self, node: int, way: EscalationWay) -> None:
        """Add a way into a node."""
        self.inward.setdefault(node, []).append(way)


class ActingPrincipal(NamedTuple):
    """The acting principals. Conditional administrators (`doubtful`) gain nothing from conditional steps."""

    everybody: int
    doubtful: int

    def of(self, bits: PrincipalBits) -> PrincipalBits:
        """Return the acting principals for whom the step is useful."""
        sure = bits.sure & self.everybody
        return PrincipalBits(sure, bits.any & self.everybody & ~self.doubtful | sure)


def each(bits: int) -> Iterator[int]:
    """Yield the numbers of the set bits."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def who_has_any(alternatives: tuple[StepOption, ...]) -> PrincipalBits:
    """Return who has at least one of the options."""
    sure = possible = 0
    for alternative in alternatives:
        sure |= alternative.bits.sure
        possible |= alternative.bits.any
    return PrincipalBits(sure, possible) if possible else NOBODY

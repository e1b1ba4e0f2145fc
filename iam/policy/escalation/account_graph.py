"""One account as a graph: principals and what they could become, and the ways that lead to each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from iam.policy.escalation.choices import TargetChoice
from iam.policy.escalation.methods import EscalationMethod
from iam.policy.escalation.permission_checks import NOBODY, PrincipalBits
from iam.policy.escalation.states import PrincipalState
from iam.policy.index.classes import IndexedPrincipal

ADMINISTRATOR = 0
"""The node that stands for an administrator of the account, no matter who that is."""


@dataclass(frozen=True, slots=True)
class NeedSubject:
    """What the needs of a method are asked on. `boundary` is the ARN of a permissions boundary that its
    member doesn't have, but would be created with; None: that of the member.
    """

    kind: str
    arn: str
    name: str
    number: int
    member: IndexedPrincipal | None = None
    boundary: str | None = None


Call = tuple[str, str]
"""An action, and the ARN of the resource that it is asked on."""


@dataclass(frozen=True, slots=True)
class StepOption:
    """One method on one subject, and who can use it. `others` are ARNs of what else the method is about, of
    which one is enough: policies to attach or detach, identity providers. `calls` are all that it takes,
    where they do not follow from the method and the subject.
    """

    method: EscalationMethod
    subject: NeedSubject
    bits: PrincipalBits
    others: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class EscalationWay:
    """Leads into a node. Of each part one alternative is needed; `bits` are those for whom there is one of
    each.
    """

    parts: tuple[tuple[StepOption, ...], ...]
    bits: PrincipalBits


@dataclass(slots=True)
class EscalationNode:
    """A principal in a state. `round` tells which choices are its; the first node has no member."""

    member: IndexedPrincipal | None
    state: PrincipalState
    round: int


@dataclass(slots=True)
class AccountGraph:
    """An account. Bits are numbers of nodes; `inward` are the ways into each node, `outward` those to
    administrators of the other accounts of the organization; `ceiling` says whether anybody could be
    administrator at all.
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
        """A node; its number."""
        self.nodes.append(EscalationNode(member, state, round))
        if member is not None:
            self.place[member.id, state] = len(self.nodes) - 1
        return len(self.nodes) - 1

    def lead(self, node: int, way: EscalationWay) -> None:
        """Note a way into a node."""
        self.inward.setdefault(node, []).append(way)


class ActingPrincipal(NamedTuple):
    """Who acts. Conditional administrators (`doubtful`) gain nothing by what is conditional, too."""

    everybody: int
    doubtful: int

    def of(self, bits: PrincipalBits) -> PrincipalBits:
        """Those of them for whom it is of any use."""
        sure = bits.sure & self.everybody
        return PrincipalBits(sure, bits.any & self.everybody & ~self.doubtful | sure)


def each(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def who_has_any(alternatives: tuple[StepOption, ...]) -> PrincipalBits:
    """Who has one of them."""
    sure = possible = 0
    for alternative in alternatives:
        sure |= alternative.bits.sure
        possible |= alternative.bits.any
    return PrincipalBits(sure, possible) if possible else NOBODY

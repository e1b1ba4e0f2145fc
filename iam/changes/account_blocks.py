"""Groups principals for whom a change has the same effect, within an account and across accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from iam.changes.reasons import BlockReasons, DifferenceReasons, is_user
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.difference import AccessShift
from iam.policy.index.verdicts import PrincipalChange


@dataclass(frozen=True, slots=True)
class AccountBlock:
    """Principals of one account for whom the change has the same effect, proven by the same requests."""

    account: str
    masks: dict[str, int]
    risks: tuple[str, ...]
    ways: tuple[tuple[str, ...], ...]
    members: list[tuple[IndexedPrincipal, AccessShift]]

    @property
    def first(self) -> tuple[IndexedPrincipal, AccessShift]:
        """The first principal by name, whose requests are shown."""
        return min(self.members, key=lambda pair: (pair[0].name.lower(), pair[0].id))

    @property
    def users(self) -> int:
        """The number of IAM users among them."""
        return sum(is_user(member) for member, _ in self.members)


@dataclass(frozen=True, slots=True)
class SharedBlock:
    """Blocks of different accounts with the same effect and the same `reasons`."""

    blocks: list[AccountBlock]
    reasons: BlockReasons

    @property
    def people(self) -> int:
        """The number of principals in all accounts."""
        return sum(len(block.members) for block in self.blocks)

    @property
    def users(self) -> int:
        """The number of IAM users in all accounts."""
        return sum(block.users for block in self.blocks)

    @property
    def order(self) -> tuple[int, int, str, str]:
        """The sort key: most risks first, then most principals."""
        block = self.blocks[0]
        return -len(block.risks), -self.people, block.account, block.first[0].name.lower()


def merged(blocks: Iterable[AccountBlock], reasons: DifferenceReasons) -> list[SharedBlock]:
    """Merge blocks with the same effect in several accounts, keeping their order.

    Effects are the same if each action changes by the same request, apart from the account ID and the
    principal's own values such as its name, and if each reason holds for all principals of a block.
    """
    outlines = _Outlines()
    shared: dict[object, SharedBlock] = {}
    for block in blocks:
        why = reasons.for_pairs(block.members)
        effect = (tuple(block.masks.values()), block.risks, block.ways, outlines.outlines_of(block.members))
        key = (effect, _reasons_key(why, block))
        shared.setdefault(key, SharedBlock([], why)).blocks.append(block)
    return [replace(group, reasons=_of_everybody(group)) for group in shared.values()]


class _Outlines:
    """Numbers effects so that equal effects have equal numbers."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._known: dict[int, int] = {}

    def outlines_of(self, members: Sequence[tuple[IndexedPrincipal, AccessShift]]) -> frozenset[int]:
        """The outlines of the requests of these principals."""
        return frozenset([self._number(shift.change) for _, shift in members])

    def _number(self, change: PrincipalChange) -> int:
        number = self._known.get(id(change))
        if number is None:
            outline = frozenset((proof.mask, proof.verdict.outlines) for proof in change.proofs)
            number = self._known[id(change)] = self._numbers.setdefault(outline, len(self._numbers))
        return number


def _reasons_key(why: BlockReasons, block: AccountBlock) -> object:
    """A key of the reasons. A reason that holds for only some principals gets a number of its account, so
    that it never matches another account.
    """
    if all(reason.people == len(block.members) for reason in why.all_reasons):
        return why.told_of(0)
    return block.account, why


def _of_everybody(group: SharedBlock) -> BlockReasons:
    return group.reasons if len(group.blocks) == 1 else group.reasons.told_of(group.people)

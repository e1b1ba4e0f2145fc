"""Determines what a change does to a principal. Each finding is proved by one request whose decision differs
before and after.

Actions that all statements treat alike are evaluated together. For each such group, concrete resources
(`probes`) and circumstances (`circumstances`) are tried. Together they represent every possible request, as
far as these statements distinguish requests. Each finding is evaluated again by the engine
(`evaluate.decide`); what it doesn't confirm is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from iam.policy.compiled import PolicyKind
from iam.policy.index.action_group import ActionGroup
from iam.policy.index.documents import IndexedStatement
from iam.policy.index.elements import ActionElement
from iam.policy.index.group_proofs import GroupProofs
from iam.policy.index.proof_memory import ProofMemory
from iam.policy.index.proof_sharing import ProofKey
from iam.policy.index.sides import PlacedStatement, PrincipalSide
from iam.policy.index.verdicts import (
    ActionSetProof,
    AlikeVerdict,
    ChangeWitness,
    PrincipalChange,
    RequestSample,
    witness_of,
)


@dataclass(slots=True)
class ChangeProver(ProofMemory):
    """Compares principals before and after a change. Keeps results for statements that other principals hold
    too.
    """

    def change(
        self, before: PrincipalSide, after: PrincipalSide, *, within: int = -1, alike: ProofKey | None = None
    ) -> PrincipalChange:
        """What happens to all actions (or those `within` a set) for a principal that changes from `before` to
        `after`.
        """
        differing = _differing(before, after)
        touched = self._touched(before, after, differing) & within
        proofs: list[ActionSetProof] = []
        personal = unsettled = 0
        is_taken_over = False
        for part in self._parts(touched, before, after):
            group = ActionGroup(self, part, before, after)
            personal |= part if group.is_personal else 0
            of_group = GroupProofs(group, self, alike=alike)
            proofs += of_group.proofs()
            is_taken_over = is_taken_over or of_group.is_taken_over
            unsettled |= of_group.unsettled
        proved_for = "" if is_taken_over else before.principal.arn
        joined = _joined(proofs)
        return PrincipalChange(joined, bool(personal), proved_for, self, personal, unsettled)

    def _touched(self, before: PrincipalSide, after: PrincipalSide, differing: set[PlacedStatement]) -> int:
        mask = 0
        for placed in differing:
            mask |= self.space.mask(placed.clause.actions)
        if before.shape != after.shape:
            mask = self.space.actions.everything
        allowed = 0
        for side in (before, after):
            if side.is_root:
                allowed = self.space.actions.everything
            for placed in side.applicable_statements:
                if placed.kind is PolicyKind.IDENTITY and placed.allows:
                    allowed |= self.space.mask(placed.clause.actions)
        return mask & allowed & ~self.space.without_permission

    def _parts(self, touched: int, before: PrincipalSide, after: PrincipalSide) -> list[int]:
        """The actions, divided so that each statement matches all or none of a part."""
        parts = [touched] if touched else []
        masks: dict[ActionElement, int] = {}
        for placed in (*before.applicable_statements, *after.applicable_statements):
            if placed.clause.actions not in masks:
                masks[placed.clause.actions] = self.space.mask(placed.clause.actions)
        splitting = list(masks.values())
        if before.rcps or after.rcps:
            splitting.append(self.space.under_rcps)
        if before.is_root or after.is_root:
            splitting.append(self.space.assume_role)
        for mask in splitting:
            if not mask & touched or not touched & ~mask:
                continue
            fresh: list[int] = []
            for part in parts:
                inside = part & mask
                fresh += [piece for piece in (inside, part ^ inside) if piece]
            parts = fresh
        return parts


def _differing(before: PrincipalSide, after: PrincipalSide) -> set[PlacedStatement]:
    """The statements that may treat the two sides differently."""
    left = set(before.applicable_statements)
    right = set(after.applicable_statements)
    differing = left ^ right
    same_principal = (before.principal, before.facts) == (after.principal, after.facts)
    if same_principal and before.place_facts == after.place_facts:
        return differing
    for placed in left & right:
        if not _is_for_all(placed.clause):
            differing.add(placed)
    return differing


def _is_for_all(clause: IndexedStatement) -> bool:
    return not clause.conditions and not any("${" in name for name in clause.resources or ())


class PartedChange:
    """What happens to all actions, as changes by one prover that each cover a set of them. `is_nothing`: True
    if no decision differs.
    """

    __slots__ = ("_changes", "_masks", "_whole", "is_nothing")

    def __init__(self, masks: tuple[int, ...], changes: tuple[PrincipalChange, ...]) -> None:
        # Two tuples instead of one per part, because the garbage collector visits all of them.
        self._masks, self._changes = masks, changes
        self._whole: PrincipalChange | None = None
        self.is_nothing = not any(map(PrincipalChange.changes_any_of, changes, masks))

    @property
    def whole(self) -> PrincipalChange:
        """All parts combined into one change, on first use."""
        if self._whole is None:
            self._whole = combine_changes(list(zip(self._masks, self._changes, strict=True)))
        return self._whole


def combine_changes(changes: Sequence[tuple[int, PrincipalChange]]) -> PrincipalChange:
    """Combine changes by one prover, each of which covers a set of actions."""
    masks: dict[int, int] = {}
    verdicts: dict[int, AlikeVerdict] = {}
    for within, change in changes:
        for mask, verdict in change.proofs:
            inside, number = mask & within, id(verdict)
            if number in masks:
                masks[number] |= inside
            elif inside:
                masks[number] = inside
                verdicts[number] = verdict
    proofs = tuple([ActionSetProof(mask, verdicts[number]) for number, mask in masks.items()])
    if not changes:
        return PrincipalChange(proofs)
    first = changes[0][1]
    is_for_one = all(change.proved_for == first.proved_for for _, change in changes)
    proved_for = first.proved_for if is_for_one else ""
    is_personal = any(change.is_personal for _, change in changes)
    return PrincipalChange(proofs, is_personal, proved_for, first.prover)


def _joined(proofs: Iterable[ActionSetProof]) -> tuple[ActionSetProof, ...]:
    """Merge sets with the same verdict by one prover."""
    masks: dict[int, int] = {}
    verdicts: dict[int, AlikeVerdict] = {}
    for mask, verdict in proofs:
        # Equal verdicts are one object, and comparing verdicts is slow.
        number = id(verdict)
        masks[number] = masks.get(number, 0) | mask
        verdicts[number] = verdict
    return tuple([ActionSetProof(mask, verdicts[number]) for number, mask in masks.items()])


__all__ = [
    "ActionSetProof",
    "AlikeVerdict",
    "ChangeProver",
    "ChangeWitness",
    "PartedChange",
    "PrincipalChange",
    "RequestSample",
    "witness_of",
]

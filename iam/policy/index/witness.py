"""What a change does to a principal, each line of it proved by one request that is answered differently
before and after.

Actions that all statements treat alike are one question. For each, concrete resources (`probes`) and
circumstances (`circumstances`) are tried: together they stand for every request that there can be, as far as
these statements tell requests apart. What is found is put to the engine (`evaluate.decide`) once more, and
what it does not confirm is not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from iam.policy.compiled import PolicyKind
from iam.policy.index.documents import IndexedStatement
from iam.policy.index.elements import ActionElement
from iam.policy.index.proof_memory import ProofMemory
from iam.policy.index.proof_sharing import ProofKey
from iam.policy.index.request_trial import ActionGroup
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
    """Compares principals before and after, and remembers what it found for statements that others hold
    too.
    """

    def change(
        self, before: PrincipalSide, after: PrincipalSide, *, within: int = -1, alike: ProofKey | None = None
    ) -> PrincipalChange:
        """What becomes of all actions (or those `within` a set) for who is `before` and becomes `after`."""
        differing = _differing(before, after)
        touched = self._touched(before, after, differing) & within
        proofs: list[ActionSetProof] = []
        personal = unsettled = 0
        is_taken_over = False
        for part in self._parts(touched, before, after):
            asked = ActionGroup(self, part, before, after, alike=alike)
            personal |= part if asked.is_personal else 0
            proofs += asked.proofs()
            is_taken_over = is_taken_over or asked.is_taken_over
            unsettled |= asked.unsettled
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
        """The actions, apart as far as some statement speaks of some of them only."""
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
    """The statements by which the two may be treated differently."""
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
    """What becomes of all actions, as changes of one prover that each say it of a set of them.
    `is_nothing`: whether no request is answered differently.
    """

    __slots__ = ("_changes", "_masks", "_whole", "is_nothing")

    def __init__(self, masks: tuple[int, ...], changes: tuple[PrincipalChange, ...]) -> None:
        # Two tuples, and not one for each part: a search for garbage looks at all of them.
        self._masks, self._changes = masks, changes
        self._whole: PrincipalChange | None = None
        self.is_nothing = not any(map(PrincipalChange.changes_any_of, changes, masks))

    @property
    def whole(self) -> PrincipalChange:
        """The same as one change, put together when it is first asked for."""
        if self._whole is None:
            self._whole = combine_changes(list(zip(self._masks, self._changes, strict=True)))
        return self._whole


def combine_changes(changes: Sequence[tuple[int, PrincipalChange]]) -> PrincipalChange:
    """What becomes of all actions, from changes of one prover that each say it of a set of them."""
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
    """Sets with the same verdict of one prover as one."""
    masks: dict[int, int] = {}
    verdicts: dict[int, AlikeVerdict] = {}
    for mask, verdict in proofs:
        # What is equal is one object, and verdicts are long to compare.
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

"""Limits receipts to actions that AWS lists, as all pages do.

`*` also matches other names that occur in policies; they are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import or_

from iam.policy.catalogue import catalogue
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.difference import AccessDifference, AccessShift, ListedShifts
from iam.policy.index.verdicts import ActionSetProof
from iam.policy.letter_case import fold


def listed_part(difference: AccessDifference) -> AccessDifference:
    """The difference, limited to listed actions."""
    shifts: list[tuple[IndexedPrincipal, AccessShift]] = []
    for shift, members in difference.shifts.items():
        of_listed = _listed_shift(shift)
        shifts += [(member, of_listed) for member in members]
    listed = ListedShifts(shifts, difference.sides_of)
    return AccessDifference(difference.space, listed, difference.index_after)


def _listed_shift(shift: AccessShift) -> AccessShift:
    listed = catalogue().listed
    if all(mask == listed(mask) for mask, _ in shift.change.proofs):
        return shift
    proofs = []
    for mask, verdict in shift.change.proofs:
        if listed(mask):
            proofs.append(ActionSetProof(listed(mask), verdict))
    return replace(shift, change=replace(shift.change, proofs=tuple(proofs)))


def unlisted_names(difference: AccessDifference, *, most: int) -> list[str]:
    """Unlisted action names that policies give or remove, for principals without other changes.

    If there are more, at least a few more than `most` are returned.
    """
    names: dict[str, None] = {}
    for shift, members in difference.proved:
        changed = reduce(or_, (mask for mask, verdict in shift.change.proofs if not verdict.is_nothing))
        if catalogue().listed(changed):
            continue
        own = set(_own_names(difference, members[0]))
        names.update((name, None) for name in difference.names(changed) if fold(name) in own)
        if len(names) > most:
            break
    return list(names)


def _own_names(difference: AccessDifference, member: IndexedPrincipal) -> Iterator[str]:
    """The action names in a principal's statements before or after."""
    for side in difference.sides_of(member.id):
        for statement in side.applicable_statements:
            yield from map(fold, statement.clause.actions.names)

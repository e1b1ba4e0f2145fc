"""Who can do more or less when a managed policy says something else: asked of the index, and put into the few lines of a receipt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from iam.changes.documents import DENIES, flags
from iam.changes.operations.access import (
    ALTERED,
    CONDITIONAL,
    GAINED,
    LOST,
    NARROWER,
    SORTS,
    WIDER,
    Access,
    ActionShift,
    Affected,
    Way,
)
from iam.changes.operations.strange_names import without_strange
from iam.mirror.models import Entity
from iam.mirror.pull.transform.principals import document_digest
from iam.mirror.snapshot import snapshot
from iam.policy.catalogue import Level
from iam.policy.document import Document, Statement, read
from iam.policy.index.classes import Member
from iam.policy.index.difference import Difference, Shift
from iam.policy.index.index import Index
from iam.policy.index.masks import Space
from iam.policy.index.rows import Changes, PolicyRow
from iam.policy.index.scenario import Edits
from iam.policy.index.shard import Shard

WAYS: Final = 8
ROWS: Final = 10
NAMES: Final = 5
RESOURCES: Final = 2
SAID: Final = 5
"""So many of each a receipt holds; the rest is a number."""

Masks = dict[str, int]


class _Path(NamedTuple):
    """In which way somebody holds the policy."""

    through: tuple[str, ...]
    is_direct: bool
    is_boundary: bool


def access_of(policy: Entity, *, old: str, text: str) -> Access:
    """The effect of another default text; `old` is the present one. As the mirror stands, all that bounds principals weighed."""
    number = policy.account.account_id
    with snapshot(accounts={number}) as index:
        shard = index.accounts.get(number)
        if shard is None or policy.pk not in shard.policies:
            return Access(undecided=("The mirror does not hold this policy yet.",))
        return _Weighing(index, shard, policy.pk, text).access(marks=_marks(old, text))


def _marks(old: str, text: str) -> tuple[str, ...]:
    before, after = set(flags(old)), set(flags(text))
    gone = {DENIES} if DENIES in before - after else set()
    return tuple(sorted((after - before - {DENIES}) | gone))


class _Weighing:
    """One question to the index, whose lock is held meanwhile."""

    def __init__(self, index: Index, shard: Shard, policy: int, text: str) -> None:
        self._shard, self._policy = shard, policy
        self._space: Space = index.documents.space
        known, self._strange = without_strange(text, space=self._space.actions)
        self._document = read(known)
        row, digest = shard.policies[policy], document_digest(known)
        changes = Changes(policies=[PolicyRow(policy, row.name, digest)])
        self._holders = shard.concerned_by(Changes(policies=[PolicyRow(policy, row.name, "")]))
        self._found: Difference = index.what_if({shard.number: Edits(changes)}, texts={digest: known})
        self._of_iam, self._risky = risky_actions(self._space)
        self._groups = {
            group.id: group.name for group in shard.groups.values() if policy in group.grants.attached
        }

    def access(self, *, marks: tuple[str, ...]) -> Access:
        """The lines of the receipt."""
        paths: dict[_Path, dict[Shift, list[Member]]] = defaultdict(lambda: defaultdict(list))
        for shift, members in self._found.shifts.items():
            for member in members:
                paths[self._path(member)][shift].append(member)
        total = _union(sorts_of(shift) for shift in self._found.shifts)
        ordered = sorted(paths.items(), key=lambda one: (-_people(one[1]), one[0]))
        return Access(
            holders=len(self._holders),
            affected=self._found.affected,
            counts={sort: total[sort].bit_count() for sort in SORTS if total[sort]},
            risky=((total[GAINED] | total[WIDER]) & self._risky).bit_count(),
            ways=tuple(self._way(path, shifts) for path, shifts in ordered[:WAYS]),
            more_ways=len(ordered[WAYS:]),
            more_people=sum(_people(shifts) for _, shifts in ordered[WAYS:]),
            marks=marks,
            undecided=tuple(self._undecided()),
        )

    def _path(self, member: Member) -> _Path:
        grants = member.grants
        through = sorted(self._groups[number] for number in grants.groups if number in self._groups)
        return _Path(
            tuple(through),
            is_direct=self._policy in grants.attached,
            is_boundary=self._policy == grants.boundary,
        )

    def _way(self, path: _Path, shifts: dict[Shift, list[Member]]) -> Way:
        masks = {shift: sorts_of(shift) for shift in shifts}
        total = _union(masks.values())
        rows = [
            ActionShift(
                action=self._space.actions.names(bit)[0],
                sort=sort,
                people=sum(len(members) for shift, members in shifts.items() if masks[shift][sort] & bit),
                is_risky=sort in (GAINED, WIDER, ALTERED) and bool(bit & self._risky),
                on=self._resources(bit) if sort in (GAINED, WIDER, ALTERED) else (),
            )
            for sort, bit in self._weightiest(total)
        ]
        members = sorted(
            (m for group in shifts.values() for m in group), key=lambda m: (m.name.lower(), m.id)
        )
        users = sum(":user/" in member.arn for member in members)
        return Way(
            through=path.through,
            is_direct=path.is_direct,
            is_boundary=path.is_boundary,
            users=users,
            roles=len(members) - users,
            shifts=tuple(rows),
            more=sum(mask.bit_count() for mask in total.values()) - len(rows),
            names=tuple(
                Affected(m.name, "user" if ":user/" in m.arn else "role", m.id) for m in members[:NAMES]
            ),
        )

    def _weightiest(self, total: Masks) -> list[tuple[str, int]]:
        """(sort, bit) of the actions to be named: what changes IAM, what else is risky, then something of each sort."""
        more = (GAINED, WIDER, ALTERED)
        tiers = [(sort, total[sort] & self._of_iam) for sort in more]
        tiers += [(sort, total[sort] & self._risky & ~self._of_iam) for sort in more]
        tiers += [(sort, total[sort] & ~self._risky) for sort in more]
        tiers += [(sort, total[sort]) for sort in (LOST, NARROWER, CONDITIONAL)]
        tiers = [(sort, mask) for sort, mask in tiers if mask]
        share = max(2, ROWS // max(1, len(tiers)))
        chosen = [(sort, bit) for sort, mask in tiers for bit in _bits(mask, share)]
        chosen += [(sort, bit) for sort, mask in tiers for bit in _bits(mask, ROWS)]
        order = {sort: place for place, sort in enumerate(SORTS)}
        return sorted(
            list(dict.fromkeys(chosen))[:ROWS],
            key=lambda one: (order[one[0]], not one[1] & self._of_iam, not one[1] & self._risky, one[1]),
        )

    def _resources(self, bit: int) -> tuple[str, ...]:
        """Some resources on which the new text allows the action; none where it is on all."""
        found: dict[str, None] = {}
        for statement in self._document.statements:
            if statement.allows and _mask(statement, self._space) & bit:
                found.update(dict.fromkeys(statement.resources or ()))
        if "*" in found or len(found) == 0:
            return ()
        more = (f"and {len(found) - RESOURCES} more",) if len(found) > RESOURCES else ()
        return (*list(found)[:RESOURCES], *more)

    def _undecided(self) -> Iterator[str]:
        if self._strange:
            names = ", ".join(self._strange[:SAID]) + (" and others" if len(self._strange) > SAID else "")
            yield f"Nobody knows these actions, so they are not weighed: {names}."
        yield from _problems(self._document)
        others = sum(self._has_unread(member) for member in self._holders)
        if others:
            yield (
                f"{others} of those who have it hold another policy that cannot be read whole; "
                "what could not be read of it is not weighed."
            )
        if not self._shard.standing.is_known:
            yield "The service control policies above this account are not known, and not weighed."

    def _has_unread(self, member: Member) -> bool:
        own = self._shard.policies[self._policy].digest
        profile = member.cls.profile
        docs = (*profile.bundle.docs, *([profile.limits.boundary] if profile.limits.boundary else []))
        return any(doc.is_unreadable and doc.digest != own for doc in docs)


def sorts_of(shift: Shift) -> Masks:
    """What becomes of which actions; no action is of two sorts."""
    conditional = shift.becomes_conditional
    return {
        GAINED: shift.gained,
        WIDER: shift.wider,
        ALTERED: shift.altered,
        CONDITIONAL: conditional,
        NARROWER: shift.narrower & ~conditional,
        LOST: shift.lost,
    }


def risky_actions(space: Space) -> tuple[int, int]:
    """What changes IAM itself; and, with it, what says in other services who may do what."""
    catalogue = space.catalogue
    reading = catalogue.mask_of_level(Level.LIST) | catalogue.mask_of_level(Level.READ)
    of_iam = catalogue.mask_of_service("iam") & ~reading
    return of_iam, of_iam | catalogue.mask_of_level(Level.PERMISSIONS)


def _problems(document: Document) -> Iterator[str]:
    problems = [*document.problems, *(p for one in document.statements for p in one.problems)]
    for problem in problems[:SAID]:
        yield f"The new text cannot be read whole, so this is not weighed: {problem}."


def _mask(statement: Statement, space: Space) -> int:
    mask = 0
    for pattern in statement.actions:
        mask |= space.actions.mask(pattern)
    return space.actions.everything ^ mask if statement.is_not_action else mask


def _union(found: Iterable[Masks]) -> Masks:
    total = dict.fromkeys(SORTS, 0)
    for masks in found:
        for sort, mask in masks.items():
            total[sort] |= mask
    return total


def _people(shifts: dict[Shift, list[Member]]) -> int:
    return sum(len(members) for members in shifts.values())


def _bits(mask: int, most: int) -> Iterator[int]:
    """The lowest bits of a mask, each as a mask."""
    for _ in range(most):
        if not mask:
            return
        bit = mask & -mask
        mask ^= bit
        yield bit

"""Edits of a principal and who can make them, from which the ways into its states are built."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from iam.policy.escalation.account_graph import EscalationWay, StepOption, who_has_any
from iam.policy.escalation.permission_checks import PrincipalBits
from iam.policy.escalation.states import FREED, PolicyRemoval, PrincipalState

Part = tuple[StepOption, ...]


Removed = tuple[PolicyRemoval, ...]


@dataclass(slots=True)
class PolicyEdits:
    """Options by the change that they make. `unbound` is empty if the principal has no boundary.

    `full` gives every permission, by the denying policies that the same call replaces. `own` gives every
    permission to the principal that acts. `removed` removes one denying policy each. `replaced` are the group
    policies that another version replaces. `tagged` sets tags, `freed` removes the SCPs. `by_itself` caches
    the result of `_of_each`.
    """

    full: dict[Removed, list[StepOption]] = field(default_factory=lambda: defaultdict(list))
    own: list[StepOption] = field(default_factory=list)
    unbound: list[StepOption] = field(default_factory=list)
    groups: dict[int, list[StepOption]] = field(default_factory=lambda: defaultdict(list))
    versions: dict[tuple[int, str], list[StepOption]] = field(default_factory=lambda: defaultdict(list))
    removed: dict[PolicyRemoval, list[StepOption]] = field(default_factory=lambda: defaultdict(list))
    replaced: dict[int, Removed] = field(default_factory=dict)
    tagged: list[StepOption] = field(default_factory=list)
    freed: list[StepOption] = field(default_factory=list)
    by_itself: list[tuple[PrincipalState, Part, PrincipalBits]] | None = None

    def from_itself(self, state: PrincipalState, node: int) -> Iterator[tuple[PrincipalState, EscalationWay]]:
        """Yield the states that a principal, at a node and in a state, can reach with one edit of itself."""
        bit = 1 << node
        every = self._everything().limited_to(bit)
        for change, part, bits in self._of_each():
            if bits.any & bit and not (change.groups and _covers(every, bits.limited_to(bit))):
                further = _state_with(state, change)
                if further != state:
                    yield further, EscalationWay((part,), bits.limited_to(bit))

    def from_others(self, become: Part) -> Iterator[tuple[PrincipalState, EscalationWay]]:
        """Yield the states of the principal for anyone who can edit it and then become it."""
        able = who_has_any(become)
        every = self._everything() & able
        for change, parts in (*self._changes(), *self._without_denies()):
            if change.groups and _covers(every, who_has_any(parts[0]) & able):
                continue
            yield from _way(change, (*parts, become))
            if self.unbound and not change.unbound:
                yield from _way(change._replace(unbound=True), (tuple(self.unbound), *parts, become))

    def _everything(self) -> PrincipalBits:
        """Return who can give it every permission without replacing a denying policy. A group adds nothing
        for them.
        """
        return who_has_any(tuple(self.full.get((), ())))

    def _of_each(self) -> list[tuple[PrincipalState, Part, PrincipalBits]]:
        """Return each single-step change with its part and who has one of its options."""
        if self.by_itself is None:
            own = [(PrincipalState(full=True), tuple(self.own))] if self.own else []
            self.by_itself = [(change, part, who_has_any(part)) for change, part in (*self._single(), *own)]
        return self.by_itself

    def _changes(self) -> Iterator[tuple[PrincipalState, tuple[Part, ...]]]:
        return ((change, (part,)) for change, part in self._single())

    def _without_denies(self) -> Iterator[tuple[PrincipalState, tuple[Part, ...]]]:
        """Yield the removal of all denying policies, alone and together with every permission."""
        if not self.removed:
            return
        every = tuple(sorted(self.removed))
        parts = tuple(tuple(self.removed[removal]) for removal in every)
        if len(every) > 1:
            yield PrincipalState(removed=every), parts
        for removed, alternatives in self.full.items():
            together = tuple(sorted({*removed, *every}))
            if together != removed:
                yield PrincipalState(full=True, removed=together), (*parts, tuple(alternatives))

    def _single(self) -> Iterator[tuple[PrincipalState, Part]]:
        for removed, alternatives in self.full.items():
            yield PrincipalState(full=True, removed=removed), tuple(alternatives)
        if self.unbound:
            yield PrincipalState(unbound=True), tuple(self.unbound)
        for group, joining in self.groups.items():
            yield PrincipalState(groups=(group,)), tuple(joining)
        for version, switching in self.versions.items():
            yield (
                PrincipalState(versions=(version,), removed=self.replaced.get(version[0], ())),
                tuple(switching),
            )
        for removal, removing in self.removed.items():
            yield PrincipalState(removed=(removal,)), tuple(removing)
        if self.tagged:
            yield PrincipalState(tagged=True), tuple(self.tagged)
        if self.freed:
            yield FREED, tuple(self.freed)


def _covers(more: PrincipalBits, less: PrincipalBits) -> bool:
    """Return True if `more` includes `less`, both among the certain and among all."""
    return not (less.any & ~more.any or less.sure & ~more.sure)


def _way(state: PrincipalState, parts: tuple[Part, ...]) -> Iterator[tuple[PrincipalState, EscalationWay]]:
    bits = who_has_any(parts[0])
    for part in parts[1:]:
        bits &= who_has_any(part)
    if bits.any:
        yield state, EscalationWay(parts, bits)


def _state_with(state: PrincipalState, change: PrincipalState) -> PrincipalState:
    """Return a state with one more change. A principal with every permission gains nothing from a group,
    another version or tags.
    """
    if state.full and (change.groups or change.versions or change.tagged):
        return state
    removed = tuple(sorted({*state.removed, *change.removed}))
    freed = state.freed or change.freed
    if state.full and not change.full:
        return state._replace(unbound=state.unbound or change.unbound, removed=removed, freed=freed)
    policies = dict((*state.versions, *change.versions))
    return PrincipalState(
        state.unbound or change.unbound,
        state.full or change.full,
        tuple(sorted({*state.groups, *change.groups})),
        tuple(sorted(policies.items())),
        removed,
        (state.tagged or change.tagged) and not (state.full or change.full),
        freed,
    )

"""What can be changed of one principal, and by whom: the parts from which the ways into its states are put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from iam.policy.escalation.estate import Alternative, Way, either
from iam.policy.escalation.states import State

Part = tuple[Alternative, ...]


@dataclass(slots=True)
class Edits:
    """Alternatives by what they change. `unbound` has some only where there is a boundary."""

    full: list[Alternative] = field(default_factory=list)
    unbound: list[Alternative] = field(default_factory=list)
    groups: dict[int, list[Alternative]] = field(default_factory=lambda: defaultdict(list))
    versions: dict[tuple[int, str], list[Alternative]] = field(default_factory=lambda: defaultdict(list))

    def from_itself(self, state: State, node: int) -> Iterator[tuple[State, Way]]:
        """What a principal in a state, which is a node, can make of itself in one step."""
        for change, part in self._single():
            further = _together(state, change)
            bits = either(part).within(1 << node)
            if further != state and bits.any:
                yield further, Way((part,), bits)

    def from_others(self, become: Part) -> Iterator[tuple[State, Way]]:
        """What somebody can make of it who can then become it."""
        unbound = tuple(self.unbound)
        for change, part in self._single():
            yield from _way(change, (part, become))
            if unbound and not change.unbound:
                yield from _way(change._replace(unbound=True), (unbound, part, become))

    def _single(self) -> Iterator[tuple[State, Part]]:
        if self.full:
            yield State(full=True), tuple(self.full)
        if self.unbound:
            yield State(unbound=True), tuple(self.unbound)
        for group, found in self.groups.items():
            yield State(groups=(group,)), tuple(found)
        for version, found in self.versions.items():
            yield State(versions=(version,)), tuple(found)


def _way(state: State, parts: tuple[Part, ...]) -> Iterator[tuple[State, Way]]:
    bits = either(parts[0])
    for part in parts[1:]:
        bits &= either(part)
    if bits.any:
        yield state, Way(parts, bits)


def _together(state: State, change: State) -> State:
    """A state with one thing more. Who has every permission gains nothing by a group."""
    if state.full and not change.unbound:
        return state
    policies = dict((*state.versions, *change.versions))
    return State(
        state.unbound or change.unbound,
        state.full or change.full,
        tuple(sorted({*state.groups, *change.groups})),
        tuple(sorted(policies.items())),
    )

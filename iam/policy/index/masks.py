"""Action elements as sets of actions: the actions of the catalogue, followed by those that occur only in
documents.
"""

from __future__ import annotations

from functools import cached_property
from itertools import groupby
from threading import RLock
from typing import NamedTuple

from iam.policy.catalogue import AccessLevel, ActionSpace, AwsCatalogue, catalogue
from iam.policy.evaluate import FREE, WITHOUT_RCPS
from iam.policy.index.elements import ActionElement
from iam.policy.letter_case import fold


class ActionRange(NamedTuple):
    """The consecutive actions of a service."""

    first: int
    size: int
    levels: dict[AccessLevel, int]
    """The actions of each access level, as bits relative to `first`."""


class ActionNumbering:
    """The order of actions, shared by all documents of a process. It grows; assigned bits stay the same.

    Indexes of different moments share it. Each has its own lock, so it grows under a separate one.
    """

    def __init__(self) -> None:
        self._growing = RLock()
        self._met: set[str] = set()
        self._size = -1

    @cached_property
    def catalogue(self) -> AwsCatalogue:
        """The catalogue of AWS actions."""
        return catalogue()

    @cached_property
    def _space(self) -> ActionSpace:
        return ActionSpace(self.catalogue)

    def register_names(self, actions: ActionElement) -> None:
        """Record the names of an element. They get bits when a mask is next computed."""
        with self._growing:
            self._met.update(actions.names)

    @property
    def actions(self) -> ActionSpace:
        """All registered actions."""
        with self._growing:
            if self._met:
                # A cached property is a plain attribute once it has been read, so it can be assigned.
                self._space = self._space.extended(self._met)
                self._met = set()
            self._size = len(self._space)
            return self._space

    @property
    def width(self) -> int:
        """The number of registered actions."""
        return len(self.actions) if self._met or self._size < 0 else self._size

    def mask(self, actions: ActionElement) -> int:
        """The actions that an element matches."""
        return self.parted(actions)[0]

    def parted(self, actions: ActionElement) -> tuple[int, int, int]:
        """The actions that an element matches: all, those without resource types, and the others. Computed
        again when the space has grown.
        """
        if self._met or actions.width != self._size:
            with self._growing:
                space = self.actions
                if actions.width != self._size:
                    self._work_out(actions, space)
        return actions.parted

    def _work_out(self, actions: ActionElement, space: ActionSpace) -> None:
        named = actions.named
        for name in actions.names:
            known = max(actions.width, len(self.catalogue))
            named |= space.mask_from(name, known) if actions.width else space.mask(name)
        mask = space.everything ^ named if actions.is_not else named
        alone = mask & self.catalogue.mask_without_resources
        actions.parted = (mask, alone, mask ^ alone if alone else mask)
        actions.named, actions.width = named, len(space)

    @cached_property
    def without_permission(self) -> int:
        """The actions that need no permission."""
        return self._of(FREE)

    @cached_property
    def under_rcps(self) -> int:
        """The actions that resource control policies restrict."""
        mask = 0
        for service in self.catalogue.rcp_services:
            mask |= self.catalogue.mask_of_service(service)
        return mask & ~self._of(WITHOUT_RCPS)

    @cached_property
    def assume_role(self) -> int:
        """The only action that root users cannot perform."""
        return self._of({"sts:assumerole"})

    def _of(self, names: set[str] | frozenset[str]) -> int:
        mask = 0
        for name in names:
            mask |= self.catalogue.mask(name)
        return mask

    @cached_property
    def services(self) -> dict[str, ActionRange]:
        """The actions of each service in the catalogue, by lowercase prefix."""
        ranges: dict[str, ActionRange] = {}
        first = 0
        for prefix, names in groupby(self.catalogue.actions, key=lambda name: fold(name.partition(":")[0])):
            size = sum(1 for _ in names)
            within = (1 << size) - 1
            levels = {level: self.catalogue.mask_of_level(level) >> first & within for level in AccessLevel}
            ranges[prefix] = ActionRange(first, size, levels)
            first += size
        return ranges

    @cached_property
    def starts(self) -> tuple[list[int], list[tuple[str, ActionRange]]]:
        """The first positions of the services in ascending order, and the services."""
        services = list(self.services.items())
        return [first for _, (first, _, _) in services], services

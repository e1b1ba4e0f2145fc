"""Action elements. Each is prepared once for all statements that contain it."""

from __future__ import annotations

from typing import Final

from iam.policy.compiled import action_matcher
from iam.policy.document import Names
from iam.policy.letter_case import fold

EVERY_SERVICE: Final = ""


class ActionElement:
    """An Action or NotAction element. `services` are the prefixes of its names; EVERY_SERVICE if they aren't
    limited to certain services.
    """

    __slots__ = ("__weakref__", "covers_action", "is_not", "named", "names", "parted", "services", "width")

    def __init__(self, names: Names, *, is_not: bool) -> None:
        self.names = names
        self.is_not = is_not
        self.covers_action = action_matcher(names, is_not=is_not)
        self.services = _services(names, is_not=is_not)
        self.named = self.width = 0
        """The matching actions as bits, and the number of actions for which they were computed; see
        `masks`.
        """
        self.parted = (0, 0, 0)


def _services(names: Names, *, is_not: bool) -> frozenset[str]:
    if is_not:
        return frozenset({EVERY_SERVICE})
    services = {fold(name.partition(":")[0]) for name in names}
    return (
        frozenset({EVERY_SERVICE})
        if any("*" in service or "?" in service for service in services)
        else frozenset(services)
    )

"""Names that an administrator knows to be newer than the catalogue: then they are doubtful, and no errors."""

from __future__ import annotations

from collections.abc import Iterable

from iam.policy.glob import Matcher, compile_glob
from iam.policy.letter_case import fold

_accepted: list[Matcher] = []


def accept_newer(names: Iterable[str]) -> None:
    """Take these for names that AWS has added: services, actions, condition keys, ARNs and Regions, with
    wildcards.

    They replace those that were accepted before. A service stands for all of its names.
    """
    _accepted[:] = [compile_glob(fold(name)) for name in names]


def is_newer(*names: str) -> bool:
    """Whether one of the names was accepted."""
    return any(any(matches(fold(name)) for matches in _accepted) for name in names)

"""Names that an administrator declares newer than the catalogue. They then count as uncertain rather than as
errors.
"""

from __future__ import annotations

from collections.abc import Iterable

from iam.policy.glob import Matcher, compile_glob
from iam.policy.letter_case import fold

_accepted: list[Matcher] = []


def accept_newer(names: Iterable[str]) -> None:
    """Accept these names as added by AWS: services, actions, condition keys, ARNs and Regions, with
    wildcards.

    They replace the names accepted before. A service includes all of its names.
    """
    _accepted[:] = [compile_glob(fold(name)) for name in names]


def is_newer(*names: str) -> bool:
    """Return True if one of the names is accepted."""
    return any(any(matches(fold(name)) for matches in _accepted) for name in names)

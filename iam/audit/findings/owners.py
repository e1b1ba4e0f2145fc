"""Who a finding is for: the person or team behind its user, or whom the tags of its subject name."""

from __future__ import annotations

from collections.abc import Iterable

from iam.linking.known_owners import owners_known


def owners_of(entities: Iterable[int]) -> dict[int, str]:
    """The owners of users, roles and others by their number, as far as they are known."""
    return {number: owner.name for number, owner in owners_known(entities).items()}

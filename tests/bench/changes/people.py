"""Inside Django: who asks and who agrees in a measurement."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any


def asker() -> Any:
    """An administrator. Approvers are appointed too: nothing can be requested that no one can approve."""
    _approvers()
    return _person("Ines", "administrator")


def agree_to(groups: Iterable[Any]) -> tuple[list[float], datetime]:
    """Two approvers agree to each set, where two are asked for; seconds of each agreement, and when the last
    began, which queues the changes.
    """
    from iam.changes.models import ChangeState
    from iam.changes.services import approve

    took, began = [], datetime.now(tz=UTC)
    approvers = _approvers()
    for group in groups:
        for person in approvers:
            first = group.changes.order_by("position")[0]
            if first.state == ChangeState.AWAITING:
                at, began = time.perf_counter(), datetime.now(tz=UTC)
                approve(first, actor=person, seen_digest=group.receipt_digest)
                took.append(time.perf_counter() - at)
    return took, began


def _approvers() -> list[Any]:
    return [_person("Hana", "approver"), _person("Jonas", "approver")]


def _person(name: str, role: str) -> Any:
    from iam.directory.models import Person, RoleAssignment
    from iam.guard import viewer_for

    email = f"{name.lower()}@gatehouse.example"
    person, made = Person.objects.get_or_create(email=email, defaults={"name": name})
    if made:
        RoleAssignment.objects.create(person=person, role=role)
    return viewer_for(person)

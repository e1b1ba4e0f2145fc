"""Finds when the holders of a policy last used it, by the actions that it allows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from iam.access.last_uses import HeldStatements, HeldUse, last_uses
from iam.mirror.models import Entity
from iam.policy.compiled import PolicyKind, compile_set
from iam.policy.document import read


def policy_uses(text: str, holders: Collection[int], *, now: datetime) -> dict[int, HeldUse]:
    """The last use by the primary key of the holder: a user, a role, or a group with the calls of its
    members.

    Six queries.
    """
    statements = compile_set([("", read(text))], kind=PolicyKind.IDENTITY).statements
    holdings = {}
    for holder in Entity.objects.filter(pk__in=holders).select_related("account"):
        holdings[holder.pk] = HeldStatements([holder], {holder.pk: statements})
    return last_uses(holdings, now=now) if holdings else {}

"""Finds the grants that gave someone the statements of a policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db.models import Q

from console.web.access import ViewerRequest
from console.web.shortened_lists import ShortenedList, first_rows
from iam.access.grants.models import GIVING, Grant, LedgerEntry
from iam.access.grants.queries import visible_grants
from iam.policy.escalation.held_statements import HeldStatement

GRANTS: Final = 5


def given_by(request: ViewerRequest, statements: Sequence[HeldStatement]) -> ShortenedList[Grant]:
    """Return the newest grants that give these statements now; ending a grant removes only what no other
    grant needs.
    """
    if request.at is not None or not statements:
        return ShortenedList([], 0)
    which = Q()
    for statement in statements:
        which |= Q(target=statement.holder) | Q(holder_arn=statement.holder, target=statement.policy)
    entries = LedgerEntry.objects.filter(which, since__isnull=False, until__isnull=True)
    grants = visible_grants(request.viewer).filter(state__in=GIVING, pk__in=entries.values("part__grant"))
    return first_rows(request, grants.order_by("-created_at", "-id"), most=GRANTS, name="given-by")

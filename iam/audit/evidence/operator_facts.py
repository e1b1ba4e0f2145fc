"""Lists who holds roles in Gatehouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from iam.audit.evidence.tables import PackColumn, PackTable, Row
from iam.directory.models import RoleAssignment

KEYS: Final = ("person", "email", "is_active", "role", "account", "team", "since")
COLUMNS: Final = (
    PackColumn("person", "Person", 1.4, "bold"),
    PackColumn("email", "Email", 2),
    PackColumn("role", "Role", 1),
    PackColumn("account", "Account", 1, "mono"),
    PackColumn("team", "Team", 1.2),
    PackColumn("since", "Since", 1.3),
    PackColumn("is_active", "Active", 0.6),
)


def operators_table(accounts: frozenset[str] | None) -> PackTable:
    """Role assignments in all accounts or in these."""
    return PackTable(
        name="operators",
        title="People with a role in Gatehouse",
        note="Who could request, approve, change settings or look on when the pack was built.",
        keys=KEYS,
        columns=COLUMNS,
        rows=lambda: _rows(accounts),
    )


def _rows(accounts: frozenset[str] | None) -> Iterator[Row]:
    assignments = RoleAssignment.objects.select_related("person", "team")
    assignments = assignments.order_by("person__name", "role", "account_id", "pk")
    if accounts is not None:
        assignments = assignments.filter(account_id__in=["", *accounts])
    for assignment in assignments.iterator(chunk_size=1_000):
        since: datetime = assignment.created_at
        yield {
            "person": assignment.person.name,
            "email": assignment.person.email,
            "is_active": assignment.person.is_active,
            "role": assignment.get_role_display(),
            "account": assignment.account_id or "all",
            "team": assignment.team.name if assignment.team else "",
            "since": since,
        }
